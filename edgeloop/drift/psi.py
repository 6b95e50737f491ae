"""Population stability index over the reference's fixed bins, with a threshold for the window at hand.

PSI = Σ (q − p) ln(q / p) over the bins, with p the reference's and q the window's shares. Without drift it is
distributed as (1/n + 1/m) χ² with bins − 1 degrees of freedom, n and m the sample sizes (Yurdakul and Naranjo,
Statistical properties of the population stability index, Journal of Risk Model Validation 14(4), 2020): the customary
fixed threshold of 0.1 would alarm on 98 % of windows of 50 rows and miss a small shift in a large one.
"""

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.profile import bin_counts
from edgeloop.data.statistics.values import ColumnStatistics
from edgeloop.drift import FeatureDrift

PSEUDO_COUNT = 0.5
"""Added to every bin, so that an empty one has a logarithm (Jeffreys' prior of a multinomial)."""


class Psi:
    """See the module."""

    def judge(
        self, reference: ColumnStatistics, values: NDArray[np.float64], *, false_alarms: float, min_effect: float
    ) -> FeatureDrift:
        """See `edgeloop.drift.Detector`."""
        counts = np.asarray(reference.counts, dtype=np.float64)
        if counts.size < 2 or counts.sum() == 0:
            return FeatureDrift(
                name=reference.name, status="not evaluated", rows=values.size, reason="the reference has no bins"
            )
        window = np.asarray(bin_counts(values, reference.edges), dtype=np.float64)
        value = index(counts, window)
        limit = max(min_effect, threshold(counts, window, false_alarms=false_alarms))
        return FeatureDrift(
            name=reference.name,
            status="drift" if value > limit else "no drift",
            value=value,
            threshold=limit,
            rows=int(values.size),
        )


def index(reference: NDArray[np.float64], window: NDArray[np.float64]) -> float:
    """The PSI of two rows of counts over the same bins; no unit."""
    p = (reference + PSEUDO_COUNT) / (reference + PSEUDO_COUNT).sum()
    q = (window + PSEUDO_COUNT) / (window + PSEUDO_COUNT).sum()
    return float(((q - p) * np.log(q / p)).sum())


def threshold(reference: NDArray[np.float64], window: NDArray[np.float64], *, false_alarms: float) -> float:
    """The PSI that a window without drift passes with probability `false_alarms`.

    Bins that are empty on both sides carry no freedom.
    """
    from scipy.stats import chi2

    freedom = max(1, int(np.count_nonzero(reference + window)) - 1)
    return float((1 / reference.sum() + 1 / window.sum()) * chi2.ppf(1 - false_alarms, freedom))


plugin = Psi()
