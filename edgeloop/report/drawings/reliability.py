"""Is a confidence of 90 % right nine times in ten?"""

from collections.abc import Sequence
from dataclasses import dataclass

from edgeloop.report.drawings.axes import Frame, Scale, frame_drawn
from edgeloop.report.drawings.svg import Element, element, group, line, picture, text
from edgeloop.report.numerals import percent

WIDTH, HEIGHT = 460, 430
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 440, 40, 300
_FLOOR, _HIGHEST = 408, 50


@dataclass(frozen=True)
class Bin:
    """Samples whose confidence lies in one range.

    Args:
        lower: Of the range, in 0..1.
        upper: Of the range.
        count: Samples.
        confidence: Their mean; None in an empty bin.
        accuracy: Share that was right; None in an empty bin.
    """

    lower: float
    upper: float
    count: int
    confidence: float | None
    accuracy: float | None


def reliability_drawn(bins: Sequence[Bin], *, title: str) -> Element | None:
    """The picture, or None without a sample: accuracy by confidence above, samples by confidence below."""
    filled = [b for b in bins if b.count and b.accuracy is not None and b.confidence is not None]
    if not filled:
        return None
    frame = Frame(Scale(0, 1, _LEFT, _RIGHT), Scale(0, 1, _BOTTOM, _TOP))
    axes = frame_drawn(
        frame,
        x_label="",
        y_label="accuracy in the bin",
        x_text=lambda share: percent(share, 0),
        y_text=lambda share: percent(share, 0),
    )
    diagonal = line(*frame.point(0, 0), *frame.point(1, 1), class_="marked")
    named = text("calibrated", *frame.point(0.2, 0.235), class_="tick", text_anchor="end")
    parts = [axes, *(_bar(frame, b) for b in filled), diagonal, named, _samples(frame, bins)]
    told = "; ".join(
        f"confidence {percent(b.confidence or 0, 0)}: {percent(b.accuracy or 0, 0)} of {b.count}" for b in filled
    )
    return picture(*parts, width=WIDTH, height=HEIGHT + 12, title=title, description=told, kind="reliability")


def _bar(frame: Frame, one: Bin) -> Element:
    """The bin's accuracy, and a dot at its mean confidence; the paler, the fewer samples stand behind it."""
    assert one.accuracy is not None and one.confidence is not None
    left, right = frame.x.at(one.lower) + 1, frame.x.at(one.upper) - 1
    y = frame.y.at(one.accuracy)
    bar = element("rect", x=left, y=y, width=right - left, height=frame.bottom - y, class_="bar")
    dot = element("circle", cx=frame.x.at(one.confidence), cy=y, r=3.5, class_="dot")
    few = "few" if one.count < 10 else "many"
    return group(bar, dot, element("title", f"{one.count} samples"), class_=few)


def _samples(frame: Frame, bins: Sequence[Bin]) -> Element:
    """How many samples each bin holds."""
    most = max(b.count for b in bins)
    parts = [line(frame.left, _FLOOR, frame.right, _FLOOR, class_="axis")]
    for one in bins:
        if not one.count:
            continue
        left, right = frame.x.at(one.lower) + 1, frame.x.at(one.upper) - 1
        height = max(1.5, _HIGHEST * one.count / most)
        parts.append(element("rect", x=left, y=_FLOOR - height, width=right - left, height=height, class_="bar"))
        parts.append(
            text(str(one.count), (left + right) / 2, _FLOOR - height - 4, class_="tick small", text_anchor="middle")
        )
    middle = (frame.left + frame.right) / 2
    parts.append(
        text(
            "confidence of the answer; below: samples in the bin",
            middle,
            _FLOOR + 20,
            class_="label",
            text_anchor="middle",
        )
    )
    return group(*parts)
