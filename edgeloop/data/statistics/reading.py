"""Reads the statistics of an open table.

A column is read for its counts and extremes, for its different values, and for sums and order statistics; as many
columns at once as there are threads. No step keeps more than a bounded number of values, so memory does not grow with
the rows.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeloop.data.statistics.moments import Scale, Sums
from edgeloop.data.statistics.quantiles import bins_between, decile_edges, quantile, ranks_of
from edgeloop.data.statistics.ranks import order_statistics
from edgeloop.data.statistics.table import Table, number
from edgeloop.data.statistics.values import (
    FREQUENT_VALUES,
    LISTED_VALUES,
    QUANTILES,
    ColumnStatistics,
    GroupCount,
    TableStatistics,
    ValueCount,
)
from edgeloop.errors import DataFault
from edgeloop.progress import progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXACT_DISTINCT = 100_000
"""Columns with about this many different values or fewer have them counted one by one."""
MAX_GROUPS = 100_000
DECILES = tuple(tenth / 10 for tenth in range(1, 10))
_NUMERIC = ("boolean", "integer", "float")


@dataclass(frozen=True)
class _Counts:
    """The counts and extremes of one column; `estimate` is of its different values."""

    rows: int
    present: int
    nans: int = 0
    negative_infinities: int = 0
    positive_infinities: int = 0
    minimum: int | float | None = None
    maximum: int | float | None = None
    estimate: int = 0

    @property
    def finite(self) -> int:
        return self.present - self.nans - self.negative_infinities - self.positive_infinities


def statistics_of(
    table: Table,
    *,
    columns: Sequence[str] | None = None,
    split: str | None = None,
    label: str | None = None,
    condition: str | None = None,
    edges: Mapping[str, Sequence[float]] | None = None,
) -> TableStatistics:
    """The statistics of a table.

    Args:
        table: All its rows count; `Table.only` narrows them.
        columns: To look into, in this order; all where None.
        split: Name of the column that says a row's split.
        label: Of the one that says its class.
        condition: Of the one that says how it was recorded.
        edges: Ascending inner edges of the bins, by column; the deciles of this very table for the rest.

    Raises:
        DataFault: A column is not there, the file is damaged, or there are more groups than MAX_GROUPS.
        EnvironmentFault: Memory or scratch space do not suffice.
    """
    names = table.names if columns is None else tuple(columns)
    positions = [table.position(name) for name in names]
    given = {table.position(name): tuple(values) for name, values in (edges or {}).items()}
    rows = int(_figures(table, "count(*)")[0])
    return TableStatistics(
        rows=rows,
        groups=_groups(table, (split, label, condition), rows),
        columns=tuple(_columns(table, positions, rows, given)),
    )


def _columns(
    table: Table, positions: Sequence[int], rows: int, edges: Mapping[int, tuple[float, ...]]
) -> Iterator[ColumnStatistics]:
    """The columns in their order, several at once."""

    def column(position: int) -> ColumnStatistics:
        with table.beside() as twin:
            return _column(twin, position, _counts(twin, position, rows), edges.get(position))

    pool = ThreadPoolExecutor(table.threads)
    try:
        with progress("columns", len(positions)) as advance:
            for found in pool.map(column, positions):
                advance(1, found.name)
                yield found
    finally:
        pool.shutdown(cancel_futures=True)


def _groups(table: Table, roles: tuple[str | None, ...], rows: int) -> tuple[GroupCount, ...]:
    keys = ["NULL" if name is None else f"c{table.position(name)}" for name in roles]
    if not any(roles):
        return (GroupCount(split="", label="", condition="", rows=rows),) if rows else ()
    counted = table.selected(f"{keys[0]} AS s, {keys[1]} AS l, {keys[2]} AS c, count(*) AS n", "GROUP BY 1, 2, 3")
    named = ", ".join(f"coalesce(CAST({key} AS VARCHAR), '')" for key in "slc")
    found = table.fetch(
        f"SELECT {named}, sum(n) FROM ({counted}) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT {MAX_GROUPS + 1}"  # noqa: S608
    )
    if len(found) > MAX_GROUPS:
        named = ", ".join(name for name in roles if name)
        raise DataFault(f"has more than {MAX_GROUPS:,} groups by {named}", where=table.where, fix="name other columns")
    return tuple(GroupCount(split=s, label=label, condition=c, rows=int(count)) for s, label, c, count in found)


def _counts(table: Table, position: int, rows: int) -> _Counts:
    """The counts and extremes of a column; one with infinities or NaNs is read once more."""
    raw, kind = f"c{position}", table.kinds[position]
    present = f"count({raw})"
    if kind == "opaque":
        return _Counts(rows=rows, present=_figures(table, present)[0])
    several = f"{present}, approx_count_distinct({raw})"
    if kind == "text":
        found, estimate = _figures(table, several)
        return _Counts(rows=rows, present=found, estimate=estimate)
    value, others = table.number(position) if kind == "float" else raw, [0, 0, 0]
    found, estimate, *extremes = _figures(table, f"{several}, min({value}), max({value})")
    if not all(extreme is None or math.isfinite(extreme) for extreme in extremes):  # a NaN is the greatest there
        finite = table.finite(position)
        selections = [f"min({finite})", f"max({finite})", f"count_if(isnan({value}))"]
        selections += [f"count_if({value} = {number(infinity)})" for infinity in (-math.inf, math.inf)]
        *extremes, nans, negative, positive = _figures(table, ", ".join(selections))
        others = [nans, negative, positive]
    nans, negative, positive = others
    return _Counts(
        rows=rows,
        present=found,
        nans=nans,
        negative_infinities=negative,
        positive_infinities=positive,
        minimum=_plain(extremes[0]),
        maximum=_plain(extremes[1]),
        estimate=estimate,
    )


def _figures(table: Table, selections: str) -> tuple[Any, ...]:
    return table.fetch(table.selected(selections))[0]


def _values(table: Table, position: int, counts: _Counts) -> str:
    """SQL: the finite values; the check of each is left out where all are."""
    return table.number(position) if counts.finite == counts.present else table.finite(position)


def _plain(value: Any) -> int | float | None:
    """Numbers as Python has them, with one zero."""
    return None if value is None else value + 0


def _column(table: Table, position: int, counts: _Counts, edges: tuple[float, ...] | None) -> ColumnStatistics:
    kind = table.kinds[position]
    known: dict[str, Any] = {
        "name": table.names[position],
        "kind": kind,
        "count": counts.finite,
        "nulls": counts.rows - counts.present,
        "nans": counts.nans,
        "negative_infinities": counts.negative_infinities,
        "positive_infinities": counts.positive_infinities,
        **(_distinct(table, position, counts) if kind != "opaque" else {}),
    }
    if counts.minimum is not None and counts.maximum is not None:
        known |= {"minimum": counts.minimum, "maximum": counts.maximum}
        known |= _ranked(table, position, counts, edges, extremes=(float(counts.minimum), float(counts.maximum)))
    elif kind in _NUMERIC:
        known |= {"edges": edges or (), "counts": (0,) * (len(edges or ()) + 1)}
    return ColumnStatistics(**known)


def _ranked(
    table: Table,
    position: int,
    counts: _Counts,
    edges: tuple[float, ...] | None,
    *,
    extremes: tuple[float, float],
) -> dict[str, Any]:
    """Moments, quantiles, edges and bins of a column with finite values."""
    count, sums = counts.finite, Sums(Scale.of(*extremes))
    levels = QUANTILES if edges is not None else (*QUANTILES, *DECILES)
    rounds = 0

    def blocks() -> "Iterator[NDArray[np.float64]]":
        nonlocal rounds
        rounds += 1
        values = table.numbers(_values(table, position, counts))
        return sums.watched(values) if rounds == 1 else values

    ranks = ranks_of(levels, count)
    rungs = order_statistics(blocks, ranks=ranks, minimum=extremes[0], maximum=extremes[1], count=count)
    below = decile_edges(rungs, DECILES, count=count) if edges is None else _below(table, position, edges)
    mean, m2 = sums.moments(count)
    return {
        "mean": mean,
        "m2": m2,
        "quantiles": {f"{level:g}": quantile(rungs, level, count=count) for level in QUANTILES},
        "edges": tuple(below),
        "counts": bins_between(below.values(), count),
    }


def _below(table: Table, position: int, edges: tuple[float, ...]) -> dict[float, int]:
    """The finite values below each edge."""
    if list(edges) != sorted(set(edges)):
        raise DataFault(
            f"the edges of {table.names[position]!r} do not ascend", where=table.where, fix="give ascending edges"
        )
    if not edges:
        return {}
    selections = [f"count_if({table.finite(position)} < {number(edge)})" for edge in edges]
    return dict(zip(edges, table.fetch(table.selected(", ".join(selections)))[0], strict=True))


def _distinct(table: Table, position: int, counts: _Counts) -> dict[str, Any]:
    """The different finite values: their number, and the most frequent ones."""
    if counts.estimate > EXACT_DISTINCT:
        return {"distinct": min(counts.estimate, counts.finite), "distinct_is": "approximate"}
    raw, kind = f"c{position}", table.kinds[position]
    value = raw if kind != "float" else table.finite(position)
    grouped = table.selected(f"{value} AS v, count(*) AS n", "GROUP BY v")
    found = table.fetch(
        f"WITH counted AS MATERIALIZED (SELECT * FROM ({grouped}) WHERE v IS NOT NULL)"  # noqa: S608
        f" SELECT v, n, (SELECT count(*) FROM counted) FROM counted ORDER BY n DESC, v LIMIT {LISTED_VALUES + 1}"
    )
    distinct = found[0][2] if found else 0
    listed = LISTED_VALUES if distinct <= LISTED_VALUES else FREQUENT_VALUES if kind == "text" else 0
    values = tuple(ValueCount(value=v + 0 if kind == "float" else v, rows=n) for v, n, _ in found[:listed])
    state = "all" if distinct <= LISTED_VALUES else "most frequent" if values else "none"
    return {"distinct": distinct, "distinct_is": "exact", "listed": values, "listed_are": state}
