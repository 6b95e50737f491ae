"""Mean and variance of a column, the same whatever the order of its rows.

Sums of floating-point numbers depend on their order, sums of whole numbers do not. So every value becomes a whole
number: x is the value's distance from the middle of the column's range, over the smallest power of two that is not
below half that range; then |x| ≤ 1, and x·2⁶² and x²·2⁶² are summed as integers. The mean is within 2⁻⁵² of half the
range, M2 within N·2⁻⁵¹ of its square.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

from edgeloop.data.statistics.table import number

_BITS = 62
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


def sums(finite: str, scale: Scale) -> tuple[str, str]:
    """SQL: the two sums; `finite` is SQL too, a finite double or null."""
    if scale.exponent is None:
        return "0", "0"
    first = -scale.exponent // 2  # one factor could leave the range of a double
    factors = f"{number(2.0**first)} * {number(2.0 ** (-scale.exponent - first))}"
    distance = f"(({finite}) - {number(scale.middle)}) * {factors}"
    wide = number(2.0**_BITS)
    return f"sum(CAST({distance} * {wide} AS BIGINT))", f"sum(CAST(({distance}) * ({distance}) * {wide} AS BIGINT))"


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
