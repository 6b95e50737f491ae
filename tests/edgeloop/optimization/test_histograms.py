"""Histograms whose bins have a bound, over the library's own collector."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeloop.optimization.histograms import MOST_BINS, bound_bins, halved

ARGUMENTS = {"symmetric": False, "num_bins": 128, "num_quantized_bins": 128, "percentile": 99.999, "scenario": "same"}


def collected(method: str, widths: list[float], *, bounded: bool) -> Any:
    """The collector after normal samples of these deviations."""
    from onnxruntime.quantization.calibrate import HistogramCollector

    calibrator = SimpleNamespace(method=method, collector=None, **ARGUMENTS)
    if bounded:
        bound_bins(calibrator)
    collector = calibrator.collector or HistogramCollector(method=method, **ARGUMENTS)
    rng = np.random.default_rng(0)
    for width in widths:
        collector.collect({"x": (width * rng.standard_normal(1000)).astype(np.float32)})
    return collector


@pytest.mark.parametrize("method", ["entropy", "percentile"])
def test_a_sample_that_is_far_wider_than_the_first_keeps_to_the_bound(method: str) -> None:
    counts, edges, *_ = collected(method, [1e-4, 1e5, 1.0], bounded=True).histogram_dict["x"]
    assert len(counts) <= MOST_BINS[method] + 2
    assert counts.sum() == 3000
    assert len(edges) == len(counts) + 1
    np.testing.assert_allclose(edges, -edges[::-1], atol=1e-6 * edges[-1])


@pytest.mark.parametrize("method", ["entropy", "percentile"])
def test_samples_of_like_width_are_counted_as_the_library_does(method: str) -> None:
    widths = [1.0, 2.0, 0.5, 3.0]
    ours, its = (collected(method, widths, bounded=bounded) for bounded in (True, False))
    np.testing.assert_array_equal(ours.histogram_dict["x"][0], its.histogram_dict["x"][0])
    assert ours.compute_collection_result()["x"][:2] == its.compute_collection_result()["x"][:2]


def test_the_range_that_entropy_finds_is_near_that_of_all_bins() -> None:
    widths = [0.05, *[1.0] * 20]
    ours, its = (collected("entropy", widths, bounded=bounded).compute_collection_result()["x"] for bounded in (1, 0))
    np.testing.assert_allclose(ours[1], its[1], rtol=0.05)


def test_a_calibrator_without_histograms_is_left_as_it_is() -> None:
    calibrator = SimpleNamespace(method="minmax", collector=None)
    bound_bins(calibrator)
    assert calibrator.collector is None


@pytest.mark.parametrize("bins", [2, 4, 6, 128, 130])
def test_halving_keeps_counts_and_the_middle(bins: int) -> None:
    edges = np.linspace(-1, 1, bins + 1, dtype=np.float32)
    counts, wider, *_, last = halved((np.arange(bins), edges, np.float32(-1), np.float32(1), np.float32(1)))
    assert counts.sum() == np.arange(bins).sum()
    assert counts[: len(counts) // 2].sum() == np.arange(bins // 2).sum()
    assert len(wider) == len(counts) + 1 and wider[-1] == pytest.approx(float(last))
