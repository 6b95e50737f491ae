"""A registry in a plain folder: for one machine, a shared disk or an air-gapped site.

`EDGELOOP_REGISTRY_FOLDER` names it, `.edgeloop/registry` by default:

    <name>/.lock
    <name>/aliases.json             alias → version
    <name>/<version>/bundle/        the bundle
    <name>/<version>/tags.json

A version is a folder that appears by one rename. Writers of one name wait for each other.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from edgeloop.bundle import Bundle, copy_bundle
from edgeloop.canonical import sha256_of_file
from edgeloop.errors import InputFault, ServerFault, translated
from edgeloop.files import read_json, whole_folder, write_json
from edgeloop.lineage.manifest import LINEAGE_FILE, read_manifest
from edgeloop.registries import RegisteredVersion, refuse_moved, refuse_odd_alias, unknown_version

VARIABLE = "EDGELOOP_REGISTRY_FOLDER"
DEFAULT = Path(".edgeloop/registry")


class FolderRegistry:
    """See the module; the verbs are those of `edgeloop.registries.Registry`."""

    def push(self, bundle: Bundle, name: str, *, tags: Mapping[str, str]) -> RegisteredVersion:
        """See the protocol."""
        with _locked(name) as home:
            if (existing := self.find(name, bundle.manifest.subject_digest)) is not None:
                Bundle.open(home / existing.version / "bundle")
                return existing
            version = str(max(_numbers(home), default=0) + 1)
            with whole_folder(home / version) as partial:
                copy_bundle(bundle, partial / "bundle")
                write_json(partial / "tags.json", dict(sorted(tags.items())))
        return _version(home, version)

    def promote(self, name: str, alias: str, version: str, *, expected: str | None = None) -> None:
        """See the protocol."""
        with _locked(name) as home:
            if version not in map(str, _numbers(home)):
                raise unknown_version(name, version)
            refuse_odd_alias(name, alias)
            aliases = _aliases(home)
            if (now := aliases.get(alias, "")) != version:
                refuse_moved(name, alias, now=now, expected=expected)
                write_json(home / "aliases.json", dict(sorted({**aliases, alias: version}.items())))

    def versions(self, name: str) -> tuple[RegisteredVersion, ...]:
        """See the protocol."""
        home = _home(name)
        return tuple(_version(home, str(number)) for number in sorted(_numbers(home)))

    def find(self, name: str, subject_digest: str) -> RegisteredVersion | None:
        """See the protocol."""
        return next((version for version in self.versions(name) if version.subject_digest == subject_digest), None)

    def fetch(self, name: str, ref: str, folder: Path) -> Bundle:
        """See the protocol."""
        home = _home(name)
        version = _aliases(home).get(ref, ref)
        if version not in map(str, _numbers(home)):
            raise unknown_version(name, ref)
        stored = Bundle.open(home / version / "bundle")
        with whole_folder(folder) as partial:
            fetched = copy_bundle(stored, partial)
        return Bundle(folder=folder, manifest=fetched.manifest)


def _home(name: str) -> Path:
    root = Path(os.environ.get(VARIABLE) or DEFAULT).absolute()
    if not name or Path(name).name != name or name.startswith("."):
        raise InputFault("is no name of a model", where=repr(name), fix="use letters, digits, '.', '_' and '-'")
    return root / name


@contextmanager
def _locked(name: str) -> Iterator[Path]:
    """The folder of a model, for one writer at a time; the lock goes with the process, however it ends."""
    home = _home(name)
    with translated(home):
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / ".lock").open("w", encoding="utf-8")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            raise ServerFault(
                f"cannot be locked ({error.strerror})", where=str(home), fix="use a disk that supports locks"
            ) from error
        yield home


def _numbers(home: Path) -> list[int]:
    return [int(path.name) for path in home.iterdir() if path.name.isdecimal()] if home.is_dir() else []


def _aliases(home: Path) -> dict[str, str]:
    path = home / "aliases.json"
    return dict(read_json(path)) if path.is_file() else {}


def _version(home: Path, version: str) -> RegisteredVersion:
    lineage = home / version / "bundle" / LINEAGE_FILE
    return RegisteredVersion(
        name=home.name,
        version=version,
        uri=(home / version).as_uri(),
        subject_digest=read_manifest(lineage).subject_digest,
        lineage_sha256=sha256_of_file(lineage),
        aliases=tuple(alias for alias, target in _aliases(home).items() if target == version),
        tags=read_json(home / version / "tags.json"),
    )


plugin = FolderRegistry()
