"""Puts a local dataset where a cluster can read it: any address that fsspec writes.

What lies there with the same bytes already is not sent again. `edgeloop-push.json`, written last, lists the sha256 of
every file: a push that was cut off has none, or that of before, and the next one sends only what is missing.
"""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field

from edgeloop.canonical import sha256_of_file
from edgeloop.contract import Contract
from edgeloop.data.storage import LISTING, answering, file_system
from edgeloop.errors import DataFault
from edgeloop.progress import progress


class Push(Contract):
    """What a push did."""

    address: str = Field(description="for prepare_data.url")
    files: int
    sent: int = Field(description="files that were not there with these bytes")
    sent_bytes: int
    kept: int = Field(description="files that were there already")


def push(source: Path, address: str, *, dry_run: bool = False) -> Push:
    """Copies a file or a folder with all that lies below it.

    Args:
        source: What to copy. Hidden files stay here, and so does what a link names outside of the folder.
        address: Where to; a folder there, made if needed. What else lies there is left alone.
        dry_run: Looks only.

    Raises:
        DataFault: There is nothing to send.
        ServerFault: The store does not answer or refuses.
        MissingExtra: The file system of that address is not installed.
    """
    files = dict(_files(source))
    if not files:
        raise DataFault("holds no file", where=str(source), fix="name the dataset's folder")
    system, root = file_system(address)
    root = root.rstrip("/")
    listed = _listed(system, f"{root}/{LISTING}", address)
    digests, sent, sent_bytes = {}, 0, 0
    with progress("push", len(files)) as advance:
        for name, path in files.items():
            digests[name] = sha256_of_file(path)
            if listed.get(name) != digests[name] or not _is_there(system, f"{root}/{name}", path, address):
                if not dry_run:
                    _send(system, path, f"{root}/{name}", address)
                sent, sent_bytes = sent + 1, sent_bytes + path.stat().st_size
            advance(1, name)
    if not dry_run and {**listed, **digests} != listed:
        with answering(address):
            system.pipe_file(f"{root}/{LISTING}", _text({**listed, **digests}))
    return Push(address=address, files=len(files), sent=sent, sent_bytes=sent_bytes, kept=len(files) - sent)


def _files(source: Path) -> Iterator[tuple[str, Path]]:
    """Every visible regular file by its name at the address, sorted."""
    if source.is_file():
        yield source.name, source
        return
    inside = source.resolve()
    for parent, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent) / name
            regular = path.exists() and stat.S_ISREG(path.stat().st_mode)
            if regular and not name.startswith(".") and path.resolve().is_relative_to(inside):
                yield path.relative_to(source).as_posix(), path


def _listed(system: Any, listing: str, address: str) -> dict[str, str]:
    """The digests that an earlier push left there; none where it left none, or nothing that can be read."""
    with answering(address):
        if not system.exists(listing):
            return {}
        content = system.cat_file(listing)
    try:
        files = json.loads(content)["files"]
        return {str(name): str(digest) for name, digest in files.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def _is_there(system: Any, remote: str, path: Path, address: str) -> bool:
    with answering(address):
        return bool(system.exists(remote) and system.size(remote) == path.stat().st_size)


def _send(system: Any, path: Path, remote: str, address: str) -> None:
    with answering(address):
        system.makedirs(remote.rpartition("/")[0], exist_ok=True)
        system.put_file(str(path), remote)


def _text(digests: dict[str, str]) -> bytes:
    return (json.dumps({"format": 1, "files": dict(sorted(digests.items()))}, indent=1) + "\n").encode()
