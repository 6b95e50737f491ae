import numpy as np
import pytest

from edgeloop.data.inputs import RowPreprocessing, WindowInput, WindowPreprocessing
from edgeloop.data.windows import window_bytes, window_of
from edgeloop.evaluation.corruption import corruptions_for
from edgeloop.evaluation.corruption.windows import dropout, gain, noise

WINDOW = (np.sin(np.arange(4000) / 9)[:, None] * [3.0, 0.0] + [1.0, 2.0]).astype(np.float32)


def dice() -> np.random.Generator:
    return np.random.default_rng(0)


def test_noise_lies_so_far_below_the_power_of_its_channel():
    added = noise(WINDOW, 2, dice())[:, 0] - WINDOW[:, 0]
    assert 10 * np.log10(WINDOW[:, 0].var() / added.var()) == pytest.approx(10, abs=0.3)


def test_a_channel_that_does_not_move_gets_no_noise():
    assert np.array_equal(noise(WINDOW, 3, dice())[:, 1], WINDOW[:, 1])


def test_six_decibels_are_half():
    assert gain(WINDOW, 2, dice()) == pytest.approx(WINDOW / 2, rel=0.01)


def test_in_a_gap_the_last_reading_is_held():
    held = dropout(WINDOW, 2, dice())
    (changed,) = np.nonzero((held != WINDOW).any(axis=1))
    assert changed[-1] - changed[0] + 1 == pytest.approx(0.15 * len(WINDOW), abs=2)
    assert len(np.unique(held[changed[0] : changed[-1] + 1], axis=0)) == 1


def test_a_window_of_one_reading_has_no_gap():
    assert np.array_equal(dropout(WINDOW[:1], 3, dice()), WINDOW[:1])


def test_bytes_of_a_window_give_bytes_of_windows():
    preprocessing = WindowPreprocessing(window=WindowInput(), channels=2, length=4000, mean=(0.0,), std=(1.0,))
    corruptions = corruptions_for(preprocessing)
    applied = list(corruptions.applied(window_bytes(WINDOW), seed=0, where=""))
    assert [window_of(one).shape for one in applied] == [(4000, 2)] * len(corruptions.cells)


def test_rows_of_a_table_are_not_corrupted():
    assert corruptions_for(RowPreprocessing(columns=("a",), mean=(0.0,), std=(1.0,))) is None
