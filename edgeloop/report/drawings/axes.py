"""Scales, ticks and the frame that every chart stands in."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgeloop.report.drawings.svg import Element, group, line, text

_LARGEST_EXPONENT = 700.0
"""Of a double: beyond, there is no number to end an axis at."""


@dataclass(frozen=True)
class Scale:
    """Values on an axis: `low` is drawn at `start`, `high` at `end`, both in picture units."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """Where `value` is drawn."""
        if self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values inside the scale."""
        if self.logarithmic:
            for digits in ((1,), (1, 2, 5)):
                found = _log_ticks(self.low, self.high, digits)
                if len(found) >= 3:
                    return found[:: -(-len(found) // (most + 3))]
        return _round_ticks(self.low, self.high, most)


def _log_ticks(low: float, high: float, digits: Sequence[int]) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [d * 10.0**e for e in decades for d in digits if low <= d * 10.0**e <= high]


def _round_ticks(low: float, high: float, most: int) -> list[float]:
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def spread(values: Sequence[float], *, margin: float = 0.06, least: float = 0.0) -> tuple[float, float]:
    """Low and high that hold `values` with a margin (a share of their span); never of no width."""
    low, high = min(values), max(values)
    span = max(high - low, least, abs(high) * 1e-6, 1e-9)
    middle = (low + high) / 2
    return middle - span * (0.5 + margin), middle + span * (0.5 + margin)


def log_spread(values: Sequence[float], *, margin: float = 0.08) -> tuple[float, float]:
    """As `spread`, of positive values on a logarithmic scale, at least a factor of 2 wide."""
    low, high = spread([math.log(v) for v in values], margin=margin, least=math.log(2))
    return math.exp(max(low, -_LARGEST_EXPONENT)), math.exp(min(high, _LARGEST_EXPONENT))


@dataclass(frozen=True)
class Frame:
    """The drawing area of a chart and its two scales."""

    x: Scale
    y: Scale

    @property
    def left(self) -> float:
        """Of the area."""
        return self.x.start

    @property
    def right(self) -> float:
        """Of the area."""
        return self.x.end

    @property
    def top(self) -> float:
        """Of the area."""
        return self.y.end

    @property
    def bottom(self) -> float:
        """Of the area."""
        return self.y.start

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where a pair of values is drawn."""
        return self.x.at(x), self.y.at(y)


def frame_drawn(
    frame: Frame,
    *,
    x_label: str,
    y_label: str,
    x_text: Callable[[float], str],
    y_text: Callable[[float], str],
    x_ticks: Sequence[float] | None = None,
) -> Element:
    """Grid, ticks and axis titles; the title of the y axis stands above it, so that nobody tilts the head."""
    parts = []
    for value in frame.y.ticks(5):
        y = frame.y.at(value)
        parts.append(line(frame.left, y, frame.right, y, class_="grid"))
        parts.append(text(y_text(value), frame.left - 7, y + 4, class_="tick", text_anchor="end"))
    for value in frame.x.ticks() if x_ticks is None else x_ticks:
        x = frame.x.at(value)
        parts.append(line(x, frame.bottom, x, frame.bottom + 4, class_="axis"))
        parts.append(text(x_text(value), x, frame.bottom + 17, class_="tick", text_anchor="middle"))
    parts.append(line(frame.left, frame.bottom, frame.right, frame.bottom, class_="axis"))
    parts.append(text(x_label, (frame.left + frame.right) / 2, frame.bottom + 35, class_="label", text_anchor="middle"))
    parts.append(text(y_label, frame.left - 40, frame.top - 12, class_="label"))
    return group(*parts)
