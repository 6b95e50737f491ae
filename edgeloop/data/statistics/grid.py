"""Cells over the values of a column, by the order of whole numbers.

Doubles are ordered as whole numbers of 64 bits, their *keys*. As the keys of a double grow with its exponent, cells are
fine near zero and coarse far from it, and no value lies too far outside; all that is much nearer to zero than the rest
shares a cell.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.statistics.table import BLOCK

_GRID_BITS = 14
_BINADES = 24
GREATEST = np.int64(2**63 - 1)
"""No key is greater."""


@dataclass(frozen=True)
class Cell:
    """A part of a column: its values with neighbouring keys.

    Args:
        first: The least of these keys.
        last: The greatest.
        below: The values of the column below it.
        count: The values in it.
    """

    first: int
    last: int
    below: int
    count: int

    @property
    def is_one_value(self) -> bool:
        """Whether all its values are equal."""
        return self.first == self.last


class Grid:
    """At most 2**_GRID_BITS cells over the keys of a whole column; it lends arrays that the next block overwrites."""

    def __init__(self, first: int, last: int) -> None:
        greatest = max(abs(value_of(first)), abs(value_of(last)))
        self._near = key_of(math.ldexp(greatest, -_BINADES))  # as much to both sides of zero is one
        self._span = first, last
        self._low = self._drawn(first)
        drawn = self._drawn(last) - self._low
        self._width = max(0, drawn.bit_length() - _GRID_BITS)
        self.cells = (drawn >> self._width) + 1
        self._lent = np.empty((2, BLOCK), np.int64)

    def _drawn(self, key: int) -> int:
        return key - min(max(key, -self._near), self._near)

    def place(self, key: int) -> int:
        """The cell of a key."""
        return (self._drawn(key) - self._low) >> self._width

    def placed(self, block: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The keys of values, and the cell of each."""
        keys, places = self._lent[:, : block.size]
        np.add(block, 0.0, out=keys.view(np.float64))  # of two zeros one
        if self._span[0] < 0:
            np.right_shift(keys, 63, out=places)
            places &= GREATEST
            keys ^= places
            np.clip(keys, -self._near, self._near, out=places)
            np.subtract(keys, places, out=places)
            places -= self._low
        else:
            np.maximum(keys, self._near, out=places)
            places -= self._near + self._low
        offsets = places.view(np.uint64)
        offsets >>= np.uint64(self._width)
        np.minimum(offsets, np.uint64(self.cells - 1), out=offsets)
        return keys, places

    def cell(self, place: int, *, below: int, count: int) -> Cell:
        """The cell at a place, by the values below it and in it."""
        first = self._low + (place << self._width)
        last = first + (1 << self._width) - 1
        first = first + self._near if first > 0 else first - self._near
        last = last - self._near if last < 0 else last + self._near
        return Cell(max(first, self._span[0]), min(last, self._span[1]), below, count)


def key_of(value: float) -> int:
    """A whole number of 64 bits that orders like the value, a negative zero like a positive one."""
    bits = int(np.float64(value + 0.0).view(np.int64))
    return bits ^ int(GREATEST) if bits < 0 else bits


def value_of(key: int) -> float:
    """The value that has a key."""
    return float(np.int64(key ^ int(GREATEST) if key < 0 else key).view(np.float64))
