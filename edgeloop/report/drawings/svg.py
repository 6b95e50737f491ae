"""SVG as values that escape themselves.

Templates show an `Element` as it is, since it has `__html__`; every text and attribute in it was escaped. Colours and
fonts come from the page's style by class, so that one picture fits light, dark and paper.
"""

import unicodedata
from dataclasses import dataclass
from html import escape

Attribute = str | float
Child = "Element | str"


@dataclass(frozen=True)
class Element:
    """One element with its children; text is a child."""

    name: str
    attributes: tuple[tuple[str, Attribute], ...]
    children: tuple["Element | str", ...]

    def __html__(self) -> str:
        """The element as markup."""
        attributes = "".join(f' {key}="{escape(_text(value))}"' for key, value in self.attributes)
        if not self.children:
            return f"<{self.name}{attributes}/>"
        inner = "".join(escape(c, quote=False) if isinstance(c, str) else c.__html__() for c in self.children)
        return f"<{self.name}{attributes}>{inner}</{self.name}>"


def element(name: str, *children: "Element | str", **attributes: Attribute) -> Element:
    """An element; `class_` is written `class`, and `stroke_width` is written `stroke-width`."""
    written = tuple((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    return Element(name, written, children)


def picture(*children: Element, width: float, height: float, title: str, description: str, kind: str = "") -> Element:
    """A whole picture that scales to its place; title and description are read aloud instead of it."""
    return element(
        "svg",
        element("title", title),
        element("desc", description),
        *children,
        viewBox=f"0 0 {_text(width)} {_text(height)}",
        class_=f"picture {kind}".strip(),
        style=f"--width:{_text(width)}px",
        role="img",
        aria_label=f"{title}. {description}",
    )


def group(*children: Element, **attributes: Attribute) -> Element:
    """Elements that share attributes."""
    return element("g", *children, **attributes)


def text(content: str, x: float, y: float, **attributes: Attribute) -> Element:
    """A line of text with its baseline at `y`."""
    return element("text", content, x=x, y=y, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: Attribute) -> Element:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def polyline(points: list[tuple[float, float]], **attributes: Attribute) -> Element:
    """A line through points."""
    return element("polyline", points=" ".join(f"{_text(x)},{_text(y)}" for x, y in points), **attributes)


def width_of(content: str, font_px: float) -> float:
    """About how wide a text is in a proportional sans-serif; wide on purpose, to keep labels apart."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in content)
    return font_px * (0.56 * (len(content) - wide) + 1.05 * wide)


def shortened(content: str, most: int) -> str:
    """A text of at most so many characters."""
    return content if len(content) <= most else f"{content[: most - 1]}…"


def _text(value: Attribute) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.2f}".rstrip("0").rstrip(".")
