"""Exact order statistics of a column that does not fit into memory.

A grid of cells is laid over the span of the values, see `edgeloop.data.statistics.grid`, and the values in each cell
are counted; a cell that holds a wanted rank is cut again, until so few values are left that they can be collected. Each
round reads the column once: two do for most columns, and none needs more than eight. Where the first values are like
the others they tell which cells are likely to hold a wanted rank; their values are kept while all are counted, and one
round does.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.statistics.grid import GREATEST, Cell, Grid, key_of, value_of

_CELL_BITS = 12
COLLECTED = 1 << 19
"""Values of the open cells that are collected at once, whatever the size of the table."""
EARLY = 1 << 20
"""As many of the first values tell where the ranks are likely to lie."""
_DEVIATIONS = 3

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
    low, high = key_of(minimum), key_of(maximum)
    grid, wanted = Grid(low, high), np.unique(np.fromiter(ranks, np.int64))
    held = [(Cell(low, high, 0, count), wanted)] if wanted.size else []
    kept = _Kept(grid, wanted, count)
    if count > COLLECTED and low < high and held:
        held = _counted(blocks, grid, wanted, kept)
    rungs: dict[int, Rung] = {}
    while held:
        rungs |= {rank: _rung(cell) for cell, inside in held if cell.is_one_value for rank in inside.tolist()}
        held = [(cell, inside) for cell, inside in held if not cell.is_one_value]
        if held and sum(cell.count for cell, _ in held) <= COLLECTED:
            found = kept.keys_in(held)
            return rungs | _collected(list(_keys_inside(blocks, grid, held)) if found is None else found, held)
        held = _cut(blocks, grid, held) if held else []
    return rungs


_Held = list[tuple[Cell, NDArray[np.int64]]]
"""Cells in their order, each with the wanted ranks that it holds."""


def _rung(cell: Cell) -> Rung:
    """Of a cell with one value."""
    return Rung(value_of(cell.first), cell.below, cell.below + cell.count)


class _Kept:
    """The keys in some cells of the grid, kept while all are counted: those that seem to hold the wanted ranks."""

    def __init__(self, grid: Grid, wanted: NDArray[np.int64], count: int) -> None:
        self._grid, self._wanted, self._count = grid, wanted, count
        self._is_open: NDArray[np.bool_] | None = None
        self._early = self._size = 0
        self._parts: list[tuple[NDArray[np.int64], NDArray[np.uint16]]] = []

    def see(self, keys: NDArray[np.int64], places: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        """The next keys with the cell of each, and how many lie in each cell so far."""
        if self._is_open is not None:
            self._keep(keys, places)
            return
        self._parts.append((keys.copy(), places.astype(np.uint16)))
        self._early += keys.size
        if self._early >= EARLY:
            self._is_open = self._likely(counts)
            early, self._parts = self._parts, []
            for part in early:
                self._keep(*part)

    def _keep(self, keys: NDArray[np.int64], places: NDArray[np.integer[Any]]) -> None:
        assert self._is_open is not None
        inside = np.flatnonzero(self._is_open[places])
        self._size += inside.size
        if self._size > 2 * COLLECTED:  # the first ones were not like the others
            self._is_open[:], self._parts = False, []
        elif inside.size:
            self._parts.append((keys[inside], places[inside].astype(np.uint16)))

    def _likely(self, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """The cells around the ranks, if the first values are a sample of all; none where they would be too many."""
        through = np.cumsum(counts)
        middle = self._wanted / self._count * self._early
        margin = 1 + _DEVIATIONS * np.sqrt(middle * (1 - middle / self._early))
        is_open = np.zeros(counts.size, np.bool_)
        firsts, lasts = (np.searchsorted(through, ends, side="right") for ends in (middle - margin, middle + margin))
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
            is_open[first : last + 1] = True
        if int(counts[is_open].sum()) * self._count > COLLECTED * self._early:
            is_open[:] = False
        return is_open

    def keys_in(self, held: "_Held") -> list[NDArray[np.int64]] | None:
        """The keys in the cells, which are of the grid or parts of those; None where one of them was not kept."""
        is_wanted = _places_of(self._grid, held)
        if not self._early or (self._is_open is not None and np.any(is_wanted & ~self._is_open)):
            return None
        owned = _Owned(held)
        return [owned.of(keys[is_wanted[places]])[1] for keys, places in self._parts]


def _keys_inside(blocks: Blocks, grid: Grid, held: _Held) -> Iterator[NDArray[np.int64]]:
    return (keys for _, keys in _inside(blocks, grid, held))


def _collected(parts: Sequence[NDArray[np.int64]], held: _Held) -> dict[int, Rung]:
    """The values at the ranks inside the cells, from all their keys."""
    keys = np.concatenate(parts)
    keys.sort()
    rungs: dict[int, Rung] = {}
    start = 0
    for cell, ranks in held:
        own = keys[start : start + cell.count]
        start += cell.count
        wanted = own[ranks - cell.below]
        below, through = (np.searchsorted(own, wanted, side) + cell.below for side in ("left", "right"))
        for rank, key, less, up_to in zip(*map(np.ndarray.tolist, (ranks, wanted, below, through)), strict=True):
            rungs[rank] = Rung(value_of(key), less, up_to)
    return rungs


def _counted(blocks: Blocks, grid: Grid, wanted: NDArray[np.int64], kept: _Kept) -> _Held:
    """The cells of the grid that hold wanted ranks; `kept` sees every block."""
    counts = np.zeros(grid.cells, np.int64)
    for block in blocks():
        keys, places = grid.placed(block)
        counts += np.bincount(places, minlength=grid.cells)
        kept.see(keys, places, counts)
    return [(grid.cell(place, below=less, count=n), ranks) for place, less, n, ranks in _places(counts, wanted, 0)]


def _cut(blocks: Blocks, grid: Grid, held: _Held) -> _Held:
    """The parts that hold wanted ranks, of at most 2**_CELL_BITS of every cell; a part ends where its values do."""
    widths = [max(0, (cell.last - cell.first).bit_length() - _CELL_BITS) for cell, _ in held]
    bases = np.array([cell.first for cell, _ in held], np.int64).view(np.uint64)
    shifts = np.array(widths, np.uint64)
    counts = np.zeros((len(held), 1 << _CELL_BITS), np.int64)
    firsts, lasts = np.full_like(counts, GREATEST), np.full_like(counts, ~GREATEST)
    for owner, keys in _inside(blocks, grid, held):
        offsets = ((keys.view(np.uint64) - bases[owner]) >> shifts[owner]).view(np.int64)
        counts += np.bincount((owner << _CELL_BITS) + offsets, minlength=counts.size).reshape(counts.shape)
        np.minimum.at(firsts, (owner, offsets), keys)
        np.maximum.at(lasts, (owner, offsets), keys)
    return [
        (Cell(int(firsts[owner, place]), int(lasts[owner, place]), less, count), ranks)
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


def _inside(blocks: Blocks, grid: Grid, held: _Held) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The keys that lie in one of the cells, some at a time, behind the position of the cell of each."""
    is_open, owned = _places_of(grid, held), _Owned(held)
    for block in blocks():
        keys, places = grid.placed(block)
        yield owned.of(keys[is_open[places]])


def _places_of(grid: Grid, held: _Held) -> NDArray[np.bool_]:
    """Of every cell of the grid, whether some of the cells lie there."""
    are_held = np.zeros(grid.cells, np.bool_)
    for cell, _ in held:
        are_held[grid.place(cell.first) : grid.place(cell.last) + 1] = True
    return are_held


class _Owned:
    """Which of some cells, in their order, a key lies in."""

    def __init__(self, held: _Held) -> None:
        self._firsts, self._lasts = (np.array(ends, np.int64) for ends in zip(*_ends(held), strict=True))

    def of(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The position of the cell of each key that lies in one, and those keys."""
        owner = np.maximum(np.searchsorted(self._firsts, keys, side="right") - 1, 0)
        kept = (keys >= self._firsts[owner]) & (keys <= self._lasts[owner])
        return owner[kept], keys[kept]


def _ends(held: _Held) -> list[tuple[int, int]]:
    return [(cell.first, cell.last) for cell, _ in held]
