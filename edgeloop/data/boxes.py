"""What the boxes of a picture are, as numbers, and how a source says what is wrong with them.

A source that reads boxes keeps every box that can be written down: outside the picture, without area or of a class that
does not exist. The last has the label `#7`, where 7 is the number in the label. What cannot be written down is counted
in the sample's metadata: `label_faults` is how many such lines or entries there are, `label_fault` what the first is.

Coordinates are in pixels, y downwards; a box ends before `left + width`, so one that fills a picture of 8 pixels has
left 0 and width 8.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from edgeloop.data.sources import Box

MAX_COORDINATE_PX = 1e6
"""A number of a box beyond it means nothing in a picture; within it no area overflows."""

MAX_BOXES = 10_000
"""A picture with more is not used."""

TOLERANCE_PX = 0.5
"""A box that leaves the picture by no more was rounded, not misplaced."""

SAME_IOU = 0.95
"""Two boxes of one class that overlap by more are one object that was marked twice."""

_UNKNOWN = re.compile(r"#-?[0-9]+")


def unknown_label(class_id: int) -> str:
    """The label of a class that has a number and no name."""
    return f"#{class_id}"


def is_unknown(label: str) -> bool:
    """Whether the label is that of a class without a name."""
    return _UNKNOWN.fullmatch(label) is not None


def fault_metadata(faults: Sequence[str]) -> dict[str, str]:
    """Metadata of a sample with unreadable labels; empty without any."""
    return {"label_faults": str(len(faults)), "label_fault": faults[0]} if faults else {}


def fault_count(metadata: Mapping[str, str]) -> int:
    """How many labels of the sample cannot be read."""
    return int(metadata.get("label_faults", "0"))


def fits(*numbers: float) -> bool:
    """Whether numbers can be those of a box: no NaN, no infinity, nothing beyond MAX_COORDINATE_PX."""
    return all(-MAX_COORDINATE_PX <= number <= MAX_COORDINATE_PX for number in numbers)


def has_area(box: Box) -> bool:
    """Whether there is anything in the box."""
    return box.width > 0 and box.height > 0


def leaves(box: Box, width: int, height: int) -> bool:
    """Whether the box reaches over the edge of a picture of that size by more than TOLERANCE_PX."""
    return (
        min(box.left, box.top) < -TOLERANCE_PX
        or box.left + box.width > width + TOLERANCE_PX
        or box.top + box.height > height + TOLERANCE_PX
    )


def repeated(boxes: Sequence[Box]) -> int:
    """How many boxes have an IoU above SAME_IOU with an earlier one of their class, in the order of their corners.

    Boxes without area are none.
    """
    by_class: dict[str, list[Box]] = {}
    for box in boxes:
        if has_area(box):
            by_class.setdefault(box.label, []).append(box)
    return sum(_repeated(members) for members in by_class.values())


def _repeated(boxes: Sequence[Box]) -> int:
    """As `repeated`, of one class. Equal boxes begin at nearly the same column, so only neighbours are compared."""
    corners = sorted((b.left, b.top, b.left + b.width, b.top + b.height) for b in boxes)
    left, top, right, bottom = np.asarray(corners, dtype=np.float64).T
    area = (right - left) * (bottom - top)
    last = np.searchsorted(left, left + (1 - SAME_IOU) * (right - left), side="right")
    found = np.zeros(len(corners), dtype=bool)
    for one, end in enumerate(last):
        others = slice(one + 1, end)
        across = np.minimum(right[one], right[others]) - left[others]
        down = np.minimum(bottom[one], bottom[others]) - np.maximum(top[one], top[others])
        shared = np.maximum(across, 0) * np.maximum(down, 0)
        found[others] |= shared > SAME_IOU * (area[one] + area[others] - shared)
    return int(found.sum())
