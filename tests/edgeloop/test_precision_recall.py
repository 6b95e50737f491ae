import numpy as np
import pytest

from edgeloop.precision_recall import RECALLS, precision_at_recalls


def test_the_mean_is_the_average_precision():
    right = np.array([[True, False, True, False]])
    (precision,) = precision_at_recalls(right, 2)
    assert precision.mean() == pytest.approx((51 * 1 + 50 * 2 / 3) / 101)


def test_a_recall_that_is_not_reached_has_no_precision():
    (precision,) = precision_at_recalls(np.array([[True]]), 4)
    assert (precision > 0).sum() == np.sum(RECALLS <= 0.25)


def test_nothing_to_find_and_nothing_found_are_zeros():
    assert not precision_at_recalls(np.ones((2, 3), dtype=bool), 0).any()
    assert not precision_at_recalls(np.ones((2, 0), dtype=bool), 3).any()
