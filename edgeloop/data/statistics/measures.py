"""What each expectation asks of a table: which rows do not meet it, or which figures it judges.

A question that is not understood is a `Question` with a reason, never a guess. Nulls and NaNs are one here, as they
are to pandas.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from edgeloop.data.statistics.quantiles import nearest_rank
from edgeloop.data.statistics.ranks import order_statistics
from edgeloop.data.statistics.repetition import repetition_of
from edgeloop.data.statistics.table import Table, number, text
from edgeloop.data.statistics.values import ColumnStatistics, TableStatistics

_NUMERIC = ("boolean", "integer", "float")
_BOUNDS = frozenset({"min_value", "max_value", "strict_min", "strict_max"})
_CONDITION = re.compile(
    r"`?(?P<column>[A-Za-z_]\w*)`?"
    r"(?:(?P<given>\.notnull\(\))|\s*(?P<sign>==|!=|<=|>=|<|>)\s*(?P<value>-?[0-9]+(?:\.[0-9]+)?))?"
)
_ALWAYS = frozenset({"batch_id", "column", "result_format", "catch_exceptions"})


class NotAnswered(Exception):
    """Why an expectation cannot be answered."""


@dataclass(frozen=True)
class RowQuestion:
    """An expectation of every row.

    Args:
        considered: SQL that is true for the rows that count.
        failing: SQL that is true for those among them that do not meet it.
        unique: The position of the column whose values must not repeat; `failing` follows from it.
        among: SQL that is true for the rows that the expectation is about at all.
        column: The position of the only column that it looks at; None where there may be others.
    """

    considered: str
    failing: str = "false"
    unique: int | None = None
    among: str = "true"
    column: int | None = None


def row_question(name: str, kwargs: Mapping[str, Any], table: Table) -> RowQuestion | None:
    """The question behind an expectation about rows; None where it is about something else.

    Raises:
        NotAnswered: It has arguments that are not understood, or asks a column for what its kind does not have.
    """
    if name not in _ROWS:
        return None
    arguments, question = _ROWS[name]
    refuse_unknown_arguments(kwargs, arguments | {"mostly", "row_condition", "condition_parser"})
    position = table.position(kwargs["column"])
    asked = question(table, position, kwargs)
    condition = kwargs.get("row_condition")
    if condition is None:
        return replace(asked, column=position)
    if asked.unique is not None:
        raise NotAnswered("the argument row_condition is not answered of values that must not repeat")
    among = _condition(table, condition, kwargs.get("condition_parser"))
    return replace(asked, considered=f"({among}) AND ({asked.considered})", among=among)


def _condition(table: Table, condition: Any, parser: Any) -> str:
    """SQL: a condition on rows as pandas has it: a column of truth values, one that is given, or a comparison."""
    found = _CONDITION.fullmatch(condition.strip()) if isinstance(condition, str) and parser == "pandas" else None
    if found is None or found["column"] not in table.names:
        raise NotAnswered(f"the row_condition {condition!r} is not answered from statistics")
    position = table.position(found["column"])
    if found["given"]:
        return table.present(position)
    if found["sign"] is None:
        if table.kinds[position] != "boolean":
            raise NotAnswered(f"the row_condition {condition!r} is no truth value")
        return f"coalesce(c{position}, false)"
    if table.kinds[position] not in ("integer", "float"):
        raise NotAnswered(f"the row_condition {condition!r} is not about numbers")
    sign = {"==": "=", "!=": "<>"}.get(found["sign"], found["sign"])
    met = f"{table.comparable(position)} {sign} {number(float(found['value']))}"
    return f"{table.present(position)} AND {met}"


def refuse_unknown_arguments(kwargs: Mapping[str, Any], known: frozenset[str]) -> None:
    """Raises `NotAnswered` where an argument is neither among `known` nor of no weight."""
    unknown = sorted(key for key, value in kwargs.items() if key not in known | _ALWAYS and value is not None)
    if unknown:
        raise NotAnswered(f"the argument {unknown[0]} is not answered from statistics")


def _not_null(table: Table, position: int, _kwargs: Mapping[str, Any]) -> RowQuestion:
    return RowQuestion(considered="true", failing=f"NOT ({table.present(position)})")


def _unique(table: Table, position: int, _kwargs: Mapping[str, Any]) -> RowQuestion:
    return RowQuestion(considered=table.present(position), unique=position)


def _in_set(table: Table, position: int, kwargs: Mapping[str, Any]) -> RowQuestion:
    members = [_literal(table, position, member) for member in kwargs.get("value_set") or ()]
    known = f"{table.comparable(position)} IN ({', '.join(members)})" if members else "false"
    return RowQuestion(table.present(position), f"NOT ({known})")


def _literal(table: Table, position: int, member: Any) -> str:
    kind = table.kinds[position]
    if kind == "text" and isinstance(member, str):
        return text(member)
    if kind == "boolean" and isinstance(member, bool):
        return str(member).lower()
    if kind in ("integer", "float") and isinstance(member, int | float) and not isinstance(member, bool):
        return _bound(table, position, member)
    raise NotAnswered(f"value_set: {member!r} cannot be compared with a column of kind {kind}")


def _bound(table: Table, position: int, value: Any) -> str:
    """SQL: a number to compare the column with; whole numbers stay whole beside whole ones."""
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise NotAnswered(f"{value!r} is not a number")
    if table.kinds[position] != "float" and isinstance(value, int) and abs(value) < 10**37:
        return f"({value})"
    return number(value)


def _between(table: Table, position: int, kwargs: Mapping[str, Any]) -> RowQuestion:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if table.kinds[position] not in ("integer", "float"):
        raise NotAnswered(f"a column of kind {table.kinds[position]} has no numbers")
    limits = []
    if low is not None:
        limits.append(f"{'>' if kwargs.get('strict_min') else '>='} {_bound(table, position, low)}")
    if high is not None:
        limits.append(f"{'<' if kwargs.get('strict_max') else '<='} {_bound(table, position, high)}")
    if not limits:
        raise NotAnswered("min_value and max_value cannot both be missing")
    if low is not None and high is not None and low > high:
        raise NotAnswered("min_value cannot be greater than max_value")
    value = table.comparable(position)
    met = " AND ".join(f"{value} {limit}" for limit in limits)
    return RowQuestion(table.present(position), f"NOT ({met})")


def _regex(table: Table, position: int, kwargs: Mapping[str, Any]) -> RowQuestion:
    if table.kinds[position] != "text":
        raise NotAnswered(f"a column of kind {table.kinds[position]} has no text")
    if not isinstance(pattern := kwargs.get("regex"), str):
        raise NotAnswered("regex is not a text")
    try:
        return RowQuestion(table.present(position), f"NOT {table.matches(position, pattern)}")
    except re.error as error:
        raise NotAnswered(f"{pattern!r} is no regular expression ({error})") from error


_ROWS: dict[str, tuple[frozenset[str], Callable[[Table, int, Mapping[str, Any]], RowQuestion]]] = {
    "expect_column_values_to_not_be_null": (frozenset(), _not_null),
    "expect_column_values_to_be_unique": (frozenset(), _unique),
    "expect_column_values_to_be_in_set": (frozenset({"value_set"}), _in_set),
    "expect_column_values_to_be_between": (_BOUNDS, _between),
    "expect_column_values_to_match_regex": (frozenset({"regex"}), _regex),
}


def figure(name: str, kwargs: Mapping[str, Any], table: Table, statistics: TableStatistics) -> float | int | None:
    """The one figure that an expectation about a column or the table judges; None where there is no such figure.

    Raises:
        NotAnswered: As in `row_question`.
        KeyError: The expectation is of another sort.
    """
    if name == "expect_table_row_count_to_be_between":
        refuse_unknown_arguments(kwargs, _BOUNDS)
        return statistics.rows
    taken = _FIGURES[name]
    refuse_unknown_arguments(kwargs, _BOUNDS)
    column = statistics.column(kwargs["column"])
    assert column is not None
    if column.kind not in _NUMERIC and taken is not _distinct:
        raise NotAnswered(f"a column of kind {column.kind} has no numbers")
    return taken(column, table)


def _mean(column: ColumnStatistics, _table: Table) -> float | None:
    if column.negative_infinities and column.positive_infinities:
        return None
    if column.negative_infinities or column.positive_infinities:
        return -math.inf if column.negative_infinities else math.inf
    return column.mean


def _std(column: ColumnStatistics, _table: Table) -> float | None:
    return None if column.negative_infinities or column.positive_infinities else column.sample_std


def _minimum(column: ColumnStatistics, _table: Table) -> float | int | None:
    if column.negative_infinities:
        return -math.inf
    return math.inf if column.minimum is None and column.positive_infinities else column.minimum


def _maximum(column: ColumnStatistics, _table: Table) -> float | int | None:
    if column.positive_infinities:
        return math.inf
    return -math.inf if column.maximum is None and column.negative_infinities else column.maximum


def _distinct(column: ColumnStatistics, table: Table) -> int:
    infinities = bool(column.negative_infinities) + bool(column.positive_infinities)
    if column.distinct is not None and column.distinct_is == "exact":
        return column.distinct + infinities
    return repetition_of(table, table.position(column.name)).distinct


_FIGURES: dict[str, Callable[[ColumnStatistics, Table], float | int | None]] = {
    "expect_column_mean_to_be_between": _mean,
    "expect_column_stdev_to_be_between": _std,
    "expect_column_min_to_be_between": _minimum,
    "expect_column_max_to_be_between": _maximum,
    "expect_column_unique_value_count_to_be_between": _distinct,
}
QUANTILES_EXPECTATION = "expect_column_quantile_values_to_be_between"
COLUMNS_EXPECTATION = "expect_table_columns_to_match_set"


def needs_column(name: str) -> bool:
    """Whether `figure` looks at the statistics of a column for this expectation, or `nearest_quantiles` does."""
    return name in _FIGURES or name == QUANTILES_EXPECTATION


def nearest_quantiles(kwargs: Mapping[str, Any], table: Table, column: ColumnStatistics) -> list[float]:
    """The values nearest to the quantiles that the expectation names, infinities included; NaN where there are none.

    Raises:
        NotAnswered: As in `row_question`.
    """
    refuse_unknown_arguments(kwargs, frozenset({"quantile_ranges", "allow_relative_error"}))
    if kwargs.get("allow_relative_error"):
        raise NotAnswered("quantiles are exact here: allow_relative_error is not answered")
    if column.kind not in ("integer", "float"):
        raise NotAnswered(f"a column of kind {column.kind} has no quantiles")
    lowest, finite = column.negative_infinities, column.count
    everything = lowest + finite + column.positive_infinities
    levels = kwargs["quantile_ranges"]["quantiles"]
    if not everything:
        return [math.nan] * len(levels)
    # pandas asks numpy for percentiles, and a level makes that way there and back
    ranks = [nearest_rank(level * 100 / 100, everything) - lowest for level in levels]
    rungs = {}
    if column.minimum is not None and column.maximum is not None:
        value = table.finite(table.position(column.name))
        rungs = order_statistics(
            lambda: table.numbers(value),
            ranks=[rank for rank in ranks if 0 <= rank < finite],
            minimum=float(column.minimum),
            maximum=float(column.maximum),
            count=finite,
        )
    return [rungs[rank].value if rank in rungs else math.copysign(math.inf, rank) for rank in ranks]
