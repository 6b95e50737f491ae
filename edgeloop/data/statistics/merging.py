"""The statistics of the whole from those of its disjoint parts; the order of the parts makes no difference."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from functools import reduce
from typing import Any

from edgeloop.data.statistics.moments import nearest
from edgeloop.data.statistics.values import (
    FREQUENT_VALUES,
    LISTED_VALUES,
    QUANTILES,
    ColumnStatistics,
    GroupCount,
    Scalar,
    TableStatistics,
    ValueCount,
)
from edgeloop.errors import DataFault

_SUMMED = ("nulls", "nans", "negative_infinities", "positive_infinities")


def merged(first: TableStatistics, second: TableStatistics) -> TableStatistics:
    """The statistics of two disjoint parts of a table.

    Raises:
        DataFault: They have other columns, or a column has other edges.
    """
    described = [[(column.name, column.kind) for column in part.columns] for part in (first, second)]
    if described[0] != described[1]:
        raise DataFault("the parts have different columns", where="statistics", fix="merge parts of one table")
    groups: Counter[tuple[str, str, str]] = Counter()
    for group in (*first.groups, *second.groups):
        groups[group.split, group.label, group.condition] += group.rows
    return TableStatistics(
        rows=first.rows + second.rows,
        groups=tuple(
            GroupCount(split=split, label=label, condition=condition, rows=rows)
            for (split, label, condition), rows in sorted(groups.items())
        ),
        columns=tuple(merged_column(a, b) for a, b in zip(first.columns, second.columns, strict=True)),
    )


def merged_column(first: ColumnStatistics, second: ColumnStatistics) -> ColumnStatistics:
    """The statistics of one column over both parts.

    Raises:
        DataFault: Both have values, and their edges differ.
    """
    sums = {name: getattr(first, name) + getattr(second, name) for name in _SUMMED}
    if not first.count or not second.count:
        return (first if first.count else second).model_copy(update=sums)
    if first.edges != second.edges:
        raise DataFault(
            f"the bins of {first.name!r} have different edges", where="statistics", fix="give both the same edges"
        )
    values: dict[str, Any] = {
        **sums,
        "count": first.count + second.count,
        **_averages(first, second),
        **_different(first, second),
    }
    whole = first.model_copy(update=values)
    if first.minimum is None:
        return whole
    return whole.model_copy(
        update={
            "quantiles": {f"{level:g}": quantile_in_bins(whole, level) for level in QUANTILES},
            "quantiles_from": "bins",
        }
    )


def _averages(first: ColumnStatistics, second: ColumnStatistics) -> dict[str, Any]:
    """Extremes, bins, mean and M2.

    Mean and M2 after Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
    Variances", Stanford STAN-CS-79-773, 1979; in fractions, so that each is rounded once.
    """
    if first.minimum is None or second.minimum is None or first.maximum is None or second.maximum is None:
        return {}
    assert first.mean is not None and first.m2 is not None and second.mean is not None and second.m2 is not None
    means, counts = (Fraction(first.mean), Fraction(second.mean)), (first.count, second.count)
    total = sum(counts)
    mean = (means[0] * counts[0] + means[1] * counts[1]) / total
    between = (means[1] - means[0]) ** 2 * counts[0] * counts[1] / total
    return {
        "minimum": min(first.minimum, second.minimum),
        "maximum": max(first.maximum, second.maximum),
        "mean": float(mean),
        "m2": nearest(Fraction(first.m2) + Fraction(second.m2) + between),
        "counts": tuple(a + b for a, b in zip(first.counts, second.counts, strict=True)),
    }


def _different(first: ColumnStatistics, second: ColumnStatistics) -> dict[str, Any]:
    """The different values: exact while both parts list theirs."""
    if first.distinct is None or second.distinct is None:
        return {}
    if not first.listed_are == second.listed_are == "all":
        least = max(first.distinct, second.distinct)
        return {"distinct": least, "distinct_is": "at least", "listed": (), "listed_are": "none"}
    rows: Counter[Scalar] = Counter()
    for entry in (*first.listed, *second.listed):
        rows[entry.value] += entry.rows
    listed = LISTED_VALUES if len(rows) <= LISTED_VALUES else FREQUENT_VALUES if first.kind == "text" else 0
    values = _most_frequent(rows.items())[:listed]
    state = "all" if len(rows) <= LISTED_VALUES else "most frequent" if values else "none"
    return {"distinct": len(rows), "distinct_is": "exact", "listed": values, "listed_are": state}


def _most_frequent(rows: Iterable[tuple[Any, int]]) -> tuple[ValueCount, ...]:
    ordered = sorted(sorted(rows, key=lambda entry: entry[0]), key=lambda entry: -entry[1])
    return tuple(ValueCount(value=value, rows=count) for value, count in ordered)


def quantile_in_bins(column: ColumnStatistics, level: float) -> float:
    """A quantile as if the values of each bin were spread evenly over it; never outside the extremes."""
    assert column.minimum is not None and column.maximum is not None
    low, high = float(column.minimum), float(column.maximum)
    through = reduce(lambda sums, count: [*sums, sums[-1] + count], column.counts, [0])
    place = level * column.count
    bin_ = min(bisect_right(through, place) - 1, len(column.counts) - 1)
    while not column.counts[bin_]:
        bin_ -= 1
    lower = max(column.edges[bin_ - 1], low) if bin_ else low
    upper = min(column.edges[bin_], high) if bin_ < len(column.edges) else high
    part = min((place - through[bin_]) / column.counts[bin_], 1.0)
    return min(max(lower * (1 - part) + upper * part, low), high)
