"""How far the metric falls as samples go bad: a panel a corruption, a line a variant."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgeloop.report.drawings.axes import Frame, Scale, frame_drawn, spread
from edgeloop.report.drawings.svg import Element, element, group, line, picture, polyline, shortened, text, width_of
from edgeloop.report.numerals import percent

HEIGHT = 300
_PANEL, _LEFT, _TOP, _BOTTOM = 232, 56, 64, 252
_COLOURS = 3
_FONT_PX = 12.0


@dataclass(frozen=True)
class Fall:
    """One variant in one corruption: the metric clean, then at each strength; None where it is not known."""

    variant: str
    corruption: str
    values: tuple[float | None, ...]


def robustness_drawn(falls: Sequence[Fall], *, metric: str) -> Element | None:
    """The panels side by side on one scale, or None without a value.

    Args:
        falls: The first variant is the one that the others are compared with; from the fourth on they are grey.
        metric: Its name.
    """
    known = [value for fall in falls for value in fall.values if value is not None]
    if not known:
        return None
    low, high = spread(known, least=0.05)
    corruptions = list(dict.fromkeys(fall.corruption for fall in falls))
    variants = list(dict.fromkeys(fall.variant for fall in falls))
    parts = [_legend(variants, metric)]
    for number, corruption in enumerate(corruptions):
        here = [fall for fall in falls if fall.corruption == corruption]
        left = _LEFT + number * _PANEL
        last = max(len(fall.values) for fall in here) - 1
        frame = Frame(Scale(0, last, left, left + _PANEL - 40), Scale(low, high, _BOTTOM, _TOP))
        parts.append(_panel(frame, corruption, strengths=last, first=number == 0))
        parts += [_line(frame, fall, min(variants.index(fall.variant), _COLOURS)) for fall in here]
    return picture(
        *parts,
        width=_LEFT + len(corruptions) * _PANEL - 24,
        height=HEIGHT,
        title=f"{metric} by corruption and strength",
        description="; ".join(map(_told, falls)),
        kind="robustness",
    )


def _panel(frame: Frame, corruption: str, *, strengths: int, first: bool) -> Element:
    axes = frame_drawn(
        frame,
        x_label="strength",
        y_label="",
        x_text=lambda strength: "clean" if strength == 0 else f"{strength:.0f}",
        y_text=(lambda share: percent(share, 0)) if first else (lambda _: ""),
        x_ticks=range(strengths + 1),
    )
    return group(axes, text(corruption, frame.left, frame.top - 10, class_="name strong"))


def _line(frame: Frame, fall: Fall, series: int) -> Element:
    """A line with a dot a value; what is not known leaves a gap."""
    runs: list[list[tuple[float, float]]] = [[]]
    for strength, value in enumerate(fall.values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(frame.point(strength, value))
    lines = [polyline(run, class_="curve") for run in runs if len(run) > 1]
    dots = [element("circle", cx=x, cy=y, r=3) for run in runs for x, y in run]
    return group(element("title", _told(fall)), *lines, *dots, class_=f"series-{series}")


def _legend(variants: Sequence[str], metric: str) -> Element:
    """The grey ones share an entry: each is told by the title of its line."""
    grey = variants[_COLOURS:]
    names = [*variants[:_COLOURS], *(grey if len(grey) == 1 else [f"{len(grey)} others"] * bool(grey))]
    parts, x = [text(metric, 16, 24, class_="label")], 40 + width_of(metric, _FONT_PX)
    for series, name in enumerate(shortened(name, 28) for name in names):
        parts.append(group(line(x, 20, x + 26, 20, class_="curve"), class_=f"series-{series}"))
        parts.append(text(name, x + 32, 24, class_="name"))
        x += 52 + width_of(name, _FONT_PX)
    return group(*parts)


def _told(fall: Fall) -> str:
    values = ", ".join("unknown" if value is None else percent(value, 1) for value in fall.values)
    return f"{fall.variant}, {fall.corruption}: {values}"
