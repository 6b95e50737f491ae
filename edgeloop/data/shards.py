"""Packed samples: zip archives whose bytes depend on nothing but the samples."""

import zipfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

SHARD_BYTES = 256 << 20
"""A new shard is begun when one holds this much."""

_NO_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that the format can say
_PLAIN_FILE = 0o644 << 16


def packed(samples: Iterable[tuple[str, bytes]], folder: Path) -> dict[str, str]:
    """Packs contents, in the order given, into `shards/0000.zip` and so on, stored without compression.

    Args:
        samples: Id and bytes of each.
        folder: The dataset folder.

    Returns:
        The uri of each id, relative to `folder`.
    """
    uris: dict[str, str] = {}
    with ExitStack() as open_shard:
        size_bytes, number, shard = SHARD_BYTES, -1, None
        for sample_id, content in samples:
            if shard is None or size_bytes >= SHARD_BYTES:
                open_shard.close()
                size_bytes, number = 0, number + 1
                shard = open_shard.enter_context(_new_shard(folder / "shards" / f"{number:04d}.zip"))
            member = quote(sample_id)
            shard.writestr(_entry(member), content)
            uris[sample_id] = f"zip://{member}::shards/{number:04d}.zip"
            size_bytes += len(content)
    return uris


def _new_shard(path: Path) -> zipfile.ZipFile:
    path.parent.mkdir(exist_ok=True)
    return zipfile.ZipFile(path, "w", zipfile.ZIP_STORED)


def _entry(member: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(member, date_time=_NO_DATE)
    entry.create_system = 3  # Unix, also where it is not: the same bytes everywhere
    entry.external_attr = _PLAIN_FILE
    return entry
