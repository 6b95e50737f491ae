"""Exact order statistics of a column that does not fit into memory, and the quantiles and bins made of them.

The range of the values is cut into equal cells and the values in each are counted; a cell that holds a wanted rank is
cut again, over the range that its values really have, until so few values are left that they can be collected. Each
round reads the column once. Two or three rounds do for most columns; one whose values span hundreds of decades takes
a round for every three and a half of them.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.statistics.table import Table, number

_CELL_BITS = 12
CELLS = 1 << _CELL_BITS
COLLECTED = 400_000
"""Values of the open cells that are collected at once, whatever the size of the table."""


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
class Cells:
    """Neighbouring parts of a column in ascending order, none empty.

    Args:
        keys: What the query that found them calls each.
        lows: The least value in each.
        highs: The greatest.
        counts: The values in each.
        below: The values of the column below each.
    """

    keys: NDArray[np.int64]
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]
    counts: NDArray[np.int64]
    below: NDArray[np.int64]

    def taken(self, chosen: NDArray[np.int64]) -> "Cells":
        """Some of them."""
        return Cells(self.keys[chosen], self.lows[chosen], self.highs[chosen], self.counts[chosen], self.below[chosen])


def order_statistics(
    table: Table,
    finite: str,
    *,
    ranks: Iterable[int],
    minimum: float,
    maximum: float,
    count: int,
    core: tuple[float, float] | None = None,
) -> dict[int, Rung]:
    """The values at `ranks`.

    Args:
        table: Any.
        finite: SQL of a double that is finite or null.
        ranks: From 0 for the least to `count - 1`.
        minimum: Of the values.
        maximum: Likewise.
        count: Values that are not null.
        core: Where most of the values are thought to lie, inside their range; a right guess saves a round.
    """
    wanted = np.unique(np.fromiter(ranks, dtype=np.int64))
    rungs: dict[int, Rung] = {}
    zero = np.array([0])
    cells = Cells(zero, np.array([minimum]), np.array([maximum]), np.array([count]), zero)
    values = table.selected(f"{finite} AS x, 0 AS cell", f"AND {finite} IS NOT NULL")
    query = ""
    while True:
        found = np.searchsorted(cells.below, wanted, side="right") - 1
        known = cells.lows[found] == cells.highs[found]
        for rank, cell in zip(wanted[known].tolist(), found[known].tolist(), strict=True):
            below = int(cells.below[cell])
            rungs[rank] = Rung(float(cells.lows[cell]) + 0.0, below, below + int(cells.counts[cell]))
        wanted = wanted[~known]
        if not wanted.size:
            return rungs
        cells = cells.taken(np.unique(found[~known]))
        if cells.counts.sum() <= COLLECTED:
            cells = _collected(table, cells, query or values)
            continue
        query = _cutting(cells, query) if query else _first_cutting(values, core or (minimum, maximum))
        cells = _counted(table, cells, f"SELECT cell, min(x), max(x), count(*) FROM ({query}) GROUP BY cell")  # noqa: S608


def _collected(table: Table, cells: Cells, query: str) -> Cells:
    """Every value inside `cells` as a cell of its own."""
    keys = ", ".join(f"({key})" for key in cells.keys.tolist())
    inside = f"SELECT x FROM ({query}) JOIN (VALUES {keys}) AS open(cell) USING (cell)"  # noqa: S608
    return _counted(table, cells, f"SELECT 0, x, x, count(*) FROM ({inside}) GROUP BY x")  # noqa: S608


def _first_cutting(values: str, core: tuple[float, float]) -> str:
    """SQL: all values, each with the key of its cell; what lies beyond the core is in the first and the last one."""
    return f"SELECT x, {_place(*_scale(*core))} AS cell FROM ({values})"  # noqa: S608


def _cutting(cells: Cells, query: str) -> str:
    """SQL: the values inside `cells`, each with the key of the smaller cell that it lies in."""
    rows = []
    bounds = zip(cells.keys.tolist(), cells.lows.tolist(), cells.highs.tolist(), strict=True)
    for place, (key, low, high) in enumerate(bounds):
        rows.append(f"({key}, {place * (CELLS + 1)}, {', '.join(_scale(low, high))})")
    return (
        f"SELECT x, first + {_place('part', 'low', 'factor', 'other')} AS cell"  # noqa: S608
        f" FROM ({query}) JOIN (VALUES {', '.join(rows)}) AS open(cell, first, part, low, factor, other) USING (cell)"
    )


def _scale(low: float, high: float) -> tuple[str, str, str, str]:
    """SQL: the numbers that `_place` takes for a range; products of them neither overflow nor vanish."""
    part = 1.0 if math.isfinite(high - low) else 0.5
    exponent = _CELL_BITS - math.frexp(high * part - low * part)[1]
    first = exponent // 2  # one factor could leave the range of a double
    return number(part), number(low * part), number(2.0**first), number(2.0 ** (exponent - first))


def _place(part: str, low: str, factor: str, other: str) -> str:
    """SQL: the place of `x` in its range, from 0 to CELLS.

    It never falls where x rises, and the least and the greatest value of a cell never share one.
    """
    return f"CAST(least(greatest((x * {part} - {low}) * {factor} * {other}, 0), {CELLS}) AS INTEGER)"


def _counted(table: Table, parents: Cells, query: str) -> Cells:
    """The cells that `query` finds inside `parents`; its columns are key, low, high and count."""
    columns = table.fetch_arrays(f"SELECT * FROM ({query}) AS cells(key, low, high, n) ORDER BY low")  # noqa: S608
    counts = np.asarray(columns["n"], dtype=np.int64)
    lows = np.asarray(columns["low"], dtype=np.float64)
    before = np.cumsum(counts) - counts
    parent = np.searchsorted(parents.lows, lows, side="right") - 1
    first = np.searchsorted(parent, np.arange(parents.lows.size))
    below = before - before[first][parent] + parents.below[parent]
    return Cells(np.asarray(columns["key"]), lows, np.asarray(columns["high"]), counts, below)


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
