"""Data that lies elsewhere: any address that fsspec opens, read through a local cache that keeps contents by digest.

    <cache>/objects/ab/cdef…   the bytes whose sha256 is abcdef…
    <cache>/known/<digest>     the sha256 of what an address held, by address, size and the store's own version mark

The cache lies in `EDGELOOP_CACHE`, else in `edgeloop` below the user's cache folder. Everything in it can be deleted at
any time. Credentials and endpoints are the environment's, as fsspec and its file systems read them.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from edgeloop.canonical import digest_of, sha256_of_bytes, sha256_of_file
from edgeloop.errors import DataFault, EdgeloopError, MissingExtra, ServerFault, translated
from edgeloop.files import renamed
from edgeloop.plugins import missing_extra
from edgeloop.progress import progress

CACHE_VARIABLE = "EDGELOOP_CACHE"
LISTING = "edgeloop-push.json"
"""What `edgeloop.data.pushing` leaves beside the samples."""

MAX_FILES = 2_000_000
VERSION_MARKS = ("ETag", "etag", "md5", "checksum", "version_id", "VersionId")
"""What stores call the mark that changes with the content."""


def cache_folder() -> Path:
    """Where contents are kept."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgeloop"


@dataclass(frozen=True)
class View:
    """What an address held, as local files.

    Args:
        path: The folder or file; None where a source needs none.
        address: Where it was fetched from; empty where it was there already.
    """

    path: Path | None
    address: str

    def uri_of(self, uri: str | None) -> str | None:
        """The uri at the address of a file of the view; any other uri is left as it is."""
        if not self.address or uri is None:
            return uri
        assert self.path is not None
        here = self.path.as_uri()
        if uri != here and not uri.startswith(f"{here}/"):
            return uri
        return f"{self.address.rstrip('/')}{uri.removeprefix(here)}"


@contextmanager
def view_of(address: str) -> Iterator[View]:
    """Fetches what an address holds, which of it the cache has not, and shows it as files for the length of the block.

    Raises:
        DataFault: There is nothing, far too much, or a name that leads out of the folder.
        ServerFault: The store does not answer or refuses.
        MissingExtra: fsspec, or the file system of that address, is not installed.
        NotWritable, DiskFull: The cache cannot be written.
    """
    system, root = file_system(address)
    files = _listed(system, root, address)
    views = cache_folder() / "views"
    with translated(views):
        views.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=views) as scratch, progress("fetch", len(files)) as advance:
        top = Path(scratch) / (PurePosixPath(root).name or "data")
        for name, remote in files.items():
            _show(_kept(system, remote, address), top / name if name else top)
            advance(1, "")
        yield View(path=top, address=address)


def content_at(uri: str, *, sha256: str | None = None) -> bytes:
    """The bytes behind a uri; from the cache where they are known by their digest.

    Raises:
        As `view_of`.
    """
    if sha256 is not None and (kept := _object(sha256)).is_file():
        with translated(kept):
            content = kept.read_bytes()
        if sha256_of_bytes(content) == sha256:
            return content
    system, path = file_system(uri)
    with answering(uri):
        content = bytes(system.cat_file(path))
    if sha256 is not None and sha256_of_bytes(content) == sha256:
        with _incoming() as scratch:
            (scratch / "content").write_bytes(content)
            _keep(scratch / "content", _object(sha256))
    return content


def file_system(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path there."""
    try:
        import fsspec
    except ModuleNotFoundError as error:
        raise missing_extra(error, "data") from error
    with answering(address):
        try:
            system, root = fsspec.core.url_to_fs(address)
        except ValueError as error:  # no such protocol
            raise DataFault(str(error), where=address, fix="use an address that fsspec opens") from error
    return system, str(root)


@contextmanager
def answering(address: str) -> Iterator[None]:
    """Turns whatever a store raises into one fault that names the address."""
    try:
        yield
    except EdgeloopError:
        raise
    except ImportError as error:  # the package of that file system
        raise MissingExtra(str(error), where=address, fix="install the file system of that address") from error
    except FileNotFoundError as error:
        raise DataFault("does not exist", where=address, fix="check the address") from error
    except Exception as error:  # every store has its own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ServerFault(f"cannot be read ({reason})", where=address, fix="check address and credentials") from error


def _listed(system: Any, root: str, address: str) -> dict[str, dict[str, Any]]:
    """What lies at an address: its entry by the path below the root, which is empty for a single file."""
    with answering(address):
        system.invalidate_cache()
        if system.isfile(root):
            return {"": system.info(root)}
        found = system.find(root, detail=True)
    if not found:
        raise DataFault("holds nothing", where=address, fix="check the address")
    if len(found) > MAX_FILES:
        raise DataFault(f"holds {len(found)} files, more than {MAX_FILES}", where=address, fix="pack them or split it")
    names = {path.removeprefix(root).lstrip("/"): entry for path, entry in found.items()}
    names.pop(LISTING, None)
    for name in names:
        if not name or ".." in PurePosixPath(name).parts or "\0" in name:
            raise DataFault(f"the name {name!r} leads out of it", where=address, fix="rename it")
    return dict(sorted(names.items()))


def _kept(system: Any, entry: dict[str, Any], address: str) -> Path:
    """The cached content of one remote file, fetched where it is not there yet."""
    known = _known(entry, address)
    if known is not None and known.is_file():
        with translated(known):
            kept = _object(known.read_text(encoding="ascii").strip())
        if kept.is_file():
            return kept
    with _incoming() as scratch:
        fetched = scratch / "content"
        with answering(address):
            system.get_file(entry["name"], str(fetched))
        sha256 = sha256_of_file(fetched)
        _keep(fetched, _object(sha256))
        if known is not None:
            (scratch / "known").write_text(sha256, encoding="ascii")
            _keep(scratch / "known", known)
    return _object(sha256)


@contextmanager
def _incoming() -> Iterator[Path]:
    """A folder of this process alone on the cache's disk: two runs may fetch the same at once."""
    incoming = cache_folder() / "incoming"
    with translated(incoming):
        incoming.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=incoming) as scratch:
            yield Path(scratch)


def _keep(file: Path, place: Path) -> None:
    with translated(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        renamed(file, place)


def _known(entry: dict[str, Any], address: str) -> Path | None:
    """Where the digest of a remote file is remembered; None where the store has no mark that changes with it."""
    marks = {mark: str(entry[mark]) for mark in VERSION_MARKS if entry.get(mark)}
    if not marks:
        return None
    key = digest_of([address, str(entry["name"]), int(entry.get("size") or 0), marks])
    return cache_folder() / "known" / key.removeprefix("sha256:")


def _object(sha256: str) -> Path:
    return cache_folder() / "objects" / sha256[:2] / sha256[2:]


def _show(kept: Path, place: Path) -> None:
    """A second name for a cached content, or a copy where the file system has no such thing."""
    with translated(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            place.hardlink_to(kept)
        except OSError:
            shutil.copyfile(kept, place)
