"""Folders of small pictures, and the faults that are planted in them."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CLASSES = {"cat": 20, "dog": 15, "owl": 12}


def write_picture(path: Path, seed: int, side: int = 12) -> None:
    """A grey picture whose bytes no other seed has."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def declared_png(width: int, height: int) -> bytes:
    """A few bytes that declare a picture of that size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def write_classes(root: Path) -> Path:
    """47 pictures in three classes, some of them a folder deeper."""
    seed = 0
    for name, count in CLASSES.items():
        for number in range(count):
            place = root / name / ("deep" if number % 5 == 0 else "") / f"{number:02d}.png"
            write_picture(place, seed)
            seed += 1
    return root


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_classes(tmp_path / "pictures")


@pytest.fixture
def png():
    """`declared_png`."""
    return declared_png


@pytest.fixture
def picture():
    """`write_picture`."""
    return write_picture
