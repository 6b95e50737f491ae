"""Packed samples: zip archives whose bytes depend on nothing but the samples and their order."""

import os
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from edgeloop.errors import translated

SHARD_BYTES = 256 << 20
"""A new shard is begun when one holds this much."""

_NO_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that the format can say
_PLAIN_FILE = 0o644 << 16


@dataclass(frozen=True)
class Packed:
    """A content in a shard.

    Args:
        uri: Relative to the dataset folder.
        path: Of the shard, as long as that folder is where it was when it was packed.
        start: Of the content in the shard's file, which is stored as it is.
        size_bytes: Of the content.
    """

    uri: str
    path: Path
    start: int
    size_bytes: int

    def read(self) -> bytes:
        """The content, once the shards are closed; in any process of this machine.

        Raises:
            InputFault: The shard is gone.
        """
        with translated(self.path), self.path.open("rb") as file:
            return os.pread(file.fileno(), self.size_bytes, self.start)


class Shards:
    """Packs contents, in the order given, into `shards/0000.zip` and so on, stored without compression.

    Used as a context manager; nothing can be read before its end.

    Args:
        folder: The dataset folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._open = folder, ExitStack()
        self._shard: zipfile.ZipFile | None = None
        self._number, self._size_bytes = -1, SHARD_BYTES

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def packed(self, sample_id: str, content: bytes) -> Packed:
        """Packs one content."""
        if self._size_bytes >= SHARD_BYTES:
            self._begin()
        assert self._shard is not None and self._shard.fp is not None
        member = quote(sample_id)
        self._shard.writestr(_entry(member), content)
        self._size_bytes += len(content)
        name = f"shards/{self._number:04d}.zip"
        start = self._shard.fp.tell() - len(content)
        return Packed(f"zip://{member}::{name}", self._folder / name, start, len(content))

    def _begin(self) -> None:
        self._open.close()
        self._number, self._size_bytes = self._number + 1, 0
        self._shard = self._open.enter_context(_new_shard(self._folder / "shards" / f"{self._number:04d}.zip"))


def _new_shard(path: Path) -> zipfile.ZipFile:
    path.parent.mkdir(exist_ok=True)
    return zipfile.ZipFile(path, "w", zipfile.ZIP_STORED)


def _entry(member: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(member, date_time=_NO_DATE)
    entry.create_system = 3  # Unix, also where it is not: the same bytes everywhere
    entry.external_attr = _PLAIN_FILE
    return entry
