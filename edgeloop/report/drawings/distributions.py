"""The distribution of every candidate's latencies, one row each on a common logarithmic axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edgeloop.report.drawings.axes import Scale, log_spread
from edgeloop.report.drawings.svg import Element, element, group, line, picture, shortened, text
from edgeloop.report.numerals import TimeUnit, count, plain

WIDTH = 1000
_LEFT, _RIGHT, _TOP, _ROW, _FOOT = 6, 994, 14, 74, 50
_BINS = 230
_HILL = 36


@dataclass(frozen=True)
class Distribution:
    """The raw samples of one candidate.

    Args:
        name: Of the candidate.
        samples_ms: At least one, all positive.
        quantiles_ms: Value by name, such as p50.
        winner: Chosen.
    """

    name: str
    samples_ms: tuple[float, ...]
    quantiles_ms: dict[str, float]
    winner: bool


def distributions_drawn(distributions: Sequence[Distribution], *, unit: TimeUnit) -> Element | None:
    """The picture, or None when no sample was kept.

    A row's hill is the share of its samples in bins of equal ratio, each row to its own height; the line below it
    reaches from the minimum to the maximum.
    """
    if not distributions:
        return None
    ends = [end for d in distributions for end in (min(d.samples_ms), max(d.samples_ms))]
    scale = Scale(*log_spread(ends, margin=0.03), _LEFT, _RIGHT, logarithmic=True)
    bottom = _TOP + _ROW * len(distributions)
    parts = [_axis(scale, bottom, unit)]
    parts += [_row(d, scale, top=_TOP + k * _ROW, unit=unit) for k, d in enumerate(distributions)]
    description = " ".join(_told(d, unit) for d in distributions)
    return picture(
        *parts, width=WIDTH, height=bottom + _FOOT, title="Latency distribution of each candidate",
        description=description, kind="distributions",
    )  # fmt: skip


def _axis(scale: Scale, bottom: float, unit: TimeUnit) -> Element:
    parts = [line(_LEFT, bottom, _RIGHT, bottom, class_="axis")]
    for tick in scale.ticks(10):
        x = scale.at(tick)
        parts.append(line(x, _TOP, x, bottom, class_="grid"))
        parts.append(text(plain(tick * unit.per_ms), x, bottom + 17, class_="tick", text_anchor="middle"))
    middle = (_LEFT + _RIGHT) / 2
    parts.append(text(f"latency [{unit.name}], logarithmic", middle, bottom + 37, class_="label", text_anchor="middle"))
    return group(*parts)


def _row(distribution: Distribution, scale: Scale, *, top: float, unit: TimeUnit) -> Element:
    foot = top + _ROW - 12
    name = shortened(distribution.name, 60)
    times = " · ".join(f"{key} {unit.of(value)}" for key, value in distribution.quantiles_ms.items())
    low, high = scale.at(min(distribution.samples_ms)), scale.at(max(distribution.samples_ms))
    style = "winner" if distribution.winner else ""
    parts = [
        _hill(distribution.samples_ms, scale, foot=foot),
        line(low, foot, high, foot, class_="span"),
        *(_quantile(key, scale.at(value), foot) for key, value in distribution.quantiles_ms.items()),
        text(f"★ {name}" if distribution.winner else name, _LEFT, top + 10, class_="name"),
        text(
            f"{times} {unit.name} · n {count(len(distribution.samples_ms))}",
            _RIGHT, top + 10, class_="tick", text_anchor="end",
        ),
    ]  # fmt: skip
    return group(*parts, class_=f"row {style}".strip())


def _hill(samples_ms: Sequence[float], scale: Scale, *, foot: float) -> Element:
    """A histogram as one filled outline."""
    width = (_RIGHT - _LEFT) / _BINS
    counts = [0] * _BINS
    for value in samples_ms:
        counts[min(_BINS - 1, max(0, int((scale.at(value) - _LEFT) / width)))] += 1
    highest = max(counts)
    outline = [
        # the root keeps a tail of single samples visible beside a peak of thousands
        f"M{_LEFT + k * width:.1f} {foot:.1f}V{foot - _HILL * math.sqrt(number / highest):.1f}h{width:.2f}V{foot:.1f}"
        for k, number in enumerate(counts)
        if number
    ]
    return element("path", d="".join(outline), class_="hill")


def _quantile(name: str, x: float, foot: float) -> Element:
    return group(line(x, foot - 5, x, foot + 5, class_=f"quantile {name}"), element("title", name))


def _told(distribution: Distribution, unit: TimeUnit) -> str:
    times = ", ".join(f"{key} {unit.full(value)}" for key, value in distribution.quantiles_ms.items())
    return f"{distribution.name}: {times}, {len(distribution.samples_ms)} samples."
