"""Quantiles of a column, and the bins between them, made of its order statistics."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from edgeloop.data.statistics.ranks import Rung


def ranks_of(levels: Iterable[float], count: int) -> set[int]:
    """The ranks that the quantiles at `levels` lie between."""
    return {rank for level in levels for rank in _neighbours(level, count)[:2]}


def _neighbours(level: float, count: int) -> tuple[int, int, float]:
    """The ranks below and above a quantile, and how far it is from the one to the other."""
    place = level * (count - 1)
    low = math.floor(place)
    return low, min(low + 1, count - 1), place - low


def quantile(rungs: Mapping[int, Rung], level: float, *, count: int) -> float:
    """The quantile by linear interpolation, as `numpy.quantile` takes it."""
    low, high, part = _neighbours(level, count)
    return float(np.quantile([rungs[low].value, rungs[high].value], part))


def nearest_rank(level: float, count: int) -> int:
    """The rank nearest to a quantile, the even one of two, as `numpy.quantile(method="nearest")` takes it."""
    return round(level * (count - 1))


def decile_edges(rungs: Mapping[int, Rung], levels: Sequence[float], *, count: int) -> dict[float, int]:
    """The inner edges of the bins, ascending, each with the number of values below it.

    The edges are the quantiles at `levels`. A value that fills more than one bin gets a bin of its own, from itself to
    the next number.
    """
    below: dict[float, int] = {}
    seen: set[float] = set()
    for level in levels:
        low, high, _ = _neighbours(level, count)
        edge = quantile(rungs, level, count=count)
        less, through = _around(edge, rungs[low], rungs[high])
        below[edge] = less
        if edge in seen:
            below[math.nextafter(edge, math.inf)] = through
        seen.add(edge)
    return dict(sorted(below.items()))


def _around(edge: float, low: Rung, high: Rung) -> tuple[int, int]:
    """How many values are less than `edge`, and how many are not greater; it lies between neighbouring ranks."""
    if edge == low.value:
        return low.below, low.through
    if edge == high.value:
        return high.below, high.through
    return low.through, low.through


def bins_between(below: Iterable[int], count: int) -> tuple[int, ...]:
    """Values in each bin, from the values below each edge."""
    return tuple(upper - lower for lower, upper in pairwise((0, *below, count)))
