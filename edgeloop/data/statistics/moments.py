"""Mean and variance of a column, the same whatever the order of its rows.

Sums of floating-point numbers depend on their order, sums of whole numbers do not. So every value becomes a whole
number: x is the value's distance from the middle of the column's range, over the smallest power of two that is not
below half that range; then |x| ≤ 1, and x·2⁶² and x²·2⁶² are summed as integers. The mean is within 2⁻⁵² of half the
range, M2 within N·2⁻⁵¹ of its square.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.statistics.table import BLOCK

_BITS = 62
_WIDE = 2.0**_BITS
_LEAST_EXPONENT = -1074


@dataclass(frozen=True)
class Scale:
    """Where a column lies: `middle` of its range, and the exponent of the power of two over half of it."""

    middle: float
    exponent: int | None

    @classmethod
    def of(cls, minimum: float, maximum: float) -> "Scale":
        """The scale for finite values from `minimum` to `maximum`."""
        if minimum == maximum:
            return cls(middle=minimum, exponent=None)
        half = maximum / 2 - minimum / 2
        return cls(middle=minimum / 2 + maximum / 2, exponent=max(math.frexp(half)[1], _LEAST_EXPONENT))


class Sums:
    """The two sums over blocks of values of at most BLOCK each, taken in any order."""

    def __init__(self, scale: Scale) -> None:
        self._scale, self._first, self._second = scale, 0, 0
        self._lent = np.empty((3, BLOCK))

    def watched(self, blocks: Iterable[NDArray[np.float64]]) -> Iterator[NDArray[np.float64]]:
        """The blocks, each added on its way."""
        for block in blocks:
            self.add(block)
            yield block

    def add(self, block: NDArray[np.float64]) -> None:
        """Adds finite values of the range that the scale is for."""
        if self._scale.exponent is None:
            return
        distances, wide, whole = self._lent[:, : block.size]
        first = -self._scale.exponent // 2  # one factor could leave the range of a double
        np.subtract(block, self._scale.middle, out=distances)
        distances *= 2.0**first
        distances *= 2.0 ** (-self._scale.exponent - first)
        self._first += _whole_sum(np.multiply(distances, _WIDE, out=wide), whole.view(np.int64))
        distances *= distances
        self._second += _whole_sum(np.multiply(distances, _WIDE, out=wide), whole.view(np.int64))

    def moments(self, count: int) -> tuple[float, float]:
        """Mean and M2 of the `count` values that were added."""
        return moments(self._first, self._second, count=count, scale=self._scale)


def _whole_sum(numbers: NDArray[np.float64], whole: NDArray[np.int64]) -> int:
    """The sum of the nearest whole numbers; both arrays are overwritten.

    None is beyond 2⁶² and there are at most BLOCK: so the sum of the doubles is off by less than 2⁶³, and the sum of
    the integers, which is right but for a multiple of 2⁶⁴, tells the rest.
    """
    np.rint(numbers, out=numbers)
    np.copyto(whole, numbers, casting="unsafe")
    near, wrapped = int(numbers.sum()), int(whole.sum())
    return near + (wrapped - near + (1 << 63)) % (1 << 64) - (1 << 63)


def moments(first: int, second: int, *, count: int, scale: Scale) -> tuple[float, float]:
    """Mean and M2 from the two sums over `count` values."""
    if scale.exponent is None:
        return scale.middle, 0.0
    unit = Fraction(2) ** scale.exponent
    mean = Fraction(scale.middle) + Fraction(first, count << _BITS) * unit
    squares = Fraction(second, 1 << _BITS) - Fraction(first, 1 << _BITS) ** 2 / count
    return float(mean), nearest(max(squares, Fraction(0)) * unit * unit)


def nearest(value: Fraction) -> float:
    """The nearest double; the largest one where there is none."""
    try:
        return float(value)
    except OverflowError:
        return math.nextafter(math.inf, 0)
