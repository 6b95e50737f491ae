"""What changed since a suite was written: of every expectation that was not met, what was expected and what was found.

To each belongs what can be done: an *edit*, the expectation as it would read if the data is right and the suite has
aged; or a *remedy*, where the suite is right and the data is not. An edit is a proposal for a person; nothing applies
it. What tells of damage whatever the dataset (a sample that cannot be read, the same bytes in two splits) has no edit.
What could not be checked was neither met nor missed, and has none either.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, JsonValue

from edgeloop.contract import Contract
from edgeloop.data.verdict import ExpectationResult, Severity

if TYPE_CHECKING:
    import pandas as pd

Kwargs = Mapping[str, Any]

MAX_NEW_VALUES = 50
"""With more, a column holds no set of values, and there is no edit."""

_SHOWN_VALUES = 5
_DAMAGE = {
    "readable", "labels_of_bytes", "splits_of_bytes", "splits_of_group", "target_missing", "mistyped", "infinite_cells",
}  # fmt: skip


class Anomaly(Contract):
    """One expectation that was not met, or that could not be checked."""

    severity: Severity
    status: Literal["fail", "could not check"]
    says: str = Field(description="what the suite's author meant by it")
    expected: str
    found: str
    samples: int = Field(description="that do not meet it; 0 where it is not about single samples")
    remedy: str = Field(description="what to do if the suite is right")
    expectation: dict[str, JsonValue] = Field(description="as it stands in the suite")
    edit: dict[str, JsonValue] | None = Field(
        default=None, description="to stand there instead, if the data is right; null where nothing should be accepted"
    )

    def line(self) -> str:
        """What was expected, what was found, and how many samples."""
        counted = "1 sample" if self.samples == 1 else f"{self.samples:,} samples"
        about = f", {counted}" if self.samples else ""
        return f"{self.says}: expected {self.expected}, found {self.found}{about}"


@dataclass(frozen=True)
class Finding:
    """What was found, and the arguments that would accept it, or None."""

    found: str
    kwargs: Kwargs | None = None


def anomalies(
    expectations: Sequence[Mapping[str, Any]], results: Sequence[ExpectationResult], frame: "pd.DataFrame"
) -> tuple[Anomaly, ...]:
    """The anomalies, in the order of the suite.

    Args:
        expectations: That were checked, as they stand in the suite.
        results: Theirs, in the same order.
        frame: The table that they were checked on.
    """
    return anomalies_found(expectations, results, lambda values, result: _finding(values, result, frame))


def anomalies_found(
    expectations: Sequence[Mapping[str, Any]],
    results: Sequence[ExpectationResult],
    found: Callable[[Mapping[str, Any], ExpectationResult], Finding],
) -> tuple[Anomaly, ...]:
    """As `anomalies`, where something else than a table in memory tells what was found.

    Args:
        expectations: As of `anomalies`.
        results: As of `anomalies`.
        found: Called for each that was not met.
    """
    return tuple(
        _anomaly(values, result, found)
        for values, result in zip(expectations, results, strict=True)
        if result.status != "pass"
    )


def _anomaly(
    values: Mapping[str, Any],
    result: ExpectationResult,
    found: Callable[[Mapping[str, Any], ExpectationResult], Finding],
) -> Anomaly:
    kwargs = values["kwargs"]
    finding = Finding(result.reason) if result.status == "could not check" else found(values, result)
    acceptable = finding.kwargs is not None and result.column not in _DAMAGE
    return Anomaly(
        severity=result.severity,
        status="fail" if result.status == "fail" else "could not check",
        says=result.says or result.name,
        expected=expected(values["type"], kwargs),
        found=finding.found,
        samples=result.failing,
        remedy=_remedy(result),
        expectation=dict(values),
        edit={**values, "kwargs": dict(finding.kwargs)} if acceptable and finding.kwargs is not None else None,
    )


def _remedy(result: ExpectationResult) -> str:
    if result.status == "could not check":
        return "mend the data or the expectation until it can be checked; until then it is not met"
    if not result.first_ids:
        return "mend the data"
    first = f"{result.first_ids[0]}{', …' if result.failing > 1 else ''}"
    if result.severity == "critical":
        return f"mend or remove the samples, or leave them out with `edgeloop data quarantine` ({first})"
    return f"look at the samples ({first})"


def expected(kind: str, kwargs: Kwargs) -> str:
    """What an expectation asks for, in a few words."""
    column, least, most = kwargs.get("column", ""), kwargs.get("min_value"), kwargs.get("max_value")
    share = f" in {100 * kwargs['mostly']:g} % of the samples" if kwargs.get("mostly", 1) < 1 else ""
    match kind:
        case "expect_column_values_to_not_be_null":
            return f"a value of {column}{share or ' in every sample'}"
        case (
            "expect_column_values_to_be_in_set"
            | "expect_column_distinct_values_to_be_in_set"
            | "expect_column_most_common_value_to_be_in_set"
        ):
            return f"{column} {_listed(kwargs['value_set'], ' or ')}{share}"
        case "expect_column_distinct_values_to_contain_set" | "expect_column_distinct_values_to_equal_set":
            return f"{column} to have {_listed(kwargs['value_set'], ' and ')}"
        case "expect_column_kl_divergence_to_be_less_than":
            return f"{column} shared out {_shares(kwargs['partition_object'])}"
        case "expect_table_columns_to_match_set":
            return f"the columns {_listed(kwargs['column_set'], ' and ')}"
        case "expect_column_to_exist":
            return f"the column {column}"
    if least is not None or most is not None:
        what = f"{column} {_measure(kind)}".strip()
        return f"{what} {_between(least, most)}{share}"
    others = {key: value for key, value in kwargs.items() if key not in ("column", "mostly")}
    return f"{column} {', '.join(f'{key} {value}' for key, value in others.items())}".strip() + share


def _measure(kind: str) -> str:
    """Of `expect_column_mean_to_be_between` the word `mean`; nothing of what is said of each value."""
    words = kind.removeprefix("expect_").removeprefix("column_").removeprefix("table_").partition("_to_be_")[0]
    return "" if words == "values" else words.replace("_", " ")


def _between(least: Any, most: Any) -> str:
    if most is None:
        return f"of at least {_figure(least)}"
    if least is None:
        return f"of at most {_figure(most)}"
    return f"of {_figure(least)}" if least == most else f"from {_figure(least)} to {_figure(most)}"


def _figure(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"


def _listed(values: Sequence[Any], between: str) -> str:
    shown = [_figure(value) for value in values[:_SHOWN_VALUES]]
    more = len(values) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more} more"
    return between.join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def _shares(partition: Mapping[str, Any]) -> str:
    pairs = zip(partition["values"], partition["weights"], strict=True)
    return ", ".join(f"{100 * weight:.3g} % {value}" for value, weight in pairs)


def _finding(values: Mapping[str, Any], result: ExpectationResult, frame: "pd.DataFrame") -> Finding:
    finder = _FINDERS.get(values["type"])
    return finder(values["kwargs"], frame, result) if finder else observed_otherwise(values["kwargs"], result)


def observed_otherwise(kwargs: Kwargs, result: ExpectationResult) -> Finding:
    """What an expectation about a figure found; shares are compared value by value."""
    observed = result.observed
    if isinstance(observed, Mapping) and "partition_object" in kwargs:
        partition: dict[str, Any] = {"values": observed["values"], "weights": observed["weights"]}
        return Finding(_shares(partition), {**kwargs, "partition_object": partition})
    if isinstance(observed, int | float) and ("min_value" in kwargs or "max_value" in kwargs):
        return Finding(_figure(observed), _widened(kwargs, observed, observed))
    return Finding("something else" if observed is None else str(observed))


def _widened(kwargs: Kwargs, low: Any, high: Any) -> dict[str, Any]:
    """The arguments with ends that let `low` and `high` in."""
    ends = dict(kwargs)
    if ends.get("min_value") is not None:
        ends["min_value"] = min(ends["min_value"], low)
    if ends.get("max_value") is not None:
        ends["max_value"] = max(ends["max_value"], high)
    return {**ends, **{key: False for key in ("strict_min", "strict_max") if key in ends}}


def _outside(kwargs: Kwargs, frame: "pd.DataFrame", _result: ExpectationResult) -> Finding:
    values = _column(kwargs, frame).dropna()
    least, most = kwargs.get("min_value"), kwargs.get("max_value")
    below = values[values < least] if least is not None else values[:0]
    above = values[values > most] if most is not None else values[:0]
    ends = _plain(values.min()), _plain(values.max())
    return outside(kwargs, (len(below), len(above)), ends, needed=_ends_needed(kwargs, values))


def outside(kwargs: Kwargs, counts: tuple[int, int], ends: tuple[Any, Any], *, needed: tuple[Any, Any]) -> Finding:
    """Values outside a range.

    Args:
        kwargs: Of the expectation.
        counts: Values below and above.
        ends: The least and the largest of all values.
        needed: Those that have to be let in.
    """
    (below, above), (low, high) = counts, ends
    parts = [f"{below:,} below, down to {_figure(low)}"] if below else []
    parts += [f"{above:,} above, up to {_figure(high)}"] if above else []
    found = " and ".join(parts) or f"from {_figure(low)} to {_figure(high)}"
    return Finding(found, _widened(kwargs, *needed))


def _ends_needed(kwargs: Kwargs, values: "pd.Series[Any]") -> tuple[Any, Any]:
    """The least and the largest of those values nearest to the range that have to lie in it."""
    least, most = kwargs.get("min_value"), kwargs.get("max_value")
    far = values * 0
    far = far if least is None else far.where(values >= least, least - values)
    far = far if most is None else far.where(values <= most, values - most)
    needed = math.ceil(kwargs.get("mostly", 1) * len(values))
    near = values[far.sort_values(kind="stable").index[:needed]]
    return _plain(near.min()), _plain(near.max())


def _other_values(kwargs: Kwargs, frame: "pd.DataFrame", _result: ExpectationResult) -> Finding:
    counts = _column(kwargs, frame).dropna().value_counts()
    known = set(kwargs["value_set"])
    return new_values(kwargs, ((_plain(value), int(n)) for value, n in counts.items() if value not in known))


def new_values(kwargs: Kwargs, counted: Iterable[tuple[Any, int]]) -> Finding:
    """Values that a set does not have, and the samples of each."""
    new = sorted(counted, key=_order)
    shown = ", ".join(f"{n:,} × {value}" for value, n in new[:_SHOWN_VALUES])
    more = f" and {len(new) - _SHOWN_VALUES:,} more values" if len(new) > _SHOWN_VALUES else ""
    if len(new) > MAX_NEW_VALUES:
        return Finding(f"{shown}{more}")
    return Finding(f"{shown}{more}", {**kwargs, "value_set": [*kwargs["value_set"], *(value for value, _ in new)]})


def _order(counted: tuple[Any, int]) -> tuple[int, str]:
    return -counted[1], str(counted[0])


def _missing_values(kwargs: Kwargs, frame: "pd.DataFrame", _result: ExpectationResult) -> Finding:
    return missing_values(kwargs, set(_column(kwargs, frame).dropna().unique()))


def missing_values(kwargs: Kwargs, present: Set[Any]) -> Finding:
    """Values of a set that no sample has."""
    missing = [value for value in kwargs["value_set"] if value not in present]
    kept = [value for value in kwargs["value_set"] if value in present]
    return Finding(f"none of {_listed(missing, ' or ')}", {**kwargs, "value_set": kept} if kept else None)


def _other_set(kwargs: Kwargs, frame: "pd.DataFrame", _result: ExpectationResult) -> Finding:
    return other_set(kwargs, [_plain(value) for value in _column(kwargs, frame).dropna().unique()])


def other_set(kwargs: Kwargs, values: Iterable[Any]) -> Finding:
    """The different values where they are not the set."""
    present = sorted(values, key=str)
    found = _listed(present, " and ") or "no value"
    return Finding(found, {**kwargs, "value_set": present} if 0 < len(present) <= MAX_NEW_VALUES else None)


def _nulls(kwargs: Kwargs, frame: "pd.DataFrame", result: ExpectationResult) -> Finding:
    condition = kwargs.get("row_condition")
    if condition is not None and not isinstance(condition, str):
        return Finding(f"{result.failing:,} without one")
    rows = frame.query(condition) if condition else frame
    return without_value(kwargs, len(rows) - int(_column(kwargs, rows).notna().sum()), rows=len(rows))


def without_value(kwargs: Kwargs, missing: int, *, rows: int) -> Finding:
    """Samples without a value."""
    share = (rows - missing) * 10_000 // rows / 10_000
    accepting = {**kwargs, "mostly": share} if share > 0 else None
    return Finding(f"{missing:,} of {rows:,} without one", accepting)


def _other_type(kwargs: Kwargs, frame: "pd.DataFrame", _result: ExpectationResult) -> Finding:
    return Finding(f"values of type {_column(kwargs, frame).dtype}")


def _columns(kwargs: Kwargs, frame: "pd.DataFrame", _result: ExpectationResult) -> Finding:
    return other_columns(kwargs, set(map(str, frame.columns)))


def other_columns(kwargs: Kwargs, there: Set[str]) -> Finding:
    """Columns that are not the ones expected."""
    missing = [name for name in kwargs["column_set"] if name not in there]
    kept = [name for name in kwargs["column_set"] if name in there]
    if missing:
        return Finding(f"no column {_listed(missing, ' or ')}", {**kwargs, "column_set": kept} if kept else None)
    new = sorted(there - set(kept))
    return Finding(f"also the columns {_listed(new, ' and ')}", {**kwargs, "column_set": [*kept, *new]})


def _no_column(_kwargs: Kwargs, _frame: "pd.DataFrame", _result: ExpectationResult) -> Finding:
    return Finding("no such column")


def _other_shares(kwargs: Kwargs, _frame: "pd.DataFrame", result: ExpectationResult) -> Finding:
    return observed_otherwise(kwargs, result) if isinstance(result.observed, Mapping) else Finding("no value")


def _column(kwargs: Kwargs, frame: "pd.DataFrame") -> "pd.Series[Any]":
    name: str = kwargs["column"]
    return frame[name]


def _plain(value: Any) -> Any:
    """A number of numpy as one of Python's; a float that is whole stays as exact as it is."""
    plain = value.item() if hasattr(value, "item") else value
    return int(plain) if isinstance(plain, float) and plain.is_integer() else plain


_FINDERS: Mapping[str, Callable[[Kwargs, "pd.DataFrame", ExpectationResult], Finding]] = {
    "expect_column_values_to_be_between": _outside,
    "expect_column_values_to_be_in_set": _other_values,
    "expect_column_distinct_values_to_be_in_set": _other_values,
    "expect_column_most_common_value_to_be_in_set": _other_values,
    "expect_column_distinct_values_to_contain_set": _missing_values,
    "expect_column_distinct_values_to_equal_set": _other_set,
    "expect_column_values_to_not_be_null": _nulls,
    "expect_column_values_to_be_of_type": _other_type,
    "expect_column_values_to_be_in_type_list": _other_type,
    "expect_table_columns_to_match_set": _columns,
    "expect_column_to_exist": _no_column,
    "expect_column_kl_divergence_to_be_less_than": _other_shares,
}
