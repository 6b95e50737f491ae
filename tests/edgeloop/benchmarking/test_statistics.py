import numpy as np
import pytest

from edgeloop.benchmarking.statistics import contention, paired_ratio, quantile, summarised, upper_rank


@pytest.mark.parametrize(("share", "least"), [(0.5, 7), (0.9, 44), (0.95, 90), (0.99, 459)])
def test_there_is_no_bound_below_the_least_sample_size(share: float, least: int) -> None:
    assert upper_rank(least - 1, share) is None


@pytest.mark.parametrize(("share", "least"), [(0.5, 7), (0.9, 44), (0.95, 90), (0.99, 459)])
def test_at_the_least_sample_size_the_bound_is_the_maximum(share: float, least: int) -> None:
    assert upper_rank(least, share) == least


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("n", [459, 1000, 20_000, 20_001, 100_000])
def test_the_rank_is_the_binomial_one(n: int, share: float) -> None:
    from scipy.stats import binom

    rank = upper_rank(n, share)
    assert rank is not None
    assert binom.cdf(rank - 1, n, share) >= 0.99
    assert binom.cdf(rank - 4, n, share) < 0.99


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_the_bound_covers_the_true_quantile_in_99_percent(share: float) -> None:
    samples = np.sort(np.random.default_rng(0).exponential(1e6, size=(4000, 500)), axis=1)
    bounds = [quantile(row, share).upper_ms for row in samples]
    covered = np.mean([bound >= -np.log1p(-share) for bound in bounds if bound is not None])
    assert covered >= 0.985


def test_quantiles_are_samples() -> None:
    latency = summarised(np.arange(1, 101) * 1e6)
    values = [latency.p50, latency.p90, latency.p95, latency.p99]
    assert [value.value_ms for value in values] == [50, 90, 95, 99]


def test_the_order_of_the_samples_does_not_matter() -> None:
    samples = np.random.default_rng(0).permutation(1000).astype(float) + 1
    assert summarised(samples) == summarised(np.sort(samples))


def test_one_sample_has_figures_and_no_bound() -> None:
    latency = summarised(np.asarray([2e6]))
    assert (latency.p99.value_ms, latency.p50.upper_ms, latency.throughput_per_s) == (2.0, None, 500.0)


def test_a_drift_common_to_both_cancels_in_the_ratio() -> None:
    drift = np.linspace(1, 5, 20)
    assert paired_ratio(list(0.5 * drift), list(drift)) == pytest.approx(0.5)


def test_the_ratio_leaves_out_rounds_that_one_of_them_misses() -> None:
    assert paired_ratio([1.0, None, 9.0], [2.0, 1.0, None]) == 0.5


def test_no_common_round_is_no_ratio() -> None:
    assert paired_ratio([None, 1.0], [1.0, None]) is None


def test_one_thread_is_held_against_the_whole_wall_time() -> None:
    assert contention([100, 100], [99, 60], threads=1) == [0.99, 0.6]


def test_threads_that_a_model_leaves_idle_are_no_contention() -> None:
    assert contention([100, 100], [130, 130], threads=4) == [1.0, 1.0]


def test_a_disturbed_round_of_many_threads_stands_out() -> None:
    assert contention([100, 100], [200, 120], threads=2) == [1.0, 0.6]
