"""PNG that is the same bytes wherever it is written.

An encoder's deflate differs between implementations, down to how it cuts stored data into blocks. So the blocks are
laid here: no filter, no compression, each of the largest size that the format knows.

Source: W3C, Portable Network Graphics (PNG) Specification, second edition; RFC 1950 and RFC 1951.
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_BLOCK_BYTES = 65_535
_TRUE_COLOUR = 2


def png(pixels: NDArray[np.uint8]) -> bytes:
    """The picture `[H, W, 3]` as a file."""
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + width * 3), dtype=np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, _TRUE_COLOUR, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", _stored(rows.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _stored(data: bytes) -> bytes:
    """`data` as a zlib stream of stored blocks."""
    parts = [b"\x78\x01"]
    for start in range(0, len(data), _BLOCK_BYTES):
        block = data[start : start + _BLOCK_BYTES]
        last = start + _BLOCK_BYTES >= len(data)
        parts += [struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF), block]
    return b"".join((*parts, struct.pack(">I", zlib.adler32(data))))
