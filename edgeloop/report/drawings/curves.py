"""Lines over epochs, each named at its end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgeloop.report.drawings.axes import Frame, Scale, frame_drawn, log_spread, spread
from edgeloop.report.drawings.svg import Element, element, group, line, picture, polyline, text

WIDTH, HEIGHT = 600, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 540, 40, 252
_LABEL_PX = 15


@dataclass(frozen=True)
class Curve:
    """One line; a value that is None is a gap."""

    name: str
    values: tuple[float | None, ...]
    series: int = 0


def curves_drawn(
    epochs: Sequence[int],
    curves: Sequence[Curve],
    *,
    title: str,
    y_label: str,
    y_text: Callable[[float], str],
    marked: int | None = None,
    logarithmic: bool = False,
) -> Element | None:
    """The chart, or None when there is no value to draw.

    Args:
        epochs: The x axis.
        curves: At most four.
        title: Read aloud.
        y_label: With the unit.
        y_text: Writes a tick.
        marked: Epoch whose weights were kept.
        logarithmic: Of the y axis; only where all values are positive.
    """
    values = [value for curve in curves for value in curve.values if value is not None]
    if not values:
        return None
    logarithmic = logarithmic and min(values) > 0
    low, high = log_spread(values, margin=0.06) if logarithmic else spread(values, least=1e-3)
    last = max(epochs[-1], epochs[0] + 1)
    frame = Frame(Scale(epochs[0], last, _LEFT, _RIGHT), Scale(low, high, _BOTTOM, _TOP, logarithmic))
    ticks = sorted({round(tick) for tick in frame.x.ticks(8)})
    parts = [frame_drawn(frame, x_label="epoch", y_label=y_label, x_text=str, y_text=y_text, x_ticks=ticks)]
    if marked is not None:
        parts.append(_kept(frame, marked))
    parts += [_line(frame, epochs, curve) for curve in curves]
    parts.append(_names(frame, curves))
    summary = "; ".join(_told(curve, epochs, y_text) for curve in curves)
    return picture(*parts, width=WIDTH, height=HEIGHT, title=title, description=summary)


def _kept(frame: Frame, epoch: int) -> Element:
    x = frame.x.at(epoch)
    left_of = x > (frame.left + frame.right) / 2
    return group(
        line(x, frame.top, x, frame.bottom, class_="marked"),
        text(
            f"kept: epoch {epoch}",
            x - 6 if left_of else x + 6,
            frame.top - 2,
            class_="tick",
            text_anchor="end" if left_of else "start",
        ),
    )


def _line(frame: Frame, epochs: Sequence[int], curve: Curve) -> Element:
    """The line, broken where values are missing; a value with no neighbour is a dot."""
    runs: list[list[tuple[float, float]]] = [[]]
    for epoch, value in zip(epochs, curve.values, strict=True):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(frame.point(epoch, value))
    drawn = [
        polyline(run, class_="curve") if len(run) > 1 else element("circle", cx=run[0][0], cy=run[0][1], r=3)
        for run in runs
        if run
    ]
    return group(*drawn, class_=f"series-{curve.series}")


def _names(frame: Frame, curves: Sequence[Curve]) -> Element:
    """The names right of the last values, pushed apart where they would touch."""
    ends = sorted(_ends(frame, curves), key=lambda end: end[0]) if len(curves) > 1 else []
    places: list[float] = []
    for y, _ in ends:
        places.append(max([y + 4, *(place + _LABEL_PX for place in places[-1:])]))
    beyond = max([0.0, *(place - frame.bottom for place in places[-1:])])
    return group(
        *(
            text(curve.name, frame.right + 7, place - beyond, class_=f"name series-{curve.series}")
            for (_, curve), place in zip(ends, places, strict=True)
        )
    )


def _ends(frame: Frame, curves: Sequence[Curve]) -> list[tuple[float, Curve]]:
    """The height of every curve's last value."""
    known = [(curve, [value for value in curve.values if value is not None]) for curve in curves]
    return [(frame.y.at(values[-1]), curve) for curve, values in known if values]


def _told(curve: Curve, epochs: Sequence[int], y_text: Callable[[float], str]) -> str:
    known = [(epoch, value) for epoch, value in zip(epochs, curve.values, strict=True) if value is not None]
    if not known:
        return f"{curve.name}: no value"
    (first, begin), (last, end) = known[0], known[-1]
    return f"{curve.name} {y_text(begin)} at epoch {first}, {y_text(end)} at epoch {last}"
