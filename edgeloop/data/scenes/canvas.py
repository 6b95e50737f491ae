"""Smooth-edged filling of convex outlines, exact on every machine: whole numbers and shifts only.

Legend: `N` corners, `R` sample lines (four a pixel row), `H`, `W` rows and columns of the touched part of the picture.
Coordinates are in sixteenths of a pixel, y downwards. A pixel has four channels: red, green, blue, and how much of its
light is its own, so that nearer things hide the light of farther ones too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.scenes.colours import Colour
from edgeloop.data.scenes.noise import grain

SUBPIXELS = 16
LINES = 4
FULL = SUBPIXELS * LINES
"""Coverage of a whole pixel."""

Extent = tuple[int, int, int, int]
"""Left, top, right and bottom in whole pixels, the latter two excluded."""

_LINE_STEP = SUBPIXELS // LINES
_FAR = 1 << 40

Ints = NDArray[np.int64]
Cover = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Paint:
    """What an outline is filled with.

    Args:
        colour: Red, green and blue, 0 to 255.
        glow: How much of it is visible without light, 0 to 255.
        texture: How far its shade varies, 0 to 127.
        opacity: 0 to 64.
    """

    colour: Colour
    glow: int = 0
    texture: int = 0
    opacity: int = FULL


class Canvas:
    """A square picture being drawn, and which sign shows in each of its pixels.

    Attributes:
        pixels: int16 `[4, side, side]`.
        owners: uint8 `[side, side]`, the number of the sign, 0 for none.
    """

    def __init__(self, side: int, *, texture_at: tuple[int, int]) -> None:
        self.side = side
        self.pixels = np.zeros((4, side, side), dtype=np.int16)
        self.owners = np.zeros((side, side), dtype=np.uint8)
        row, column = texture_at
        self._grain = grain()[row : row + side, column : column + side]
        self._owned: dict[int, Extent] = {}  # where each sign's outline, its first face, was drawn

    def fill_all(self, outlines: Sequence[Ints], paints: Sequence[Paint], owners: Sequence[int]) -> None:
        """Fills convex outlines `[N, 2]` one over the other; an owner above 0 is the number of a sign."""
        if not outlines:
            return
        edges, starts, extents = _traced(outlines, self.side)
        for first, after, extent, paint, owner in zip(
            starts, [*starts[1:], edges.shape[1]], extents, paints, owners, strict=True
        ):
            left, top, right, bottom = extent
            if left < right and top < bottom and (right - left) * (bottom - top) > 1:
                rows = np.arange(top * SUBPIXELS + _LINE_STEP // 2, bottom * SUBPIXELS, _LINE_STEP)
                begin, end = _crossings(edges[:, first:after], rows)
                self.fill_spans(begin, end, extent, paint, owner=owner)

    def fill_spans(self, begin: Ints, end: Ints, extent: Extent, paint: Paint, *, owner: int = 0) -> None:
        """Fills from `begin` to `end` `[R]` on each sample line of the pixels left, top, right, bottom."""
        left, top, right, bottom = extent
        cover = _coverage(begin, end, left, right)
        if owner:
            self._owned.setdefault(owner, extent)
        if owner or any(_overlap(extent, owned) for owned in self._owned.values()):
            self.owners[top:bottom, left:right][cover >= FULL // 2] = owner
        if paint.opacity != FULL:
            cover = (cover * paint.opacity) >> 6
        part = self.pixels[:, top:bottom, left:right]
        goal = np.array((*paint.colour, paint.glow), dtype=np.int16)[:, None, None]
        if paint.texture:
            shade = (self._grain[top:bottom, left:right] * paint.texture) >> 7
            goal = np.minimum(np.maximum(goal + shade, 0), 255)
            goal[3] = paint.glow
        change = goal - part
        change *= cover
        change >>= 6
        part += change


def _overlap(one: Extent, other: Extent) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _traced(outlines: Sequence[Ints], side: int) -> tuple[Ints, list[int], list[Extent]]:
    """Edges as upper x, slope, upper y and lower y `[4, edges, 1]`; the first edge of each outline; its extent."""
    points = np.concatenate(outlines)
    counts = np.array([len(outline) for outline in outlines])
    starts = np.cumsum(counts) - counts
    following = np.arange(1, len(points) + 1)
    following[starts + counts - 1] = starts
    x, y = points[:, 0], points[:, 1]
    next_x, next_y = x[following], y[following]
    rise = next_y - y
    slope = ((next_x - x) << 16) // np.where(rise == 0, 1, rise)
    edges = np.stack([np.where(rise < 0, next_x, x), slope, np.minimum(y, next_y), np.maximum(y, next_y)])
    lowest = [np.minimum.reduceat(part, starts) // SUBPIXELS for part in (x, y)]
    highest = [-(-np.maximum.reduceat(part, starts) // SUBPIXELS) for part in (x, y)]
    extents = np.clip(np.stack([*lowest, *highest], axis=1), 0, side)
    return edges[:, :, None], starts.tolist(), [(a, b, c, d) for a, b, c, d in extents.tolist()]


def _crossings(edges: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Where each sample line enters and leaves a convex outline; it leaves before it enters where it misses."""
    x, slope, upper, lower = edges
    crossing = x + ((slope * (rows - upper)) >> 16)
    misses = (rows < upper) | (rows >= lower)
    begin = np.where(misses, _FAR, crossing).min(axis=0)
    end = np.where(misses, -_FAR, crossing).max(axis=0)
    return begin, end


def _coverage(begin: Ints, end: Ints, left: int, right: int) -> Cover:
    """How much of each pixel lies inside, 0 to `FULL`, `[H, W]`."""
    first, last = left * SUBPIXELS, right * SUBPIXELS
    start = np.minimum(np.maximum(begin, first), last)
    stop = np.minimum(np.maximum(end, start), last)
    pixel = np.arange(first, last, SUBPIXELS, dtype=np.int16)
    inside = np.minimum(stop.astype(np.int16)[:, None] - pixel, SUBPIXELS)
    inside -= np.maximum(start.astype(np.int16)[:, None] - pixel, 0)
    np.maximum(inside, 0, out=inside)
    cover: Cover = inside[::LINES] + inside[1::LINES]
    cover += inside[2::LINES]
    cover += inside[3::LINES]
    return cover
