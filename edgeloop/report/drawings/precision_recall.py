"""Precision against recall: a line a class, the worst ones in colour."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgeloop.report.drawings.axes import Frame, Scale, frame_drawn
from edgeloop.report.drawings.svg import Element, element, group, line, picture, polyline, shortened, text
from edgeloop.report.numerals import percent

WIDTH, HEIGHT = 460, 430
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 440, 40, 300
_COLOURS = 3
_ROW = 18


@dataclass(frozen=True)
class ClassCurve:
    """One class: the precision at levels of recall that lie evenly from 0 to 1."""

    name: str
    precision: tuple[float, ...]

    @property
    def average(self) -> float:
        """The average precision."""
        return sum(self.precision) / len(self.precision)


def precision_recall_drawn(curves: Sequence[ClassCurve], *, title: str) -> Element | None:
    """The chart, or None without a curve; the three of the lowest average precision are named and coloured."""
    known = sorted((curve for curve in curves if len(curve.precision) > 1), key=lambda curve: curve.average)
    if not known:
        return None
    frame = Frame(Scale(0, 1, _LEFT, _RIGHT), Scale(0, 1, _BOTTOM, _TOP))
    axes = frame_drawn(
        frame,
        x_label="recall",
        y_label="precision",
        x_text=lambda share: percent(share, 0),
        y_text=lambda share: percent(share, 0),
    )
    series = list(enumerate(known[:_COLOURS]))
    lines = [_line(frame, curve, _COLOURS) for curve in known[_COLOURS:]]
    lines += [_line(frame, curve, number) for number, curve in reversed(series)]
    names = [_name(curve, number, y=_BOTTOM + 62 + _ROW * number) for number, curve in series]
    if others := known[_COLOURS:]:
        reach = f"{percent(others[0].average, 1)} to {percent(others[-1].average, 1)}"
        names.append(_row(f"{len(others)} other classes, {reach}", _COLOURS, y=_BOTTOM + 62 + _ROW * len(series)))
    told = "; ".join(f"{curve.name}: average precision {percent(curve.average, 1)}" for curve in known)
    return picture(axes, *lines, *names, width=WIDTH, height=HEIGHT, title=title, description=told, kind="precision")


def _line(frame: Frame, curve: ClassCurve, series: int) -> Element:
    last = len(curve.precision) - 1
    points = [frame.point(k / last, value) for k, value in enumerate(curve.precision)]
    named = element("title", f"{curve.name} {percent(curve.average, 1)}")
    return group(named, polyline(points, class_="curve"), class_=f"series-{series}")


def _name(curve: ClassCurve, series: int, *, y: float) -> Element:
    return _row(f"{shortened(curve.name, 32)}, average precision {percent(curve.average, 1)}", series, y=y)


def _row(content: str, series: int, *, y: float) -> Element:
    stroke = group(line(_LEFT, y - 4, _LEFT + 26, y - 4, class_="curve"), class_=f"series-{series}")
    return group(stroke, text(content, _LEFT + 34, y, class_="name"))
