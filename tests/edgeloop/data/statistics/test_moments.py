"""Sums in whole numbers are the same in every order, and as good as exact."""

import math
from fractions import Fraction

import numpy as np
import pytest

from edgeloop.data.statistics.moments import Scale, Sums
from edgeloop.data.statistics.table import BLOCK

DRAW = np.random.default_rng(4)


def moments_of(blocks: list[np.ndarray]) -> tuple[float, float]:
    low, high = min(block.min() for block in blocks), max(block.max() for block in blocks)
    sums = Sums(Scale.of(float(low), float(high)))
    for block in blocks:
        sums.add(block)
    return sums.moments(sum(block.size for block in blocks))


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
@pytest.mark.parametrize("middle", [0.0, 50.0])
def test_the_order_of_the_values_makes_no_difference(scale, middle):
    column = (DRAW.normal(size=1000) + middle) * scale
    assert moments_of([column]) == moments_of(np.array_split(column[::-1], 3))


def test_a_block_of_extremes_does_not_overflow():
    column = np.where(np.arange(BLOCK) % 8 == 0, -1.7e308, 1.7e308)
    mean, m2 = moments_of([column])
    assert mean == pytest.approx(1.275e308)
    assert m2 == math.nextafter(math.inf, 0)


def test_mean_and_m2_are_the_exact_ones_but_for_rounding():
    column = DRAW.lognormal(size=2000)
    mean, m2 = moments_of([column])
    exact = sum(map(Fraction, column.tolist())) / column.size
    squares = sum((Fraction(value) - exact) ** 2 for value in column.tolist())
    assert (mean, m2) == (pytest.approx(float(exact), rel=1e-15), pytest.approx(float(squares), rel=1e-13))


def test_equal_values_have_no_spread():
    assert moments_of([np.full(5, 2.5)]) == (2.5, 0.0)
