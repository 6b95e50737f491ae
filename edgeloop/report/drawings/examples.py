"""A picture with boxes: what is right, what is wrong, and what was not found."""

from collections.abc import Sequence

from edgeloop.examples import Example
from edgeloop.report.drawings.labels import Box
from edgeloop.report.drawings.svg import Element, element, picture, shortened, text, width_of
from edgeloop.tasks import Mark

SIDE = 540.0
"""The longer side as it is drawn: names of small boxes need room."""

_WIDE_PX = 12.5
"""The names are of 11 px, and outlined."""

_LINE_PX, _LINES = 14.0, 4
_ORDER = ("true", "right", "wrong", "missed")


def example_drawn(example: Example) -> Element:
    """The picture with its boxes; names lie inside the picture and, where there is room, not on each other."""
    scale = SIDE / max(example.width, example.height)
    width, height = example.width * scale, example.height * scale
    marks = sorted(example.marks, key=lambda mark: _ORDER.index(mark.kind))
    boxes = [_box(mark, width, height) for mark in marks]
    told = "; ".join(f"{mark.text}, {mark.kind}" for mark in example.marks if mark.kind != "true")
    named = [(mark, box) for mark, box in zip(marks, boxes, strict=True) if mark.kind != "true"]
    return picture(
        element(
            "image", href=f"data:image/{example.media};base64,{example.picture}", width=width, height=height,
            class_="pixels" if example.media == "png" else "photo",
        ),
        *(_outline(mark, box) for mark, box in zip(marks, boxes, strict=True)),
        *_names(named, width, height),
        width=width,
        height=height,
        title=shortened(example.id, 48),
        description=f"{example.told}. {told}",
        kind="example",
    )  # fmt: skip


def _box(mark: Mark, width: float, height: float) -> Box:
    return Box(
        mark.left * width, mark.top * height, (mark.left + mark.width) * width, (mark.top + mark.height) * height
    )


def _outline(mark: Mark, box: Box) -> Element:
    return element(
        "rect", x=box.left, y=box.top, width=box.right - box.left, height=box.bottom - box.top,
        class_=f"mark {mark.kind}",
    )  # fmt: skip


def _names(named: Sequence[tuple[Mark, Box]], width: float, height: float) -> list[Element]:
    """The names in turn, each at the first place around its box that no other name takes, or at the first."""
    taken: list[Box] = []
    parts = []
    for mark, box in named:
        content = shortened(mark.text, 36)
        places = _places(box, width_of(content, _WIDE_PX), width, height)
        place = next((one for one in places if not any(one.touches(other) for other in taken)), places[0])
        taken.append(place)
        parts.append(text(content, place.left, place.bottom - 3, class_=f"mark-text {mark.kind}"))
    return parts


def _places(box: Box, length: float, width: float, height: float) -> list[Box]:
    """Above and below the box, then lines further off, each from its left edge or up to its right one, all inside."""
    found = []
    for away in range(_LINES):
        for top in (box.top - (away + 1) * (_LINE_PX + 1), box.bottom + 1 + away * (_LINE_PX + 1)):
            for left in (box.left, box.right - length):
                x = min(max(left, 2.0), max(2.0, width - length - 2))
                y = min(max(top, 0.0), height - _LINE_PX)
                found.append(Box(x, y, x + length, y + _LINE_PX))
    return found
