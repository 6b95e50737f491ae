"""What changed since a suite was written, told of a table of any size; see `edgeloop.data.anomalies`."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from edgeloop.data.anomalies import (
    Finding,
    Kwargs,
    missing_values,
    new_values,
    observed_otherwise,
    other_columns,
    other_set,
    outside,
    without_value,
)
from edgeloop.data.statistics.measures import RowQuestion, row_question
from edgeloop.data.statistics.table import Table, number
from edgeloop.data.verdict import ExpectationResult

_MOST_VALUES = 1_000


def found_in(table: Table, values: Mapping[str, Any], result: ExpectationResult) -> Finding:
    """What was found for an expectation that was not met.

    Args:
        table: That was judged.
        values: The expectation, as it stands in the suite.
        result: Its result.
    """
    finder = _FINDERS.get(values["type"], _otherwise)
    return finder(table, values["type"], values["kwargs"], result)


def _otherwise(_table: Table, _name: str, kwargs: Kwargs, result: ExpectationResult) -> Finding:
    return observed_otherwise(kwargs, result)


def _outside(table: Table, name: str, kwargs: Kwargs, _result: ExpectationResult) -> Finding:
    considered, value = f"AND {_asked(table, name, kwargs).considered}", _value(table, kwargs)
    least, most = kwargs.get("min_value"), kwargs.get("max_value")
    below = "false" if least is None else f"{value} < {number(least)}"
    above = "false" if most is None else f"{value} > {number(most)}"
    counts = f"count(*) FILTER ({below}), count(*) FILTER ({above}), count(*), min({value}), max({value})"
    less, more, rows, low, high = table.fetch(table.selected(counts, considered))[0]
    ends, needed = (low, high), math.ceil(kwargs.get("mostly", 1) * rows)
    if needed < rows:
        under = "0.0" if least is None else f"{number(least)} - {value}"
        over = "0.0" if most is None else f"{value} - {number(most)}"
        far = f"greatest(0.0, {under}, {over})"
        last = f"{considered} ORDER BY 1 LIMIT 1 OFFSET {max(needed - 1, 0)}"
        reach = table.fetch(table.selected(far, last))[0][0]
        near = f"{considered} AND {far} <= {number(reach)}"
        ends = table.fetch(table.selected(f"min({value}), max({value})", near))[0]
    return outside(kwargs, (less, more), (_plain(low), _plain(high)), needed=(_plain(ends[0]), _plain(ends[1])))


def _other_values(table: Table, name: str, kwargs: Kwargs, _result: ExpectationResult) -> Finding:
    question, value = _asked(table, name, kwargs), _value(table, kwargs)
    grouped = f"AND ({question.considered}) AND ({question.failing}) GROUP BY v ORDER BY n DESC, v LIMIT {_MOST_VALUES}"
    found = table.fetch(table.selected(f"{value} AS v, count(*) AS n", grouped))
    return new_values(kwargs, ((_plain(v), int(n)) for v, n in found))


def _other_distinct(table: Table, _name: str, kwargs: Kwargs, _result: ExpectationResult) -> Finding:
    known = set(kwargs["value_set"])
    return new_values(kwargs, ((v, n) for v, n in _counted(table, kwargs) if v not in known))


def _missing(table: Table, _name: str, kwargs: Kwargs, _result: ExpectationResult) -> Finding:
    return missing_values(kwargs, {value for value, _ in _counted(table, kwargs)})


def _other_set(table: Table, _name: str, kwargs: Kwargs, _result: ExpectationResult) -> Finding:
    return other_set(kwargs, [value for value, _ in _counted(table, kwargs)])


def _nulls(table: Table, name: str, kwargs: Kwargs, result: ExpectationResult) -> Finding:
    question = _asked(table, name, kwargs)
    rows = int(table.fetch(table.selected("count(*)", f"AND {question.among}"))[0][0])
    return without_value(kwargs, result.failing, rows=rows)


def _other_type(table: Table, _name: str, kwargs: Kwargs, _result: ExpectationResult) -> Finding:
    return Finding(f"values of type {table.kinds[table.position(kwargs['column'])]}")


def _columns(table: Table, _name: str, kwargs: Kwargs, _result: ExpectationResult) -> Finding:
    return other_columns(kwargs, set(table.names))


def _no_column(_table: Table, _name: str, _kwargs: Kwargs, _result: ExpectationResult) -> Finding:
    return Finding("no such column")


def _asked(table: Table, name: str, kwargs: Kwargs) -> RowQuestion:
    question = row_question(name, kwargs, table)
    assert question is not None
    return question


def _value(table: Table, kwargs: Kwargs) -> str:
    return table.comparable(table.position(kwargs["column"]))


def _counted(table: Table, kwargs: Kwargs) -> list[tuple[Any, int]]:
    """The most frequent values and their rows."""
    position = table.position(kwargs["column"])
    value = table.comparable(position)
    grouped = f"AND {table.present(position)} GROUP BY v ORDER BY n DESC, v LIMIT {_MOST_VALUES}"
    return [(_plain(v), int(n)) for v, n in table.fetch(table.selected(f"{value} AS v, count(*) AS n", grouped))]


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Finder = Callable[[Table, str, Kwargs, ExpectationResult], Finding]
_FINDERS: Mapping[str, Finder] = {
    "expect_column_values_to_be_between": _outside,
    "expect_column_values_to_be_in_set": _other_values,
    "expect_column_distinct_values_to_be_in_set": _other_distinct,
    "expect_column_most_common_value_to_be_in_set": _other_distinct,
    "expect_column_distinct_values_to_contain_set": _missing,
    "expect_column_distinct_values_to_equal_set": _other_set,
    "expect_column_values_to_not_be_null": _nulls,
    "expect_column_values_to_be_of_type": _other_type,
    "expect_column_values_to_be_in_type_list": _other_type,
    "expect_table_columns_to_match_set": _columns,
    "expect_column_to_exist": _no_column,
}
