"""Exact order statistics of a column that does not fit into memory, and the quantiles and bins made of them.

Doubles are ordered as whole numbers of 64 bits, their *keys*. A grid of cells is laid over the span of the keys and the
values in each cell are counted; a cell that holds a wanted rank is cut again, until so few values are left that they
can be collected. Each round reads the column once: two do for most columns, and none needs more than eight. As the keys
of a double grow with its exponent, cells are fine near zero and coarse far from it, and no value lies too far outside;
all that is much nearer to zero than the rest shares a cell.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_GRID_BITS = 16
_CELL_BITS = 12
_BINADES = 24
COLLECTED = 1 << 20
"""Values of the open cells that are collected at once, whatever the size of the table."""

Blocks = Callable[[], Iterable[NDArray[np.float64]]]
"""Reads the finite values of a column, some at a time."""


@dataclass(frozen=True)
class Rung:
    """The value at a rank.

    Args:
        value: Of the column.
        below: Values that are less than it.
        through: Values that are not greater than it.
    """

    value: float
    below: int
    through: int


@dataclass(frozen=True)
class _Cell:
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
        return self.first == self.last


class _Grid:
    """At most 2**_GRID_BITS cells over the keys of a whole column."""

    def __init__(self, first: int, last: int) -> None:
        greatest = max(abs(_number(first)), abs(_number(last)))
        self._near = int(_keys(np.array([math.ldexp(greatest, -_BINADES)]))[0])  # as much to both sides of zero is one
        self._span = first, last
        self._low = self._drawn(first)
        drawn = self._drawn(last) - self._low
        self._width = max(0, drawn.bit_length() - _GRID_BITS)
        self.cells = (drawn >> self._width) + 1

    def _drawn(self, key: int) -> int:
        return key - min(max(key, -self._near), self._near)

    def place(self, key: int) -> int:
        """The cell of a key."""
        return (self._drawn(key) - self._low) >> self._width

    def places(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The cells of keys."""
        drawn = keys - np.clip(keys, -self._near, self._near)
        offsets = drawn.view(np.uint64)
        offsets -= np.uint64(self._low % (1 << 64))
        offsets >>= np.uint64(self._width)
        return np.minimum(offsets, np.uint64(self.cells - 1), out=offsets).view(np.int64)

    def parts(self, counts: NDArray[np.int64]) -> Iterator[_Cell]:
        """The cells that hold values, by the values in each."""
        below = np.cumsum(counts) - counts
        for place in np.flatnonzero(counts).tolist():
            first = self._low + (place << self._width)
            last = first + (1 << self._width) - 1
            first = first + self._near if first > 0 else first - self._near
            last = last - self._near if last < 0 else last + self._near
            first, last = max(first, self._span[0]), min(last, self._span[1])
            yield _Cell(first, last, int(below[place]), int(counts[place]))


def order_statistics(
    blocks: Blocks, *, ranks: Iterable[int], minimum: float, maximum: float, count: int
) -> dict[int, Rung]:
    """The values at `ranks`.

    Args:
        blocks: Called for every round; not at all where all values are equal.
        ranks: From 0 for the least to `count - 1`.
        minimum: Of the values.
        maximum: Likewise.
        count: The values.
    """
    low, high = (int(key) for key in _keys(np.array([minimum, maximum])))
    grid = _Grid(low, high)
    wanted = sorted(set(ranks))
    cells = [_Cell(low, high, 0, count)]
    if count > COLLECTED and low < high:
        cells = _counted(blocks, grid)
    rungs: dict[int, Rung] = {}
    while wanted:
        held = _held(cells, wanted)
        rungs |= {rank: _rung(cell) for cell, inside in held if cell.is_one_value for rank in inside}
        held = [(cell, inside) for cell, inside in held if not cell.is_one_value]
        if held and sum(cell.count for cell, _ in held) <= COLLECTED:
            return rungs | _collected(blocks, grid, held)
        wanted = [rank for _, inside in held for rank in inside]
        if wanted:
            cells = _cut(blocks, grid, [cell for cell, _ in held])
    return rungs


def _held(cells: Sequence[_Cell], wanted: Sequence[int]) -> list[tuple[_Cell, list[int]]]:
    """The cells that hold wanted ranks, with these; both ascend."""
    held: dict[int, list[int]] = {}
    starts = [cell.below for cell in cells]
    for rank in wanted:
        held.setdefault(bisect_right(starts, rank) - 1, []).append(rank)
    return [(cells[place], inside) for place, inside in held.items()]


def _rung(cell: _Cell) -> Rung:
    """Of a cell with one value."""
    return Rung(_number(cell.first), cell.below, cell.below + cell.count)


def _collected(blocks: Blocks, grid: _Grid, held: Sequence[tuple[_Cell, list[int]]]) -> dict[int, Rung]:
    """The values at the ranks inside the cells, all of whose values are held at once."""
    found = [keys for _, keys in _inside(blocks, grid, [cell for cell, _ in held])]
    keys = np.sort(np.concatenate(found))
    rungs: dict[int, Rung] = {}
    start = 0
    for cell, ranks in held:
        own = keys[start : start + cell.count]
        start += cell.count
        for rank in ranks:
            key = own[rank - cell.below]
            below, through = (cell.below + int(np.searchsorted(own, key, side)) for side in ("left", "right"))
            rungs[rank] = Rung(_number(int(key)), below, through)
    return rungs


