"""The features of many pictures: those of `edgeloop.data.picture_features`, for small ones in a part of the time.

What takes long about a small picture is not its pixels but the calls. So small pictures of one mode and size are laid
on a sheet, one below another, and the sheet is looked at as a whole; the values are the same to the last bit.

Shapes: `N` pictures, `H` height, `W` width.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.picture_features import (
    BRIGHT,
    DARK,
    HASH_PIXELS,
    MOST_SATURATED,
    SQUARES,
    VALUES,
    PictureFeatures,
    difference_hashes,
    entropy,
    features_in,
    moments,
    refuse_endless,
    steps_of,
)
from edgeloop.data.preprocessing import decoding, opened
from edgeloop.errors import DataFault

if TYPE_CHECKING:
    from PIL import Image

SHEET_PIXELS = 1 << 17
"""A sheet is looked at when it has so many: what the processor keeps near."""
_MODES = ("RGB", "L")


@dataclass(frozen=True)
class _Small:
    """A picture that waits for its sheet.

    Args:
        place: Among all.
        picture: Decoded.
        size_bytes: Of its file.
    """

    place: int
    picture: "Image.Image"
    size_bytes: int


def features_of_many(contents: Iterable[tuple[bytes, str]]) -> list[PictureFeatures | DataFault]:
    """The features of image files, or why one cannot be read, in their order.

    Args:
        contents: Of each file, and what error messages call it; one is held at a time, and what small ones show.

    Raises:
        MissingExtra: Pillow is not installed.
    """
    found: dict[int, PictureFeatures | DataFault] = {}
    sheets: defaultdict[tuple[str, tuple[int, int]], list[_Small]] = defaultdict(list)
    count = 0
    for place, (content, where) in enumerate(contents):
        count += 1
        try:
            with decoding(where), opened(content) as picture:
                refuse_endless(picture, content)
                if _is_small(picture):
                    picture.load()
                    sheet = sheets[picture.mode, picture.size]
                    sheet.append(_Small(place, picture, len(content)))
                    if len(sheet) * picture.width * picture.height >= SHEET_PIXELS:
                        found |= _features_on(sheet)
                        sheet.clear()
                else:
                    found[place] = features_in(picture, size_bytes=len(content))
        except DataFault as fault:
            found[place] = fault
    for sheet in sheets.values():
        if sheet:
            found |= _features_on(sheet)
    return [found[place] for place in range(count)]


def _is_small(picture: "Image.Image") -> bool:
    """Whether all of its pixels are looked at by every feature: then it has its place on a sheet."""
    return picture.mode in _MODES and max(picture.size) < 2 * HASH_PIXELS


def _features_on(small: Sequence[_Small]) -> dict[int, PictureFeatures]:
    """The features of pictures of one mode and size, by their place."""
    from PIL import Image

    mode, (width, height), pixels = small[0].picture.mode, small[0].picture.size, math.prod(small[0].picture.size)
    sheet = Image.new(mode, (width, height * len(small)))
    for row, one in enumerate(small):
        sheet.paste(one.picture, (0, row * height))
    grey = _array(sheet.convert("L")).reshape(len(small), height, width)
    counts = _histograms(grey)
    saturations = [0.0] * len(small) if mode == "L" else _saturations(sheet, len(small))
    dark, bright = counts[:, :DARK].sum(axis=1).tolist(), counts[:, BRIGHT:].sum(axis=1).tolist()
    averages = zip((counts @ VALUES).tolist(), (counts @ SQUARES).tolist(), strict=True)
    means = [moments(total, squares, pixels) for total, squares in averages]
    sharp, hashes = _sharpness(grey), difference_hashes(grey)
    found = {}
    for row, one in enumerate(small):
        present = np.flatnonzero(counts[row])
        found[one.place] = PictureFeatures(
            width=width,
            height=height,
            mode=mode,
            channels=len(mode),
            size_bytes=one.size_bytes,
            mean=means[row][0],
            std=math.sqrt(means[row][1]),
            minimum=int(present[0]),
            maximum=int(present[-1]),
            entropy=entropy(counts[row, present]),
            saturation=saturations[row],
            sharpness=sharp[row] / pixels,
            dark_share=dark[row] / pixels,
            bright_share=bright[row] / pixels,
            dhash=hashes[row],
        )
    return found


def _histograms(grey: NDArray[np.uint8]) -> NDArray[np.int64]:
    """N x 256: how often each value occurs in each picture."""
    pictures = len(grey)
    places = grey.reshape(pictures, -1) + (np.arange(pictures) << 8)[:, None]
    return np.bincount(places.ravel(), minlength=pictures << 8).reshape(pictures, 256)


def _saturations(sheet: "Image.Image", pictures: int) -> list[float]:
    """The mean saturation of each picture."""
    steps = steps_of(*(_array(band) for band in sheet.split())).reshape(pictures, -1)
    all_pixels = MOST_SATURATED * steps.shape[1]
    return [total / all_pixels for total in steps.sum(axis=1, dtype=np.int64).tolist()]


def _sharpness(grey: NDArray[np.uint8]) -> list[int]:
    """The sum of the squares of the Laplacian of each picture, see `edgeloop.data.picture_features.sharpness`."""
    pixels = np.empty((grey.shape[0], grey.shape[1] + 2, grey.shape[2] + 2), dtype=np.int16)
    inner = pixels[:, 1:-1, 1:-1]
    inner[...] = grey
    pixels[:, 0, 1:-1], pixels[:, -1, 1:-1] = inner[:, 0], inner[:, -1]
    pixels[:, :, 0], pixels[:, :, -1] = pixels[:, :, 1], pixels[:, :, -2]
    laplacian = pixels[:, :-2, 1:-1] + pixels[:, 2:, 1:-1]
    laplacian += pixels[:, 1:-1, :-2]
    laplacian += pixels[:, 1:-1, 2:]
    laplacian -= inner << 2
    flat = laplacian.reshape(len(grey), -1).astype(np.float64)  # sums of whole numbers far below 2**53: none rounds
    return [int(total) for total in np.vecdot(flat, flat).tolist()]


def _array(band: "Image.Image") -> NDArray[np.uint8]:
    return np.frombuffer(band.tobytes(), dtype=np.uint8)
