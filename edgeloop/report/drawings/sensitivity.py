"""What each layer does when it is quantized alone: a bar a layer, the worst on top."""

from collections.abc import Sequence

from edgeloop.report.drawings.svg import Element, element, group, picture, shortened, text, width_of
from edgeloop.report.numerals import significant

WIDTH = 1000
MOST_LAYERS = 30
_ROW, _TOP, _FONT_PX = 20.0, 8.0, 12.0

Harm = tuple[str, float | None, bool]
"""Layer, signal over noise of the worst output in decibels (null: nothing changes), and whether it was kept float."""


def sensitivity_drawn(harms: Sequence[Harm]) -> Element | None:
    """Noise in decibels below the signal: the shorter the bar, the more harm. None without a layer."""
    known = [(layer, db, kept) for layer, db, kept in harms if db is not None][:MOST_LAYERS]
    if not known:
        return None
    names = [shortened(layer, 44) for layer, _, _ in known]
    left = 16 + max(width_of(name, _FONT_PX) for name in names)
    scale = (WIDTH - 190 - left) / max(1.0, *(db for _, db, _ in known))
    rows = [
        _row((name, db, kept), y=_TOP + k * _ROW, left=left, scale=scale)
        for k, (name, (_, db, kept)) in enumerate(zip(names, known, strict=True))
    ]
    height = _TOP + _ROW * len(rows) + 6
    told = f"{len(harms)} layers; the most sensitive is {known[0][0]} with {significant(known[0][1])} dB"
    return picture(
        *rows, width=WIDTH, height=height, title="Sensitivity of each layer", description=told, kind="classes"
    )


def _row(harm: tuple[str, float, bool], *, y: float, left: float, scale: float) -> Element:
    name, db, kept = harm
    length = max(1.0, db * scale)
    said = f"{significant(db)} dB{', kept float' if kept else ''}"
    return group(
        text(name, left - 8, y + 14, class_="name", text_anchor="end"),
        element("rect", x=left, y=y + 3, width=length, height=_ROW - 6, class_=f"part-{int(kept)}"),
        text(said, left + length + 8, y + 14, class_="tick"),
        element("title", f"{name}: {said}"),
    )
