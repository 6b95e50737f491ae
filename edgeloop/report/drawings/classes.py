"""How many samples each class has in each split."""

from collections.abc import Sequence

from edgeloop.report.drawings.svg import Element, element, group, line, picture, shortened, text, width_of
from edgeloop.report.numerals import count

WIDTH = 1000
MOST_CLASSES = 40
_ROW, _TOP, _FONT_PX = 22.0, 34.0, 12.0

ClassRow = tuple[str, tuple[int, ...]]
"""Name, and samples in each split."""


def classes_drawn(rows: Sequence[ClassRow], splits: Sequence[str]) -> Element | None:
    """A bar a class, one part a split; of many classes the smallest and largest. None without a sample."""
    most = max((sum(counts) for _, counts in rows), default=0)
    if not most:
        return None
    shown, left_out = _chosen(rows)
    names = [shortened(name, 28) for name, _ in shown]
    left = 16 + max(width_of(name, _FONT_PX) for name in names)
    right = WIDTH - 190
    parts = [_legend(splits, left)]
    for k, ((_, counts), name) in enumerate(zip(shown, names, strict=True)):
        parts.append(_bar(name, counts, splits, y=_TOP + k * _ROW, left=left, scale=(right - left) / most))
    height = _TOP + _ROW * len(shown) + 6
    if left_out:
        note = f"{left_out} classes between the smallest and the largest are not shown"
        parts.append(text(note, left, height + 12, class_="tick"))
        height += 22
    smallest, largest = min(rows, key=lambda r: sum(r[1])), max(rows, key=lambda r: sum(r[1]))
    told = (
        f"{len(rows)} classes, the smallest {smallest[0]} with {sum(smallest[1])} samples,"
        f" the largest {largest[0]} with {sum(largest[1])}"
    )
    return picture(*parts, width=WIDTH, height=height, title="Samples of each class", description=told, kind="classes")


def _chosen(rows: Sequence[ClassRow]) -> tuple[list[ClassRow], int]:
    """All rows, or of too many the smallest and the largest; and how many are left out."""
    if len(rows) <= MOST_CLASSES:
        return list(rows), 0
    ordered = sorted(rows, key=lambda row: sum(row[1]))
    half = MOST_CLASSES // 2
    return [*ordered[:half], *ordered[-half:]], len(rows) - 2 * half


def _legend(splits: Sequence[str], left: float) -> Element:
    parts, x = [], left
    for k, split in enumerate(splits):
        parts.append(element("rect", x=x, y=6, width=12, height=12, rx=2, class_=f"part-{k}"))
        parts.append(text(split, x + 18, 16, class_="name"))
        x += 40 + width_of(split, _FONT_PX)
    return group(*parts)


def _bar(name: str, counts: Sequence[int], splits: Sequence[str], *, y: float, left: float, scale: float) -> Element:
    parts = [text(name, left - 8, y + 14, class_="name", text_anchor="end")]
    x = left
    for k, number in enumerate(counts):
        if number:
            parts.append(element("rect", x=x, y=y + 3, width=number * scale, height=_ROW - 7, class_=f"part-{k}"))
            parts.append(line(x, y + 3, x, y + _ROW - 4, class_="edge"))
        x += number * scale
    told = " + ".join(count(number) for number in counts)
    parts.append(text(f"{count(sum(counts))} = {told}", x + 8, y + 14, class_="tick"))
    title = ", ".join(f"{split} {number}" for split, number in zip(splits, counts, strict=True))
    return group(*parts, element("title", f"{name}: {title}"))
