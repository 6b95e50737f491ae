"""Labels beside points that overlap neither each other nor the points."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgeloop.report.drawings.svg import width_of

FONT_PX = 12.0
_MARKER_PX = 8.0


@dataclass(frozen=True)
class Box:
    """A rectangle in picture units."""

    left: float
    top: float
    right: float
    bottom: float

    def touches(self, other: "Box") -> bool:
        """Whether the two share any area."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: "Box") -> bool:
        """Whether `other` lies inside."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and other.right <= self.right
            and other.bottom <= self.bottom
        )


@dataclass(frozen=True)
class Label:
    """A placed label: the left end of its baseline, and whether it is so far away that it needs a line."""

    text: str
    x: float
    y: float
    box: Box
    leader: bool


def placed(
    points: Sequence[tuple[float, float]], texts: Sequence[str], *, area: Box, taken: Sequence[Box] = ()
) -> list[Label | None]:
    """A label for every point, nearest free place first, None where none is left.

    Args:
        points: What the labels belong to; no label covers one.
        texts: One a point.
        area: Where labels may lie.
        taken: What else they must not cover.
    """
    boxes = [Box(x - _MARKER_PX, y - _MARKER_PX, x + _MARKER_PX, y + _MARKER_PX) for x, y in points]
    occupied = [*boxes, *taken]
    labels: list[Label | None] = []
    for (x, y), content in zip(points, texts, strict=True):
        label = next(
            (
                candidate
                for candidate in _candidates(x, y, content)
                if area.holds(candidate.box) and not any(candidate.box.touches(box) for box in occupied)
            ),
            None,
        )
        labels.append(label)
        if label is not None:
            occupied.append(label.box)
    return labels


def _candidates(x: float, y: float, content: str) -> Iterator[Label]:
    """Places around a point: right, left, above, below, then the same farther out."""
    width, height = width_of(content, FONT_PX), FONT_PX + 4
    for reach in (12, 22, 36, 54, 76, 102, 132, 166):
        for degrees in (0, 180, 90, 270, 30, 150, 330, 210, 60, 120, 300, 240):
            across, down = math.cos(math.radians(degrees)), -math.sin(math.radians(degrees))
            middle_x = x + across * (reach + width / 2)
            middle_y = y + down * (reach + height / 2)
            box = Box(middle_x - width / 2, middle_y - height / 2, middle_x + width / 2, middle_y + height / 2)
            yield Label(content, box.left, box.bottom - 4.5, box, leader=reach > 22)
