"""Exact order statistics of a column that does not fit into memory, and the quantiles and bins made of them.

Doubles are ordered as whole numbers of 64 bits, their *keys*. A grid of cells is laid over the span of the keys and the
values in each cell are counted; a cell that holds a wanted rank is cut again, until so few values are left that they
can be collected. Each round reads the column once: two do for most columns, and none needs more than eight. As the keys
of a double grow with its exponent, cells are fine near zero and coarse far from it, and no value lies too far outside;
all that is much nearer to zero than the rest shares a cell.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.statistics.table import BLOCK

_GRID_BITS = 14
_CELL_BITS = 12
_BINADES = 24
COLLECTED = 1 << 20
"""Values of the open cells that are collected at once, whatever the size of the table."""

Blocks = Callable[[], Iterable[NDArray[np.float64]]]
"""Reads the finite values of a column, at most BLOCK at a time."""


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
    """At most 2**_GRID_BITS cells over the keys of a whole column; it lends arrays that the next block overwrites."""

    def __init__(self, first: int, last: int) -> None:
        greatest = max(abs(_number(first)), abs(_number(last)))
        self._near = _key(math.ldexp(greatest, -_BINADES))  # as much to both sides of zero is one
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
            places &= _GREATEST
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

    def cell(self, place: int, *, below: int, count: int) -> _Cell:
        """The cell at a place, by the values below it and in it."""
        first = self._low + (place << self._width)
        last = first + (1 << self._width) - 1
        first = first + self._near if first > 0 else first - self._near
        last = last - self._near if last < 0 else last + self._near
        return _Cell(max(first, self._span[0]), min(last, self._span[1]), below, count)


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
    low, high = _key(minimum), _key(maximum)
    grid, wanted = _Grid(low, high), np.unique(np.fromiter(ranks, np.int64))
    held = [(_Cell(low, high, 0, count), wanted)] if wanted.size else []
    if count > COLLECTED and low < high and held:
        held = _counted(blocks, grid, wanted)
    rungs: dict[int, Rung] = {}
    while held:
        rungs |= {rank: _rung(cell) for cell, inside in held if cell.is_one_value for rank in inside.tolist()}
        held = [(cell, inside) for cell, inside in held if not cell.is_one_value]
        if held and sum(cell.count for cell, _ in held) <= COLLECTED:
            return rungs | _collected(blocks, grid, held)
        held = _cut(blocks, grid, held) if held else []
    return rungs


_Held = list[tuple[_Cell, NDArray[np.int64]]]
"""Cells in their order, each with the wanted ranks that it holds."""


def _rung(cell: _Cell) -> Rung:
    """Of a cell with one value."""
    return Rung(_number(cell.first), cell.below, cell.below + cell.count)


def _collected(blocks: Blocks, grid: _Grid, held: _Held) -> dict[int, Rung]:
    """The values at the ranks inside the cells, all of whose values are held at once."""
    keys = np.sort(np.concatenate([keys for _, keys in _inside(blocks, grid, held)]))
    rungs: dict[int, Rung] = {}
    start = 0
    for cell, ranks in held:
        own = keys[start : start + cell.count]
        start += cell.count
        wanted = own[ranks - cell.below]
        below, through = (np.searchsorted(own, wanted, side) + cell.below for side in ("left", "right"))
        for rank, key, less, up_to in zip(*map(np.ndarray.tolist, (ranks, wanted, below, through)), strict=True):
            rungs[rank] = Rung(_number(key), less, up_to)
    return rungs


def _counted(blocks: Blocks, grid: _Grid, wanted: NDArray[np.int64]) -> _Held:
    """The cells of the grid that hold wanted ranks."""
    counts = np.zeros(grid.cells, np.int64)
    for block in blocks():
        counts += np.bincount(grid.placed(block)[1], minlength=grid.cells)
    return [(grid.cell(place, below=less, count=n), ranks) for place, less, n, ranks in _places(counts, wanted, 0)]


def _cut(blocks: Blocks, grid: _Grid, held: _Held) -> _Held:
    """The parts that hold wanted ranks, of at most 2**_CELL_BITS of every cell; a part ends where its values do."""
    widths = [max(0, (cell.last - cell.first).bit_length() - _CELL_BITS) for cell, _ in held]
    bases = np.array([cell.first for cell, _ in held], np.int64).view(np.uint64)
    shifts = np.array(widths, np.uint64)
    counts = np.zeros((len(held), 1 << _CELL_BITS), np.int64)
    firsts, lasts = np.full_like(counts, _GREATEST), np.full_like(counts, ~_GREATEST)
    for owner, keys in _inside(blocks, grid, held):
        offsets = ((keys.view(np.uint64) - bases[owner]) >> shifts[owner]).view(np.int64)
        counts += np.bincount((owner << _CELL_BITS) + offsets, minlength=counts.size).reshape(counts.shape)
        np.minimum.at(firsts, (owner, offsets), keys)
        np.maximum.at(lasts, (owner, offsets), keys)
    return [
        (_Cell(int(firsts[owner, place]), int(lasts[owner, place]), less, count), ranks)
        for owner, (cell, inside) in enumerate(held)
        for place, less, count, ranks in _places(counts[owner], inside, cell.below)
    ]


def _places(
    counts: NDArray[np.int64], wanted: NDArray[np.int64], below: int
) -> Iterator[tuple[int, int, int, NDArray[np.int64]]]:
    """Where wanted ranks lie among neighbouring cells: place, values of the column below it, values in it, ranks."""
    through = np.cumsum(counts) + below
    places = np.searchsorted(through, wanted, side="right")
    for place in np.unique(places).tolist():
        count = int(counts[place])
        yield place, int(through[place]) - count, count, wanted[places == place]


def _inside(blocks: Blocks, grid: _Grid, held: _Held) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The keys that lie in one of the cells, some at a time, behind the position of the cell of each."""
    is_open = np.zeros(grid.cells, np.bool_)
    for cell, _ in held:
        is_open[grid.place(cell.first) : grid.place(cell.last) + 1] = True
    firsts, lasts = (np.array(ends, np.int64) for ends in zip(*((c.first, c.last) for c, _ in held), strict=True))
    for block in blocks():
        keys, places = grid.placed(block)
        keys = keys[is_open[places]]
        owner = np.maximum(np.searchsorted(firsts, keys, side="right") - 1, 0)
        kept = (keys >= firsts[owner]) & (keys <= lasts[owner])
        yield owner[kept], keys[kept]


def _key(value: float) -> int:
    """A whole number of 64 bits that orders like the value, a negative zero like a positive one."""
    bits = int(np.float64(value + 0.0).view(np.int64))
    return bits ^ int(_GREATEST) if bits < 0 else bits


_GREATEST = np.int64(2**63 - 1)


def _number(key: int) -> float:
    """The value that has a key."""
    return float(np.int64(key ^ int(_GREATEST) if key < 0 else key).view(np.float64))


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
