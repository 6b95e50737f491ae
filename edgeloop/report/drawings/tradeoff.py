"""Latency against accuracy: who is beaten by whom, and where the limits are."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from edgeloop.report.drawings.axes import Frame, Scale, frame_drawn, log_spread, spread
from edgeloop.report.drawings.labels import Box, placed
from edgeloop.report.drawings.svg import Element, element, group, line, picture, polyline, shortened, text
from edgeloop.report.numerals import TimeUnit, percent, plain

WIDTH, HEIGHT = 900, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 884, 44, 386
_LONGEST_LABEL = 40

MOST_NAMED = 10
"""With more candidates only the winner and the front are named; the others carry their number."""


@dataclass(frozen=True)
class Mark:
    """One candidate.

    Args:
        number: Of the candidate, counted from 1.
        name: Of the candidate.
        p50_ms: Median latency.
        judged_ms: The latency that selection looks at: the upper bound of a quantile, or what stands for it.
        accuracy: In 0..1.
        admitted: Inside all limits.
        winner: Chosen.
    """

    number: int
    name: str
    p50_ms: float
    judged_ms: float
    accuracy: float
    admitted: bool
    winner: bool


def front_of(marks: Sequence[Mark]) -> list[Mark]:
    """The admitted candidates that no other admitted one beats in both, fastest first."""
    front: list[Mark] = []
    for mark in sorted((m for m in marks if m.admitted), key=lambda m: (m.judged_ms, -m.accuracy)):
        if not front or mark.accuracy > front[-1].accuracy:
            front.append(mark)
    return front


def tradeoff_drawn(
    marks: Sequence[Mark],
    *,
    unit: TimeUnit,
    quantile: str,
    metric: str,
    max_latency_ms: float | None,
    min_accuracy: float | None,
) -> Element | None:
    """The chart, or None when nothing was measured.

    Args:
        marks: Candidates with a latency and an accuracy.
        unit: Of the x axis.
        quantile: What the x axis shows, such as `p90, 99 % upper bound`.
        metric: Of the y axis.
        max_latency_ms: Limit, drawn as a line.
        min_accuracy: Limit, drawn as a line.
    """
    if not marks:
        return None
    frame = _frame(marks, max_latency_ms, min_accuracy)
    axes = frame_drawn(
        frame,
        x_label=f"latency, {quantile} [{unit.name}], logarithmic",
        y_label=f"{metric} on val",
        x_text=lambda value: plain(value * unit.per_ms),
        y_text=lambda share: percent(share, 1),
    )
    limits, taken = _limits(frame, max_latency_ms, min_accuracy, unit)
    corners = _front(frame, front_of(marks))
    taken += [*_along(corners), *(_box_of_whisker(frame, mark) for mark in marks)]
    spots = [group(*_whisker(frame, mark), _spot(frame, mark)) for mark in marks]
    description = " ".join(_told(mark, unit) for mark in marks)
    return picture(
        axes, limits, polyline(corners, class_="front"), *spots, _labels(frame, marks, taken),
        width=WIDTH, height=HEIGHT, title=f"Latency against {metric} of {len(marks)} candidates",
        description=description, kind="tradeoff",
    )  # fmt: skip


def _frame(marks: Sequence[Mark], max_latency_ms: float | None, min_accuracy: float | None) -> Frame:
    times = [t for mark in marks for t in (mark.p50_ms, mark.judged_ms)] + [t for t in [max_latency_ms] if t]
    shares = [mark.accuracy for mark in marks] + [a for a in [min_accuracy] if a is not None]
    low, high = spread(shares, margin=0.18, least=0.004)
    return Frame(
        Scale(*log_spread(times, margin=0.1), _LEFT, _RIGHT, logarithmic=True), Scale(low, high, _BOTTOM, _TOP)
    )


def _front(frame: Frame, front: Sequence[Mark]) -> list[tuple[float, float]]:
    """The corners of a staircase from the first to the last: what is up or left of it, nobody reached."""
    if not front:
        return []
    steps = [(frame.x.at(front[0].judged_ms), frame.bottom)]
    for mark in front:
        x, y = frame.point(mark.judged_ms, mark.accuracy)
        steps += [(x, steps[-1][1]), (x, y)]
    steps.append((frame.right, steps[-1][1]))
    return steps


def _along(corners: Sequence[tuple[float, float]]) -> list[Box]:
    """The boxes of a staircase's steps, which no label may cover."""
    return [
        Box(min(x1, x2) - 2, min(y1, y2) - 2, max(x1, x2) + 2, max(y1, y2) + 2)
        for (x1, y1), (x2, y2) in pairwise(corners)
    ]


