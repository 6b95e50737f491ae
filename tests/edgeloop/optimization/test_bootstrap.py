import numpy as np
import pytest

from edgeloop.optimization.bootstrap import dropped


def mean_of(right: np.ndarray):
    return lambda places: float(right[places].mean())


def area(scores: np.ndarray, truths: np.ndarray):
    """Share of pairs in the right order: no mean over samples; unknown where there is only one kind."""

    def metric(places: np.ndarray) -> float | None:
        found, wanted = scores[places], truths[places]
        if wanted.all() or not wanted.any():
            return None
        return float((found[wanted][:, None] > found[~wanted][None, :]).mean())

    return metric


def test_equal_answers_lose_nothing() -> None:
    metric = mean_of(np.arange(100) % 7 > 0)
    drop = dropped(metric, metric, np.arange(100))
    assert drop is not None
    assert (drop.value, drop.upper) == (0, 0)


@pytest.mark.parametrize(("lost", "upper"), [(1, 0.03), (5, 0.09)])
def test_the_bound_is_that_of_a_count(lost: int, upper: float) -> None:
    """The 95 % quantile of a Poisson count of 1 is 3, and of 5 it is 9."""
    after = np.ones(100)
    after[:lost] = 0
    drop = dropped(mean_of(np.ones(100)), mean_of(after), np.arange(100))
    assert drop is not None
    assert drop.value == pytest.approx(lost / 100)
    assert drop.upper == pytest.approx(upper, abs=0.011)


def test_what_is_won_elsewhere_is_counted_against_what_is_lost() -> None:
    before, after = np.ones(100), np.ones(100)
    before[:5], after[95:] = 0, 0
    drop = dropped(mean_of(before), mean_of(after), np.arange(100))
    assert drop is not None
    assert drop.value == 0 and 0.03 <= drop.upper <= 0.08


def test_the_bound_holds_in_nineteen_of_twenty_samples() -> None:
    """Of a candidate that loses 4 % of the population, seen through 200 sets of 300 samples."""
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(200):
        drop = dropped(mean_of(np.ones(300)), mean_of(rng.random(300) >= 0.04), np.arange(300))
        assert drop is not None
        held += drop.upper >= 0.04
    assert held / 200 >= 0.91


def test_a_metric_that_is_no_mean_is_bounded_by_blocks() -> None:
    rng = np.random.default_rng(0)
    truths = np.arange(400) % 2 == 0
    scores = truths + rng.normal(size=400)
    worse = scores + rng.normal(size=400)
    drop = dropped(area(scores, truths), area(worse, truths), np.arange(400))
    assert drop is not None
    assert 0.05 < drop.value < drop.upper < drop.value + 0.1


def test_a_metric_that_no_part_can_be_judged_by_has_no_bound() -> None:
    truths = np.arange(40) == 0
    metric = area(np.arange(40.0), truths)
    assert dropped(metric, metric, np.arange(40)) is None


def test_the_metric_is_asked_for_few_times_whatever_the_number_of_samples() -> None:
    asked = 0

    def metric(places: np.ndarray) -> float:
        nonlocal asked
        asked += len(places)
        return float(len(places) % 2)

    dropped(metric, metric, np.arange(2000))
    assert asked <= 2 * 3 * 2000


def test_two_calls_give_the_same_bound() -> None:
    after = np.arange(90) % 9 > 0
    bounds = {dropped(mean_of(np.ones(90)), mean_of(after), np.arange(90)) for _ in range(2)}
    assert len(bounds) == 1
