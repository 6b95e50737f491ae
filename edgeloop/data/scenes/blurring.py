"""Means over boxes, exact."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.int32]


def box_mean(pixels: Pixels, radius: int, *, axis: int) -> Pixels:
    """The mean over 2·radius + 1 neighbours along an axis; the border repeats."""
    width = [(0, 0)] * pixels.ndim
    width[axis] = (radius + 1, radius)
    sums = np.cumsum(np.pad(pixels, width, mode="edge"), axis=axis, dtype=np.int32)
    count = 2 * radius + 1
    length = sums.shape[axis]
    upper = sums.take(range(count, length), axis=axis)
    lower = sums.take(range(length - count), axis=axis)
    mean: Pixels = (upper - lower) // np.int32(count)
    return mean


def soft(pixels: Pixels, radius: int) -> Pixels:
    """The mean along rows and columns of `[3, H, W]`."""
    return box_mean(box_mean(pixels, radius, axis=1), radius, axis=2)