def _box_of_whisker(frame: Frame, mark: Mark) -> Box:
    """From the median to the bound, which no label may cover."""
    (x1, y), (x2, _) = (frame.point(at_ms, mark.accuracy) for at_ms in sorted((mark.p50_ms, mark.judged_ms)))
    return Box(x1 - 1, y - 2, x2 + 1, y + 2)


def _limits(
    frame: Frame, max_latency_ms: float | None, min_accuracy: float | None, unit: TimeUnit
) -> tuple[Element, list[Box]]:
    """What the limits forbid, shaded, and the boxes of their names."""
    parts: list[Element] = []
    taken: list[Box] = []
    if max_latency_ms is not None:
        x = frame.x.at(max_latency_ms)
        parts.append(_forbidden(x, frame.top, frame.right, frame.bottom))
        parts.append(line(x, frame.top, x, frame.bottom, class_="limit"))
        parts.append(
            text(f"limit {unit.full(max_latency_ms)}", x - 6, frame.top + 12, class_="limit-name", text_anchor="end")
        )
        taken.append(Box(x - 110, frame.top, x, frame.top + 18))
    if min_accuracy is not None:
        y = frame.y.at(min_accuracy)
        parts.append(_forbidden(frame.left, y, frame.right, frame.bottom))
        parts.append(line(frame.left, y, frame.right, y, class_="limit"))
        parts.append(
            text(f"limit {percent(min_accuracy)}", frame.right - 6, y + 14, class_="limit-name", text_anchor="end")
        )
        taken.append(Box(frame.right - 110, y, frame.right, y + 20))
    return group(*parts), taken


def _forbidden(left: float, top: float, right: float, bottom: float) -> Element:
    return element("rect", x=left, y=top, width=right - left, height=bottom - top, class_="forbidden")


def _whisker(frame: Frame, mark: Mark) -> list[Element]:
    """From the median to the bound that is judged."""
    (x1, y), (x2, _) = frame.point(mark.p50_ms, mark.accuracy), frame.point(mark.judged_ms, mark.accuracy)
    return [line(x1, y, x2, y, class_="whisker"), line(x1, y - 4, x1, y + 4, class_="whisker")]


def _spot(frame: Frame, mark: Mark) -> Element:
    """Filled when admitted, hollow when rejected, ringed when chosen."""
    x, y = frame.point(mark.judged_ms, mark.accuracy)
    kind = "winner" if mark.winner else "admitted" if mark.admitted else "rejected"
    ring = [element("circle", cx=x, cy=y, r=10, class_="ring")] if mark.winner else []
    return group(*ring, element("circle", cx=x, cy=y, r=5.5, class_=f"spot {kind}"), element("title", mark.name))


def _labels(frame: Frame, marks: Sequence[Mark], taken: Sequence[Box]) -> Element:
    """Names where they fit, the winner's first."""
    ordered = sorted(marks, key=lambda mark: (not mark.winner, not mark.admitted, mark.judged_ms))
    spots = [frame.point(mark.judged_ms, mark.accuracy) for mark in ordered]
    area = Box(frame.left + 2, frame.top - 2, frame.right, frame.bottom - 2)
    named = marks if len(marks) <= MOST_NAMED else front_of(marks)
    names = [_name(mark) if mark.winner or mark in named else str(mark.number) for mark in ordered]
    parts = []
    for mark, (x, y), label in zip(ordered, spots, placed(spots, names, area=area, taken=taken), strict=True):
        if label is None:
            continue
        if label.leader:
            parts.append(line(x, y, *_nearest(label.box, x, y), class_="leader"))
        style = "name winner" if mark.winner else "name" if mark.admitted else "name rejected"
        parts.append(text(label.text, label.x, label.y, class_=style))
    return group(*parts)


def _nearest(box: Box, x: float, y: float) -> tuple[float, float]:
    """The point of a box that is nearest to a point outside of it."""
    return min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)


def _name(mark: Mark) -> str:
    return f"★ {shortened(mark.name, _LONGEST_LABEL)}" if mark.winner else shortened(mark.name, _LONGEST_LABEL)


def _told(mark: Mark, unit: TimeUnit) -> str:
    state = "chosen" if mark.winner else "within the limits" if mark.admitted else "rejected"
    return f"{mark.name}: {unit.full(mark.judged_ms)}, {percent(mark.accuracy)}, {state}."
