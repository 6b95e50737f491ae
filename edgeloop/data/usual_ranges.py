"""The usual range of numbers: all but a hundredth at each end, widened, so that one outlier moves nothing."""

import math

import numpy as np
from numpy.typing import NDArray

_SET_ASIDE = 0.01
_WIDENED_BY = 0.5
_DIGITS = 3


def usual_range(values: NDArray[np.float64], *, whole: bool) -> tuple[float, float, float]:
    """The lower and upper end of a range, and the share of the values that must lie within.

    Args:
        values: At least one, all finite.
        whole: The ends are whole numbers; else they have three digits that matter, rounded outwards.
    """
    ordered = np.sort(values)
    aside = set_aside(ordered.size)
    ends = float(ordered[aside]), float(ordered[-1 - aside])
    return widened_range(*ends, lowest=float(ordered[0]), count=ordered.size, whole=whole)


def set_aside(count: int) -> int:
    """How many of so many values are left out of a range at each end."""
    return max(1, math.floor(_SET_ASIDE * count)) if count > 2 else 0


def widened_range(low: float, high: float, *, lowest: float, count: int, whole: bool) -> tuple[float, float, float]:
    """As `usual_range`, from the ends of what was not set aside.

    Args:
        low: The least value that was not.
        high: The largest.
        lowest: Of all values.
        count: Of all values.
        whole: As of `usual_range`.
    """
    margin = _WIDENED_BY * (high - low)
    ends = (low - margin, high + margin)
    if lowest >= 0:
        ends = (max(0.0, ends[0]), ends[1])
    share = math.floor(100 * (count - 2 * set_aside(count)) / count) / 100
    return (*_outwards(*ends, digits=0 if whole else _digits(*ends)), share)


def _digits(low: float, high: float) -> int:
    """Decimal places that show three digits of the larger of both."""
    largest = max(abs(low), abs(high))
    return _DIGITS - 1 - math.floor(math.log10(largest)) if largest else 0


def _outwards(low: float, high: float, *, digits: int) -> tuple[float, float]:
    """Both ends on a grid of `digits` decimal places, negative ones left of the point; whole numbers as such."""
    unit = 10.0 ** abs(digits)
    ends = [
        direction(end * unit) / unit if digits >= 0 else direction(end / unit) * unit
        for direction, end in ((math.floor, low), (math.ceil, high))
    ]
    below, above = (int(end) if float(end).is_integer() else end for end in ends)
    return below, above
