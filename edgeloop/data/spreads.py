"""The values of the features that are at fault, class by class or condition by condition, drawn as SVG.

A row of a picture is one class: a thin line from the 5th to the 95th percentile, a bar from the 25th to the 75th, a
stroke at the median, and a mark at each value that does not meet the expectation. Dashed lines are its limits.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeloop.report.drawings.axes import Scale, log_spread, spread
from edgeloop.report.drawings.svg import Element, element, group, line, picture, shortened, text
from edgeloop.report.numerals import count, plain

if TYPE_CHECKING:
    import pandas as pd

    from edgeloop.data.suite import Checked

WIDTH = 900
MAX_SPREADS, MAX_ROWS, MAX_MARKS = 8, 12, 200
_LEFT, _RIGHT, _ROW, _TOP, _FOOT = 170, 830, 24, 8, 26
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_FEWEST_VALUES = 8
"""A column with fewer different values is a count or a choice, and its table says it better."""

_LOG_RATIO = 30
"""Where the largest value is so many times the 95th percentile, all positive, the axis is logarithmic."""


@dataclass(frozen=True)
class Row:
    """The values of one class, and those at fault among them."""

    name: str
    values: tuple[float, ...]
    faulty: tuple[float, ...]


@dataclass(frozen=True)
class Spread:
    """The values of one feature.

    Args:
        column: The feature.
        severity: Of the expectation.
        says: What its author meant by it.
        by: What the rows are.
        rows: At most MAX_ROWS.
        limits: Those of the expectation.
    """

    column: str
    severity: str
    says: str
    by: str
    rows: tuple[Row, ...]
    limits: tuple[float, ...]


def spreads_of(
    frame: "pd.DataFrame", checks: Sequence["Checked"], conditions: Mapping[str, Sequence[str | None]]
) -> list[Spread]:
    """For each expectation on numbers that some samples do not meet, their values by class, then by condition.

    Args:
        frame: See `edgeloop.data.frame`.
        checks: What the suite found on it.
        conditions: See `edgeloop.data.conditions`; the one that is called `condition`, or else the first, is used.
    """
    found = [
        Spread(
            column=check.result.column or "",
            severity=check.result.severity,
            says=check.result.says or check.result.name,
            by=by,
            rows=rows,
            limits=_limits_of(check),
        )
        for check in checks
        if check.failing_ids and _is_drawn(frame, check)
        for by, labels in _groupings(frame, conditions)
        if (rows := _rows(frame, check, labels))
    ]
    return found[:MAX_SPREADS]


_LIMITS = ("min_value", "max_value")


def _limits_of(check: "Checked") -> tuple[float, ...]:
    found = (check.result.expected.get(name) for name in _LIMITS)
    return tuple(float(value) for value in found if isinstance(value, int | float))


def _is_drawn(frame: "pd.DataFrame", check: "Checked") -> bool:
    column = check.result.column
    if column not in frame.columns or not set(check.result.expected) & set(_LIMITS):
        return False
    return frame[column].dtype.kind in "if" and frame[column].nunique() >= _FEWEST_VALUES


def _groupings(
    frame: "pd.DataFrame", conditions: Mapping[str, Sequence[str | None]]
) -> Iterator[tuple[str, Sequence[str | None]]]:
    """By class, where there are several, and by one condition; without both all samples are one row."""
    labels = [label if isinstance(label, str) else None for label in frame["label"]]
    name = "condition" if "condition" in conditions else next(iter(conditions), "")
    if several := len(set(labels) - {None}) > 1:
        yield "class", labels
    if name:
        yield name, conditions[name]
    if not several and not name:
        yield "all samples", ["all"] * len(frame)


def _rows(frame: "pd.DataFrame", check: "Checked", labels: Sequence[str | None]) -> tuple[Row, ...]:
    values = frame[check.result.column].to_numpy(float)
    faulty = frame["id"].isin(check.failing_ids).to_numpy()
    finite = np.isfinite(values)
    names = np.array([label or "" for label in labels], dtype=object)
    largest = sorted(set(names[finite]), key=lambda name: (-int((names == name).sum()), str(name)))[:MAX_ROWS]
    return tuple(
        Row(
            str(name) or "without",
            tuple(values[finite & (names == name)]),
            tuple(values[finite & faulty & (names == name)][:MAX_MARKS]),
        )
        for name in sorted(largest, key=str)
    )


def drawn(shown: Spread) -> Element:
    """The picture of a spread."""
    values = [value for row in shown.rows for value in row.values]
    scale = _scale([*values, *shown.limits])
    bottom = _TOP + _ROW * len(shown.rows)
    parts = [*_axis(scale, bottom), *_limits(shown.limits, scale, bottom)]
    parts += [_row(row, scale, middle=_TOP + _ROW * (k + 0.5)) for k, row in enumerate(shown.rows)]
    said = "; ".join(f"{row.name}: median {plain(float(np.median(row.values)))}" for row in shown.rows)
    title = f"{shown.column} by {shown.by}"
    return picture(*parts, width=WIDTH, height=bottom + _FOOT, title=title, description=said, kind="spread")


def _scale(values: Sequence[float]) -> Scale:
    if min(values) > 0 and max(values) > _LOG_RATIO * float(np.quantile(values, 0.95)):
        return Scale(*log_spread(values, margin=0.03), _LEFT, _RIGHT, logarithmic=True)
    return Scale(*spread(values, margin=0.03), _LEFT, _RIGHT)


def _axis(scale: Scale, bottom: float) -> Iterator[Element]:
    for tick in scale.ticks(8):
        x = scale.at(tick)
        yield line(x, _TOP, x, bottom, class_="grid")
        yield text(plain(tick), x, bottom + 16, class_="tick", text_anchor="middle")


def _limits(limits: Sequence[float], scale: Scale, bottom: float) -> Iterator[Element]:
    for limit in limits:
        yield line(scale.at(limit), _TOP, scale.at(limit), bottom, class_="limit")


def _row(row: Row, scale: Scale, *, middle: float) -> Element:
    low, lower, median, upper, high = (scale.at(float(value)) for value in np.quantile(row.values, _QUANTILES))
    return group(
        text(shortened(row.name, 24), _LEFT - 10, middle + 4, text_anchor="end"),
        line(low, middle, high, middle, class_="reach"),
        element("rect", x=lower, y=middle - 6, width=max(upper - lower, 0.5), height=12.0, rx=2.0, class_="half"),
        line(median, middle - 8, median, middle + 8, class_="median"),
        *(element("circle", cx=scale.at(value), cy=middle, r=3.0, class_="fault") for value in row.faulty),
        text(count(len(row.values)), WIDTH - 4, middle + 4, class_="tick", text_anchor="end"),
    )
