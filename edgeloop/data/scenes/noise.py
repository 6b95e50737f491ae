"""Two fixed surfaces of noise that textures, clouds and hills are cut from."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.scenes.dice import Dice

PERIOD = 512
"""After how many pixels they repeat."""

LARGEST_SIDE = 1024
"""The largest square that can be cut out, from any corner below `PERIOD`."""

_SEED = 20_231_107


@cache
def grain() -> NDArray[np.int16]:
    """Leaves, plaster and gravel: -128 to 127, uneven over 2 to 16 pixels."""
    return _tiled(_sum(((2, 60), (4, 90), (16, 50))))


@cache
def swell() -> NDArray[np.int16]:
    """Clouds and stains: -128 to 127, uneven over 16 to 128 pixels."""
    return _tiled(_sum(((16, 30), (32, 50), (64, 70), (128, 70))))


def _sum(octaves: tuple[tuple[int, int], ...]) -> NDArray[np.int64]:
    """Surfaces of the given cell sizes in pixels and strengths, added."""
    total = np.zeros((PERIOD, PERIOD), dtype=np.int64)
    for cell, strength in octaves:
        total += _surface(cell) * strength >> 7
    return total


def _surface(cell: int) -> NDArray[np.int64]:
    """-128 to 127 at the corners of cells, linear between them, periodic."""
    corners = Dice(_SEED, cell).octets(PERIOD // cell, PERIOD // cell).astype(np.int64) - 128
    return _stretched(_stretched(corners, cell).T, cell).T


def _stretched(rows: NDArray[np.int64], cell: int) -> NDArray[np.int64]:
    share = np.arange(cell)[None, :, None]
    values = (rows[:, None] * (cell - share) + np.roll(rows, -1, axis=0)[:, None] * share) // cell
    return values.reshape(-1, rows.shape[1])


def _tiled(surface: NDArray[np.int64]) -> NDArray[np.int16]:
    repeats = -(-(PERIOD + LARGEST_SIDE) // PERIOD)
    return np.tile(np.clip(surface, -128, 127), (repeats, repeats)).astype(np.int16)
