"""ONNX Runtime's histograms of activations, with a bound on how many bins they grow.

Its histogram keeps the width of the bins that the first sample gave it and adds more of them for every wider one: a
sample that is a thousand times wider makes a thousand times the bins, and the search of `entropy` looks at all of them
from each of them. Here, before it grows beyond the bound, neighbouring bins become one, which keeps the bins equally
wide, 0 in the middle and all counts.
"""

from typing import Any

import numpy as np

MOST_BINS = {"entropy": 2048, "percentile": 1 << 16}
"""Of entropy as many as NVIDIA's calibrator of that kind has; tails of a thousandth of a percent need finer ones."""

Histogram = tuple[Any, Any, Any, Any, Any]
"""Counts, edges, smallest and largest value, and the last edge, as the library keeps them."""


def bound_bins(calibrator: Any) -> None:
    """Makes the calibrator collect in histograms of a bound; one that keeps none is left as it is."""
    from onnxruntime.quantization.calibrate import HistogramCollector

    if getattr(calibrator, "method", None) not in MOST_BINS:
        return
    most = MOST_BINS[calibrator.method]

    class Bounded(HistogramCollector):  # type: ignore[misc]  # of a package without types
        def merge_histogram(self, old: Histogram, values: Any, low: Any, high: Any, last: Any) -> Any:
            while _grown(old, last) > most:
                old = halved(old)
            return super().merge_histogram(old, values, low, high, last)

    names = ("method", "symmetric", "num_bins", "num_quantized_bins", "percentile", "scenario")
    calibrator.collector = Bounded(**{name: getattr(calibrator, name) for name in names})


def _grown(histogram: Histogram, last: float) -> float:
    """Bins that the library would make of it for values up to `last`."""
    counts, own = histogram[0], float(histogram[4])
    return len(counts) * max(1.0, float(last) / own) if own else len(counts)


def halved(histogram: Histogram) -> Histogram:
    """Two neighbouring bins as one; a side of an odd number of bins is given an empty one at its end."""
    counts, edges, low, high, last = histogram
    if len(counts) % 4:
        width = edges[-1] - edges[-2]
        counts = np.concatenate(([0], counts, [0]))
        edges = np.concatenate(([edges[0] - width], edges, [edges[-1] + width])).astype(edges.dtype)
        last = last + width
    return counts.reshape(-1, 2).sum(axis=1), edges[::2], low, high, last
