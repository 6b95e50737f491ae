"""What is looked at in one picture without knowing what it shows.

Everything is of the picture as training sees it (`edgeloop.data.preprocessing`): the first frame, not turned as EXIF
asks, transparency ignored, 16 bits cut off at 255. The *grey picture* is that in Pillow's mode L, 0..255.

Every statistic follows from whole-number sums by additions, multiplications, divisions and square roots of 64-bit
floats alone, which round alike everywhere, so it is the same on every CPU; no logarithm of the C library is used.

Shapes: `H` height, `W` width.
"""

import math
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.features import Column
from edgeloop.data.preprocessing import decoding, opened

if TYPE_CHECKING:
    from PIL import Image

DARK, BRIGHT = 16, 240
"""Grey values below the first are dark, from the second on bright."""

SATURATION_PIXELS = 1 << 14
"""The most pixels whose saturation is looked at."""

HASH_PIXELS = 64
"""A side of the grey picture is averaged down to fewer than twice as many pixels before it is hashed."""

MAX_SCANS = 500
"""A progressive JPEG with more scans is refused: each of a few bytes costs a pass over the whole picture."""

COLUMNS: tuple[Column, ...] = (
    Column("width", "int", "pixels, as stored"),
    Column("height", "int", "pixels, as stored"),
    Column("mode", "text", "colour mode of the file"),
    Column("channels", "int", "of the file, alpha included; those of its colours where it has a palette"),
    Column("size_bytes", "int", "of the file"),
    Column("mean", "float", "of the grey picture, 0..255"),
    Column("std", "float", "of the grey picture, 0..255"),
    Column("minimum", "int", "of the grey picture, 0..255"),
    Column("maximum", "int", "of the grey picture, 0..255"),
    Column("entropy", "float", "of the histogram of the grey picture, bits, 0..8"),
    Column("saturation", "float", "mean of HSV saturation, 0..1; 0 for grey"),
    Column("sharpness", "float", "variance of the 4-neighbour Laplacian of the grey picture"),
    Column("dark_share", "float", f"pixels of the grey picture below {DARK} / all, 0..1", compared=False),
    Column("bright_share", "float", f"pixels of the grey picture from {BRIGHT} on / all, 0..1", compared=False),
    Column("dhash", "text", "64-bit difference hash of the grey picture, 16 hex digits"),
)


@dataclass(frozen=True)
class PictureFeatures:
    """COLUMNS of one picture."""

    width: int
    height: int
    mode: str
    channels: int
    size_bytes: int
    mean: float
    std: float
    minimum: int
    maximum: int
    entropy: float
    saturation: float
    sharpness: float
    dark_share: float
    bright_share: float
    dhash: str


def picture_features(content: bytes, *, where: str) -> PictureFeatures:
    """The features of an image file.

    Raises:
        DataFault: It cannot be read as an image.
        MissingExtra: Pillow is not installed.
    """
    with decoding(where), opened(content) as picture:
        refuse_endless(picture, content)
        return features_in(picture, size_bytes=len(content))


def features_in(picture: "Image.Image", *, size_bytes: int) -> PictureFeatures:
    """The features of a picture, which is decoded here, in a file of that size."""
    grey = picture.convert("L")
    coloured = _in_colour(_sampled(picture)) if _channels(picture) > 2 else None
    values = _array(grey)
    counts = np.array(grey.histogram())
    present = np.flatnonzero(counts)
    total, pixels = int(counts @ VALUES), grey.width * grey.height
    mean, variance = moments(total, int(counts @ SQUARES), pixels)
    return PictureFeatures(
        width=grey.width,
        height=grey.height,
        mode=picture.mode,
        channels=_channels(picture),
        size_bytes=size_bytes,
        mean=mean,
        std=math.sqrt(variance),
        minimum=int(present[0]),
        maximum=int(present[-1]),
        entropy=entropy(counts[present]),
        saturation=0.0 if coloured is None else saturation(coloured),
        sharpness=sharpness(values),
        dark_share=int(counts[:DARK].sum()) / pixels,
        bright_share=int(counts[BRIGHT:].sum()) / pixels,
        dhash=_dhash(grey, values),
    )


VALUES = np.arange(256)
SQUARES = VALUES * VALUES


