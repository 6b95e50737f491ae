"""What is looked at in a picture without knowing what it shows.

Every statistic is computed from whole-number sums, so it is the same on every CPU. Shapes: `H` height, `W` width.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.features import Column, Value
from edgeloop.data.preprocessing import decoding, opened
from edgeloop.data.sources import RawSample

COLUMNS = (
    Column("width", "int", "pixels"),
    Column("height", "int", "pixels"),
    Column("mode", "text", "colour mode of the file"),
    Column("size_bytes", "int", "of the file"),
    Column("mean", "float", "of the grey picture, 0..255"),
    Column("std", "float", "of the grey picture, 0..255"),
    Column("minimum", "int", "of the grey picture, 0..255"),
    Column("maximum", "int", "of the grey picture, 0..255"),
    Column("sharpness", "float", "variance of the 4-neighbour Laplacian of the grey picture"),
)


@dataclass(frozen=True)
class ImageFeatures:
    """COLUMNS of one picture."""

    width: int
    height: int
    mode: str
    size_bytes: int
    mean: float
    std: float
    minimum: int
    maximum: int
    sharpness: float


def image_features(content: bytes, *, where: str) -> ImageFeatures:
    """The features of an image file.

    Raises:
        DataFault: It cannot be read as an image.
        MissingExtra: Pillow is not installed.
    """
    with decoding(where), opened(content) as picture:
        mode, (width, height) = picture.mode, picture.size
        grey = np.asarray(picture.convert("L"))
    counts = np.bincount(grey.ravel(), minlength=256)
    values = np.arange(256)
    present = np.flatnonzero(counts)
    mean, variance = _moments(int(counts @ values), int(counts @ (values * values)), grey.size)
    return ImageFeatures(
        width=width,
        height=height,
        mode=mode,
        size_bytes=len(content),
        mean=mean,
        std=variance**0.5,
        minimum=int(present[0]),
        maximum=int(present[-1]),
        sharpness=sharpness(grey),
    )


def sharpness(grey: NDArray[np.uint8]) -> float:
    """The variance of the 4-neighbour Laplacian of a grey picture of shape H, W (Pech-Pacheco et al., 2000).

    At the border the missing neighbour equals the pixel itself.
    """
    pixels = grey.astype(np.int16)  # the Laplacian of 0..255 lies in -1020..1020
    laplacian = np.zeros_like(pixels)
    for axis in (0, 1):
        steps = np.diff(pixels, axis=axis)
        before, after = laplacian.swapaxes(0, axis)[:-1], laplacian.swapaxes(0, axis)[1:]
        before += steps.swapaxes(0, axis)
        after -= steps.swapaxes(0, axis)
    flat = laplacian.ravel().astype(np.int64)
    return _moments(int(flat.sum()), int(flat @ flat), flat.size)[1]


def _moments(total: int, total_of_squares: int, count: int) -> tuple[float, float]:
    """Mean and variance from whole-number sums; only the last division rounds."""
    return total / count, (count * total_of_squares - total * total) / (count * count)


class Image:
    """See `edgeloop.data.features.Features`."""

    columns = COLUMNS

    def read(self, content: bytes, sample: RawSample) -> Mapping[str, Value]:
        """A value for every column.

        Raises:
            DataFault: It cannot be read as an image.
        """
        return asdict(image_features(content, where=sample.id))


plugin = Image()
