"""Reads the statistics of an open table.

The table is read for the counts and extremes, for the sums, and a column at a time for the order statistics and the
different values. No step keeps more than a bounded number of values, so memory does not grow with the rows.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgeloop.data.statistics.moments import Scale, moments, sums
from edgeloop.data.statistics.ranks import bins_between, decile_edges, order_statistics, quantile, ranks_of
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
    counted = _counted(table, positions)
    averages = _averages(table, counted)
    return TableStatistics(
        rows=_rows(table),
        groups=_groups(table, (split, label, condition)),
        columns=tuple(
            _column(table, position, counted[position], averages.get(position), given.get(position))
            for position in positions
        ),
    )


def _rows(table: Table) -> int:
    return int(table.fetch(table.selected("count(*)"))[0][0])


def _groups(table: Table, roles: tuple[str | None, ...]) -> tuple[GroupCount, ...]:
    keys = ["''" if name is None else f"coalesce(CAST(c{table.position(name)} AS VARCHAR), '')" for name in roles]
    if not any(roles):
        rows = _rows(table)
        return (GroupCount(split="", label="", condition="", rows=rows),) if rows else ()
    query = table.selected(f"{', '.join(keys)}, count(*)", f"GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT {MAX_GROUPS + 1}")
    found = table.fetch(query)
    if len(found) > MAX_GROUPS:
        named = ", ".join(name for name in roles if name)
        raise DataFault(f"has more than {MAX_GROUPS:,} groups by {named}", where=table.where, fix="name other columns")
    return tuple(GroupCount(split=s, label=label, condition=c, rows=rows) for s, label, c, rows in found)


def _counted(table: Table, positions: Sequence[int]) -> dict[int, _Counts]:
    """The counts of the columns, read at once; columns with infinities or NaNs are read once more."""
    selections = ["count(*)"]
    for position in positions:
        selections += _selections(table, position)
    row = iter(table.fetch(table.selected(", ".join(selections)))[0])
    rows = int(next(row))
    found = {}
    for position in positions:
        values = [next(row) for _ in _selections(table, position)]
        found[position] = _counts(table, position, rows, values)
    return found


def _selections(table: Table, position: int) -> list[str]:
    raw, kind = f"c{position}", table.kinds[position]
    if kind == "opaque":
        return [f"count({raw})"]
    if kind == "text":
        return [f"count({raw})", f"approx_count_distinct({raw})"]
    selections = [f"count({raw})", f"approx_count_distinct({raw})"]
    if kind != "float":
        return [*selections, f"min({raw})", f"max({raw})"]
    value = table.number(position)
    return [*selections, f"min({value})", f"max({value})", f"count_if(NOT isfinite({value}))"]


def _counts(table: Table, position: int, rows: int, values: list[Any]) -> _Counts:
    kind = table.kinds[position]
    if kind not in _NUMERIC:
        return _Counts(rows=rows, present=values[0], estimate=values[1] if kind == "text" else 0)
    extremes, others = values[2:4], [0, 0, 0]
    if kind == "float" and values[4]:
        value, finite = table.number(position), table.finite(position)
        selections = [f"min({finite})", f"max({finite})", f"count_if(isnan({value}))"]
        selections += [f"count_if({value} = {number(infinity)})" for infinity in (-math.inf, math.inf)]
        *extremes, nans, negative, positive = table.fetch(table.selected(", ".join(selections)))[0]
        others = [nans, negative, positive]
    nans, negative, positive = others
    return _Counts(
        rows=rows,
        present=values[0],
        nans=nans,
        negative_infinities=negative,
        positive_infinities=positive,
        minimum=_plain(extremes[0]),
        maximum=_plain(extremes[1]),
        estimate=values[1],
    )


def _values(table: Table, position: int, counts: _Counts) -> str:
    """SQL: the finite values; the check of each is left out where all are."""
    return table.number(position) if counts.finite == counts.present else table.finite(position)


def _plain(value: Any) -> int | float | None:
    """Numbers as Python has them, with one zero."""
    return None if value is None else value + 0


def _averages(table: Table, counted: Mapping[int, _Counts]) -> dict[int, tuple[float, float]]:
    """Mean and M2 of the numeric columns that have finite values, read at once."""
    scales = {
        position: Scale.of(float(counts.minimum), float(counts.maximum))
        for position, counts in counted.items()
        if counts.minimum is not None and counts.maximum is not None
    }
    if not scales:
        return {}
    selections: list[str] = []
    for position, scale in scales.items():
        selections += sums(_values(table, position, counted[position]), scale)
    row = iter(table.fetch(table.selected(", ".join(selections)))[0])
    return {
        position: moments(int(next(row)), int(next(row)), count=counted[position].finite, scale=scale)
        for position, scale in scales.items()
    }


def _column(
    table: Table,
    position: int,
    counts: _Counts,
    averages: tuple[float, float] | None,
    edges: tuple[float, ...] | None,
) -> ColumnStatistics:
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
    if averages is not None:
        known |= {"minimum": counts.minimum, "maximum": counts.maximum, "mean": averages[0], "m2": averages[1]}
        known |= _ranked(table, position, counts, edges, averages)
    elif kind in _NUMERIC:
        known |= {"edges": edges or (), "counts": (0,) * (len(edges or ()) + 1)}
    return ColumnStatistics(**known)


def _ranked(
    table: Table,
    position: int,
    counts: _Counts,
    edges: tuple[float, ...] | None,
    averages: tuple[float, float],
) -> dict[str, Any]:
    """Quantiles, edges and bins of a column with finite values."""
    assert counts.minimum is not None and counts.maximum is not None
    count = counts.finite
    levels = QUANTILES if edges is not None else (*QUANTILES, *DECILES)
    rungs = order_statistics(
        table,
        _values(table, position, counts),
        ranks=ranks_of(levels, count),
        minimum=float(counts.minimum),
        maximum=float(counts.maximum),
        count=count,
        core=_core(counts, averages),
    )
    below = decile_edges(rungs, DECILES, count=count) if edges is None else _below(table, position, edges)
    return {
        "quantiles": {f"{level:g}": quantile(rungs, level, count=count) for level in QUANTILES},
        "edges": tuple(below),
        "counts": bins_between(below.values(), count),
    }


def _core(counts: _Counts, averages: tuple[float, float]) -> tuple[float, float] | None:
    """Where few values lie outside: four standard deviations around the mean."""
    assert counts.minimum is not None and counts.maximum is not None
    reach = 4 * math.sqrt(averages[1] / counts.finite)
    low, high = max(float(counts.minimum), averages[0] - reach), min(float(counts.maximum), averages[0] + reach)
    return (low, high) if low < high else None


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
