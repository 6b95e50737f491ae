"""Convex outlines in whole numbers: what everything in a scene is made of.

An outline is int64 `[N, 2]`, x to the right and y upwards, in any unit. What is not convex is several outlines.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from math import isqrt

import numpy as np
from numpy.typing import NDArray

Outline = NDArray[np.int64]
Point = tuple[int, int]

STEPS = 48
"""Directions of a full turn, anticlockwise from the right."""

ONE = 4096
_ANGLES = np.arange(STEPS) * (2 * np.pi / STEPS)
# every value is at least 0.01 from where rounding turns, so the last bit of a machine's cosine decides nothing
COSINE: NDArray[np.int64] = np.rint(ONE * np.cos(_ANGLES)).astype(np.int64)
SINE: NDArray[np.int64] = np.rint(ONE * np.sin(_ANGLES)).astype(np.int64)


def polygon(*corners: Point) -> Outline:
    """The convex outline through `corners`."""
    return np.array(corners, dtype=np.int64)


def rectangle(x: int, y: int, width: int, height: int) -> Outline:
    """Centred on x, y."""
    left, low = x - width // 2, y - height // 2
    return polygon((left, low), (left + width, low), (left + width, low + height), (left, low + height))


def ellipse(x: int, y: int, across: int, up: int, *, corners: int = 24) -> Outline:
    """Half axes `across` and `up`; `corners` divides 48."""
    every = STEPS // corners
    return np.stack([x + (across * COSINE[::every] >> 12), y + (up * SINE[::every] >> 12)], axis=1)


def disc(x: int, y: int, radius: int, *, corners: int = 24) -> Outline:
    """Round; `corners` divides 48."""
    return ellipse(x, y, radius, radius, corners=corners)


def rounded(outline: Outline, radius: int) -> Outline:
    """A convex outline whose corners are arcs of about `radius`."""
    parts = []
    for corner, before, after in zip(outline, np.roll(outline, 1, axis=0), np.roll(outline, -1, axis=0), strict=True):
        begin, end = _towards(corner, before, radius), _towards(corner, after, radius)
        parts += [begin, (begin + end + 2 * corner) // 4, end]
    return np.array(parts, dtype=np.int64)


def _towards(start: Outline, goal: Outline, distance: int) -> Outline:
    step = goal - start
    result: Outline = start + step * distance // max(isqrt(int(step @ step)), 1)
    return result


def stroke(start: Point, end: Point, width: int) -> Outline:
    """A thick line whose ends reach a third of its width further, so that strokes join."""
    run, rise = end[0] - start[0], end[1] - start[1]
    length = max(isqrt(run * run + rise * rise), 1)
    beyond = run * width // (3 * length), rise * width // (3 * length)
    aside = -rise * width // (2 * length), run * width // (2 * length)
    (x0, y0), (x1, y1) = (start[0] - beyond[0], start[1] - beyond[1]), (end[0] + beyond[0], end[1] + beyond[1])
    return polygon(
        (x0 - aside[0], y0 - aside[1]),
        (x1 - aside[0], y1 - aside[1]),
        (x1 + aside[0], y1 + aside[1]),
        (x0 + aside[0], y0 + aside[1]),
    )


def line(points: Sequence[Point], width: int) -> list[Outline]:
    """Strokes from point to point."""
    return [stroke(start, end, width) for start, end in pairwise(points)]


def arrow(points: Sequence[Point], width: int, head: int) -> list[Outline]:
    """A line that ends in a head of half width `head`."""
    (x0, y0), (x1, y1) = points[-2], points[-1]
    run, rise = x1 - x0, y1 - y0
    length = max(isqrt(run * run + rise * rise), 1)
    ahead = run * head // length, rise * head // length
    tip = x1 + ahead[0] // 2, y1 + ahead[1] // 2
    neck = x1 - ahead[0] * 3 // 4, y1 - ahead[1] * 3 // 4
    wings = polygon(tip, (neck[0] - ahead[1], neck[1] + ahead[0]), (neck[0] + ahead[1], neck[1] - ahead[0]))
    return [*line([*points[:-1], neck], width), wings]


def arc(x: int, y: int, radius: int, *, first: int, last: int) -> list[Point]:
    """Points on a circle from step `first` to step `last` of `STEPS`, every third."""
    steps = range(first, last + 1, 3) if last >= first else range(first, last - 1, -3)
    return [(x + (radius * int(COSINE[k % STEPS]) >> 12), y + (radius * int(SINE[k % STEPS]) >> 12)) for k in steps]


_GLYPHS: dict[str, tuple[tuple[Point, ...], ...]] = {
    "0": (((0, 2), (0, 6), (1, 8), (3, 8), (4, 6), (4, 2), (3, 0), (1, 0), (0, 2)),),
    "1": (((1, 6), (2, 8), (2, 0)),),
    "2": (((0, 6), (1, 8), (3, 8), (4, 6), (4, 5), (0, 0), (4, 0)),),
    "3": (((0, 7), (1, 8), (3, 8), (4, 6), (3, 4), (1, 4)), ((3, 4), (4, 2), (3, 0), (1, 0), (0, 1))),
    "4": (((3, 0), (3, 8), (0, 3), (4, 3)),),
    "5": (((4, 8), (0, 8), (0, 5), (3, 5), (4, 3), (4, 2), (3, 0), (0, 0)),),
    "6": (((4, 7), (3, 8), (1, 8), (0, 6), (0, 2), (1, 0), (3, 0), (4, 2), (3, 4), (1, 4), (0, 3)),),
    "7": (((0, 8), (4, 8), (1, 0)),),
    "8": (((1, 4), (0, 6), (1, 8), (3, 8), (4, 6), (3, 4), (1, 4), (0, 2), (1, 0), (3, 0), (4, 2), (3, 4)),),
    "9": (((0, 1), (1, 0), (3, 0), (4, 2), (4, 6), (3, 8), (1, 8), (0, 6), (1, 4), (3, 4), (4, 5)),),
    "H": (((0, 0), (0, 8)), ((4, 0), (4, 8)), ((0, 4), (4, 4))),
    "P": (((0, 0), (0, 8), (3, 8), (4, 7), (4, 5), (3, 4), (0, 4)),),
    "!": (((2, 8), (2, 3)), ((2, 0), (2, 1))),
    "i": (((2, 5), (2, 0)), ((2, 7), (2, 8))),
}


@cache
def text(characters: str, *, height: int, width: int, y: int = 0) -> tuple[Outline, ...]:
    """Characters made of strokes, centred on 0, y; `width` is that of a stroke."""
    step, gap = height // 8, height // 8 * 6
    left = -(gap * (len(characters) - 1) + 4 * step) // 2
    strokes: list[Outline] = []
    for place, character in enumerate(characters):
        for path in _GLYPHS[character]:
            points = [(left + place * gap + column * step, y + (row - 4) * step) for column, row in path]
            strokes += line(points, width)
    return tuple(strokes)
