"""A confusion matrix: rows are actual classes, columns what the model answered."""

from collections.abc import Sequence

from edgeloop.report.drawings.svg import Element, element, group, picture, shortened, text, width_of

MOST_CLASSES = 60
"""More would be cells of a few pixels: a list of the commonest mistakes says more then."""

_MOST_NUMBERED = 24
_FONT_PX = 12.0


def confusion_drawn(classes: Sequence[str], counts: Sequence[Sequence[int]], *, title: str) -> Element | None:
    """The picture, or None when there are more than `MOST_CLASSES`.

    The shade is the share of the row's samples; right answers and mistakes have hues of their own, and numbers.
    """
    if not 0 < len(classes) <= MOST_CLASSES:
        return None
    names = [shortened(name or "(none)", 16) for name in classes]
    side = max(14.0, min(34.0, 440 / len(classes)))
    left = max(58.0, 30 + max(width_of(name, _FONT_PX) for name in names))
    flat = max(width_of(name, _FONT_PX) for name in names) <= side
    top = 48.0 if flat else 48 + max(width_of(name, _FONT_PX) for name in names)
    reach = side * len(classes)
    parts = [
        text("predicted →", left, 14, class_="label"),
        text("actual ↓", left - 8, top - 8, class_="label", text_anchor="end"),
        *_names(names, left=left, top=top, side=side, flat=flat),
        *(_row(counts[k], k, left=left, top=top, side=side) for k in range(len(classes))),
    ]
    right = sum(counts[k][k] for k in range(len(classes)))
    whole = sum(map(sum, counts))
    description = f"{right} of {whole} right. " + "; ".join(mistakes_told(classes, counts, most=5))
    return picture(
        *parts, width=left + reach + 8, height=top + reach + 8, title=title, description=description, kind="matrix"
    )


def mistakes(classes: Sequence[str], counts: Sequence[Sequence[int]]) -> list[tuple[str, str, int]]:
    """Actual, predicted, samples of every mistake, commonest first."""
    found = [
        (classes[row], classes[column], count)
        for row, line in enumerate(counts)
        for column, count in enumerate(line)
        if row != column and count
    ]
    return sorted(found, key=lambda mistake: -mistake[2])


def mistakes_told(classes: Sequence[str], counts: Sequence[Sequence[int]], *, most: int) -> list[str]:
    """The commonest mistakes in words."""
    found = mistakes(classes, counts)
    return [f"{actual} taken for {predicted}: {count}" for actual, predicted, count in found[:most]]


def _names(names: Sequence[str], *, left: float, top: float, side: float, flat: bool) -> list[Element]:
    parts = []
    for k, name in enumerate(names):
        middle = (k + 0.5) * side
        parts.append(text(name, left - 8, top + middle + 4, class_="name", text_anchor="end"))
        x, y = left + middle, top - 7
        if flat:
            parts.append(text(name, x, y, class_="name", text_anchor="middle"))
        else:
            parts.append(text(name, x + 4, y, class_="name", transform=f"rotate(-90 {x + 4:.2f} {y:.2f})"))
    return parts


def _row(counts: Sequence[int], row: int, *, left: float, top: float, side: float) -> Element:
    whole = max(sum(counts), 1)
    numbered = len(counts) <= _MOST_NUMBERED
    parts = []
    for column, count in enumerate(counts):
        x, y = left + column * side, top + row * side
        kind = "right" if row == column else "wrong"
        share = count / whole
        # a mistake of one sample in a hundred has to be seen: errors are drawn on a steeper scale
        opacity = 0.0 if not count else 0.15 + 0.85 * share if kind == "right" else min(1.0, 0.25 + 2.5 * share)
        size = {"width": side - 1.5, "height": side - 1.5, "rx": 2.0}
        parts.append(element("rect", x=x, y=y, class_="cell", **size))
        if count:
            parts.append(element("rect", x=x, y=y, class_=f"cell {kind}", fill_opacity=opacity, **size))
        if count and numbered:
            style = "count strong" if opacity > 0.55 else "count"
            parts.append(text(str(count), x + side / 2 - 0.75, y + side / 2 + 3.5, class_=style, text_anchor="middle"))
    return group(*parts)