def moments(total: int, total_of_squares: int, count: int) -> tuple[float, float]:
    """Mean and variance from whole-number sums; only the last division rounds."""
    return total / count, (count * total_of_squares - total * total) / (count * count)


def entropy(counts: NDArray[np.int64]) -> float:
    """Shannon entropy in bits of a histogram: the sum of `-p·log2(p)` with `p = count / all`.

    Args:
        counts: Of the values that occur; none is 0.
    """
    total = int(counts.sum())
    if total < _SMALL:
        table = _small_log2()
        return float(table[total]) - math.fsum((counts * table.take(counts)).tolist()) / total
    return float(_log2(np.array([total]))[0]) - math.fsum((counts * _log2(counts)).tolist()) / total


_SMALL = 1 << 16


@cache
def _small_log2() -> NDArray[np.float64]:
    """The binary logarithms of the numbers below _SMALL, at their places; at 0 that of 1."""
    return _log2(np.maximum(np.arange(_SMALL), 1))


def _log2(numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Binary logarithms, right to 1e-12, by `ln(m) = 2·(s + s³/3 + s⁵/5 + …)` with `s = (m - 1) / (m + 1)`."""
    fractions, exponents = np.frexp(numbers.astype(np.float64))  # 0.5 <= fraction < 1
    s = (fractions - _ROOT) / (fractions + _ROOT)  # |s| < 0.172
    squares = s * s
    series = np.full_like(s, 1 / 17)
    for odd in range(15, 0, -2):
        series *= squares
        series += 1 / odd
    return exponents + (s * series * _TWICE_LOG2_E - 0.5)


_ROOT = math.sqrt(0.5)
_TWICE_LOG2_E = 2.8853900817779268


def saturation(coloured: "Image.Image") -> float:
    """The mean saturation of the pixels of an RGB picture.

    That of a pixel is `(largest - smallest) / largest` of red, green and blue, as the nearest of 65,536 steps (half a
    step goes up), and 0 where all three are 0.
    """
    steps = steps_of(*(_array(band).ravel() for band in coloured.split()))
    return int(steps.sum(dtype=np.int64)) / (MOST_SATURATED * steps.size)


MOST_SATURATED = 65535


def steps_of(red: NDArray[np.uint8], green: NDArray[np.uint8], blue: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """The saturation of pixels, in steps of 1/MOST_SATURATED."""
    largest = np.maximum(np.maximum(red, green), blue)
    smallest = np.minimum(np.minimum(red, green), blue)
    return _saturation_steps().take(np.left_shift(largest, 8, dtype=np.uint16) | smallest)


@cache
def _saturation_steps() -> NDArray[np.uint16]:
    """At `largest * 256 + smallest`, in steps of 1/65535."""
    largest, smallest = np.maximum(VALUES, 1)[:, None], VALUES[None, :]
    range_ = np.maximum(largest - smallest, 0)
    steps: NDArray[np.uint16] = ((2 * 65535 * range_ + largest) // (2 * largest)).astype(np.uint16)
    steps[0] = 0
    return steps.ravel()


def _in_colour(picture: "Image.Image") -> "Image.Image":
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _sampled(picture: "Image.Image") -> "Image.Image":
    """Every k-th pixel of every k-th row from k // 2 on, with the smallest k that leaves SATURATION_PIXELS at most."""
    width, height = picture.size
    if width * height <= SATURATION_PIXELS:
        return picture
    step = next(k for k in count(2) if max(1, width // k) * max(1, height // k) <= SATURATION_PIXELS)
    columns, rows = max(1, width // step), max(1, height // step)
    from PIL import Image

    box = (0, 0, min(width, columns * step), min(height, rows * step))
    return picture.resize((columns, rows), Image.Resampling.NEAREST, box=box)


def sharpness(grey: NDArray[np.uint8]) -> float:
    """The variance of the 4-neighbour Laplacian of a grey picture of shape H, W (Pech-Pacheco et al., 2000).

    At the border the missing neighbour equals the pixel itself, so each step between neighbours is added once and
    subtracted once, and the mean of the Laplacian is 0.
    """
    height, width = grey.shape
    rows = max(1, _STRIP_PIXELS // width)
    strips = ((top, min(height, top + rows)) for top in range(0, height, rows))
    return sum(_squares_of_laplacian(grey, top, bottom) for top, bottom in strips) / int(grey.size)


_STRIP_PIXELS = 1 << 17
"""So many are looked at at once: what the processor keeps near."""


def _squares_of_laplacian(grey: NDArray[np.uint8], top: int, bottom: int) -> int:
    """The sum over the rows from `top` to before `bottom`."""
    height, width = grey.shape
    pixels = np.empty((bottom - top + 2, width + 2), dtype=np.int16)  # the Laplacian of 0..255 lies in -1020..1020
    inner = pixels[1:-1, 1:-1]
    inner[...] = grey[top:bottom]
    pixels[0, 1:-1], pixels[-1, 1:-1] = grey[max(0, top - 1)], grey[min(bottom, height - 1)]
    pixels[:, 0], pixels[:, -1] = pixels[:, 1], pixels[:, -2]
    laplacian = pixels[:-2, 1:-1] + pixels[2:, 1:-1]
    laplacian += pixels[1:-1, :-2]
    laplacian += pixels[1:-1, 2:]
    laplacian -= inner << 2
    flat = laplacian.astype(np.float64)  # sums of whole numbers stay far below 2**53, so none rounds
    return int(np.vecdot(flat, flat).sum())


def dhash(grey: "Image.Image") -> str:
    """The difference hash of a grey picture (Krawetz, "Kind of Like That", 2013), as 16 hex digits.

    8 rows of 9 cells; a bit is 1 where the mean of a cell is less than that of the cell to its right, the first row
    first, the left bit the highest. Cell i of n covers the pixels from floor(i·size / n) to ceil((i + 1)·size / n), the
    last not included. A side of at least twice HASH_PIXELS is averaged down by the whole factor size // HASH_PIXELS
    before, each average cut off or rounded to a whole number as Pillow's `Image.reduce` does.
    """
    return _dhash(grey, _array(grey))


def _dhash(grey: "Image.Image", pixels: NDArray[np.uint8]) -> str:
    """The hash of a grey picture whose pixels, of shape H, W, are known already."""
    factors = max(1, grey.width // HASH_PIXELS), max(1, grey.height // HASH_PIXELS)
    small = pixels if factors == (1, 1) else _array(grey.reduce(factors))
    return difference_hashes(small[None])[0]


def difference_hashes(small: NDArray[np.uint8]) -> list[str]:
    """The difference hashes of grey pictures of shape N, H, W, whose sides need no averaging down."""
    across = small.astype(np.float64) @ _differences(small.shape[2])  # whole numbers: none rounds
    bits = np.packbits(_rows(small.shape[1]) @ across > 0, axis=None).tobytes()
    return [bits[start : start + 8].hex() for start in range(0, len(bits), 8)]


@cache
def _rows(height: int) -> NDArray[np.float64]:
    """8 x H: adds up the rows of each row of cells."""
    return _cells(height, 8)


@cache
def _differences(width: int) -> NDArray[np.float64]:
    """W x 8: the mean of a cell subtracted from that of the cell to its right, times the pixels of both."""
    cells = _cells(width, 9)
    counts = cells.sum(axis=1, keepdims=True)
    return np.ascontiguousarray((cells[1:] * counts[:-1] - cells[:-1] * counts[1:]).T)


def _cells(size: int, cells: int) -> NDArray[np.float64]:
    """`cells` x `size`: 1 where the cell covers the pixel."""
    number, pixel = np.arange(cells)[:, None], np.arange(size)
    covered = (pixel >= number * size // cells) & (pixel < -(-(number + 1) * size // cells))
    return covered.astype(np.float64)


def _array(grey: "Image.Image") -> NDArray[np.uint8]:
    return np.frombuffer(grey.tobytes(), dtype=np.uint8).reshape(grey.height, grey.width)


def _channels(picture: "Image.Image") -> int:
    if picture.mode == "P" and picture.palette is not None:
        return len(picture.palette.mode)
    return len(picture.getbands())


def refuse_endless(picture: "Image.Image", content: bytes) -> None:
    """Raises `ValueError` where decoding it would hardly end."""
    if picture.format in ("JPEG", "MPO") and (scans := content.count(b"\xff\xda")) > MAX_SCANS:
        raise ValueError(f"{scans} scans, more than {MAX_SCANS}")
