"""A picture with boxes: what is right, what is wrong, and what was not found."""

from edgeloop.examples import Example
from edgeloop.report.drawings.svg import Element, element, group, picture, shortened, text
from edgeloop.tasks import Mark

_FONT_PX = 11.0
_ORDER = ("true", "right", "wrong", "missed")


def example_drawn(example: Example) -> Element:
    """The picture in its own size."""
    told = "; ".join(f"{mark.text}, {mark.kind}" for mark in example.marks if mark.kind != "true")
    image = element(
        "image",
        href=f"data:image/{example.media};base64,{example.picture}",
        width=float(example.width),
        height=float(example.height),
    )
    return picture(
        image,
        *(_drawn(mark, example) for mark in sorted(example.marks, key=lambda mark: _ORDER.index(mark.kind))),
        width=example.width,
        height=example.height,
        title=shortened(example.id, 48),
        description=f"{example.told}. {told}",
        kind="example",
    )


def _drawn(mark: Mark, example: Example) -> Element:
    x, y = mark.left * example.width, mark.top * example.height
    width, height = mark.width * example.width, mark.height * example.height
    above = y - 3 if y > _FONT_PX + 3 else y + height + _FONT_PX
    box = element("rect", x=x, y=y, width=width, height=height, class_=f"mark {mark.kind}")
    if mark.kind == "true":  # the right box that it belongs to has the name
        return box
    return group(
        box,
        text(shortened(mark.text, 36), x, above, class_=f"mark-text {mark.kind}"),
    )
