"""What expectations about the different values of a column are judged on: a table of those few, or their shares.

Great Expectations judges the first sort itself: whether the different values are a set, or which is the most frequent,
it finds in a table where each stands once. Shares are compared by the formula of its Kullback-Leibler divergence.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from edgeloop.data.statistics.measures import NotAnswered, refuse_unknown_arguments
from edgeloop.data.statistics.table import Table
from edgeloop.data.statistics.values import LISTED_VALUES, ColumnStatistics, TableStatistics

DIVERGENCE_EXPECTATION = "expect_column_kl_divergence_to_be_less_than"
_MOST_COMMON = "expect_column_most_common_value_to_be_in_set"
_SETS = tuple(f"expect_column_distinct_values_to_{what}_set" for what in ("be_in", "contain", "equal"))
_TYPES = {
    "expect_column_values_to_be_of_type": frozenset({"type_", "mostly"}),
    "expect_column_values_to_be_in_type_list": frozenset({"type_list", "mostly"}),
}
OF_FEW = (_MOST_COMMON, *_SETS, *_TYPES)


def few_values(name: str, kwargs: Mapping[str, Any], table: Table, statistics: TableStatistics) -> Sequence[Any]:
    """The values on which an expectation of OF_FEW gives the answer that it gives on the whole table.

    Raises:
        NotAnswered: There is no value, there are too many, or an argument is not understood.
    """
    refuse_unknown_arguments(kwargs, _TYPES.get(name, frozenset({"value_set", "ties_okay"})))
    if name in _TYPES:
        position = table.position(kwargs["column"])
        value = table.fetch(table.selected(f"any_value(c{position})", f"AND {table.present(position)}"))[0][0]
        if value is None:
            raise NotAnswered("no sample has a value")
        return [value]
    column = _counted(kwargs, statistics)
    if name == _MOST_COMMON:
        return [entry.value for entry in column.listed if entry.rows == column.listed[0].rows]
    if column.listed_are != "all":
        raise NotAnswered(f"the column has more than {LISTED_VALUES:,} different values")
    return [entry.value for entry in column.listed]


def divergence(kwargs: Mapping[str, Any], statistics: TableStatistics) -> tuple[bool, dict[str, Any]]:
    """Whether the shares of the values are near enough to those expected, and what they are.

    Raises:
        NotAnswered: As `few_values`; or the partition is one of numbers.
    """
    refuse_unknown_arguments(kwargs, frozenset({"partition_object", "threshold"}))
    partition = kwargs.get("partition_object")
    if not isinstance(partition, Mapping) or set(partition) != {"values", "weights"} or kwargs.get("threshold") is None:
        raise NotAnswered("a partition of values and their weights, and a threshold, are answered only")
    column = _counted(kwargs, statistics)
    if column.listed_are != "all":
        raise NotAnswered(f"the column has more than {LISTED_VALUES:,} different values")
    counts = {entry.value: entry.rows for entry in column.listed}
    total = sum(counts.values())
    expected = dict(zip(partition["values"], partition["weights"], strict=True))
    values = [*expected, *(value for value in counts if value not in expected)]
    observed = [counts.get(value, 0) / total for value in values]
    whole = sum(expected.values())
    terms = [
        _term(share, expected.get(value, 0) / whole if whole else 0.0)
        for value, share in zip(values, observed, strict=True)
    ]
    found = sum(terms)
    told = {"value": None if math.isinf(found) else found, "values": values, "weights": observed}
    return found <= kwargs["threshold"], told


def _term(share: float, expected: float) -> float:
    if not share:
        return 0.0
    return share * math.log(share / expected) if expected else math.inf


def _counted(kwargs: Mapping[str, Any], statistics: TableStatistics) -> ColumnStatistics:
    column = statistics.column(kwargs["column"])
    assert column is not None
    if not column.listed:
        reason = "no sample has a value" if not column.count else "the column has too many different values"
        raise NotAnswered(reason)
    return column