def _counted(blocks: Blocks, grid: _Grid) -> list[_Cell]:
    """The cells of the grid that hold values."""
    counts = np.zeros(grid.cells, np.int64)
    for block in blocks():
        counts += np.bincount(grid.places(_keys(block)), minlength=grid.cells)
    return list(grid.parts(counts))


def _cut(blocks: Blocks, grid: _Grid, cells: Sequence[_Cell]) -> list[_Cell]:
    """The parts that hold values of the cells, each cut into at most 2**_CELL_BITS; a part ends where its values do."""
    widths = [max(0, (cell.last - cell.first).bit_length() - _CELL_BITS) for cell in cells]
    bases, shifts = _array_of(cell.first for cell in cells).view(np.uint64), np.array(widths, np.uint64)
    counts = np.zeros(len(cells) << _CELL_BITS, np.int64)
    firsts, lasts = np.full_like(counts, _GREATEST), np.full_like(counts, ~_GREATEST)
    for owner, keys in _inside(blocks, grid, cells):
        places = (owner << _CELL_BITS) + ((keys.view(np.uint64) - bases[owner]) >> shifts[owner]).view(np.int64)
        counts += np.bincount(places, minlength=counts.size)
        np.minimum.at(firsts, places, keys)
        np.maximum.at(lasts, places, keys)
    parts = []
    for owner_, cell in enumerate(cells):
        below = cell.below
        own = slice(owner_ << _CELL_BITS, owner_ + 1 << _CELL_BITS)
        for first, last, count in zip(firsts[own].tolist(), lasts[own].tolist(), counts[own].tolist(), strict=True):
            if count:
                parts.append(_Cell(first, last, below, count))
                below += count
    return parts


def _inside(blocks: Blocks, grid: _Grid, cells: Sequence[_Cell]) -> Iterator[tuple[NDArray[np.int64], ...]]:
    """The keys that lie in one of the cells, some at a time, each behind the position of that cell."""
    is_open = np.zeros(grid.cells, np.bool_)
    for cell in cells:
        is_open[grid.place(cell.first) : grid.place(cell.last) + 1] = True
    firsts, lasts = _array_of(cell.first for cell in cells), _array_of(cell.last for cell in cells)
    for block in blocks():
        keys = _keys(block)
        keys = keys[is_open[grid.places(keys)]]
        owner = np.maximum(np.searchsorted(firsts, keys, side="right") - 1, 0)
        kept = (keys >= firsts[owner]) & (keys <= lasts[owner])
        yield owner[kept], keys[kept]


def _array_of(keys: Iterable[int]) -> NDArray[np.int64]:
    return np.fromiter(keys, np.int64)


def _keys(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole numbers that order like the values, a negative zero like a positive one."""
    bits = (values + 0.0).view(np.int64)
    bits ^= (bits >> 63) & _GREATEST
    return bits


_GREATEST = np.int64(2**63 - 1)


def _number(key: int) -> float:
    """The value that has a key."""
    bits = np.array([key if key >= 0 else key ^ int(_GREATEST)], np.int64)
    return float(bits.view(np.float64)[0])


def ranks_of(levels: Iterable[float], count: int) -> set[int]:
    """The ranks that the quantiles at `levels` lie between."""
    return {rank for level in levels for rank in _neighbours(level, count)[:2]}


def _neighbours(level: float, count: int) -> tuple[int, int, float]:
    """The ranks below and above a quantile, and how far it is from the one to the other."""
    place = level * (count - 1)
    low = math.floor(place)
    return low, min(low + 1, count - 1), place - low


def quantile(rungs: Mapping[int, Rung], level: float, *, count: int) -> float:
    """The quantile by linear interpolation, as `numpy.quantile` takes it."""
    low, high, part = _neighbours(level, count)
    return float(np.quantile([rungs[low].value, rungs[high].value], part))


def nearest_rank(level: float, count: int) -> int:
    """The rank nearest to a quantile, the even one of two, as `numpy.quantile(method="nearest")` takes it."""
    return round(level * (count - 1))


def decile_edges(rungs: Mapping[int, Rung], levels: Sequence[float], *, count: int) -> dict[float, int]:
    """The inner edges of the bins, ascending, each with the number of values below it.

    The edges are the quantiles at `levels`. A value that fills more than one bin gets a bin of its own, from itself to
    the next number.
    """
    below: dict[float, int] = {}
    seen: set[float] = set()
    for level in levels:
        low, high, _ = _neighbours(level, count)
        edge = quantile(rungs, level, count=count)
        less, through = _around(edge, rungs[low], rungs[high])
        below[edge] = less
        if edge in seen:
            below[math.nextafter(edge, math.inf)] = through
        seen.add(edge)
    return dict(sorted(below.items()))


def _around(edge: float, low: Rung, high: Rung) -> tuple[int, int]:
    """How many values are less than `edge`, and how many are not greater; it lies between neighbouring ranks."""
    if edge == low.value:
        return low.below, low.through
    if edge == high.value:
        return high.below, high.through
    return low.through, low.through


def bins_between(below: Iterable[int], count: int) -> tuple[int, ...]:
    """Values in each bin, from the values below each edge."""
    return tuple(upper - lower for lower, upper in pairwise((0, *below, count)))
