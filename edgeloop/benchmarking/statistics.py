"""Quantiles with bounds, throughput and ratios, from raw samples. Nothing here assumes a distribution.

The upper bound of a quantile is an order statistic: of n independent samples, the number below the q-quantile is
binomial(n, q), so the r-th smallest is an upper 99 % bound as soon as P(binomial(n, q) < r) ≥ 0.99 (Conover, Practical
Nonparametric Statistics, 3.2; Hahn & Meeker, Statistical Intervals, 5.2). It exists from n = 44 samples for p90, 90
for p95 and 459 for p99. Successive latencies are not wholly independent: see docs/benchmarking.md.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist, median

import numpy as np
from numpy.typing import NDArray

from edgeloop.benchmarking import Latency, Quantile

CONFIDENCE = 0.99
_EXACT_UP_TO = 20_000
_NS_PER_MS = 1e6

Samples = NDArray[np.float64]


def summarised(latencies_ns: Samples) -> Latency:
    """All figures of one candidate's steady state.

    Args:
        latencies_ns: At least one sample, in any order.
    """
    ordered = np.sort(np.asarray(latencies_ns, dtype=np.float64))
    return Latency(
        samples=len(ordered),
        p50=quantile(ordered, 0.50),
        p90=quantile(ordered, 0.90),
        p95=quantile(ordered, 0.95),
        p99=quantile(ordered, 0.99),
        minimum_ms=float(ordered[0]) / _NS_PER_MS,
        mean_ms=float(ordered.mean()) / _NS_PER_MS,
        maximum_ms=float(ordered[-1]) / _NS_PER_MS,
        throughput_per_s=float(1e9 / ordered.mean()),
    )


def quantile(ordered_ns: Samples, share: float) -> Quantile:
    """The smallest sample that at least `share` of all samples do not exceed, and its upper bound."""
    n = len(ordered_ns)
    rank = upper_rank(n, share)
    value = ordered_ns[max(1, math.ceil(share * n - 1e-9)) - 1]
    return Quantile(
        value_ms=float(value) / _NS_PER_MS,
        upper_ms=None if rank is None else float(ordered_ns[rank - 1]) / _NS_PER_MS,
    )


def upper_rank(n: int, share: float, *, confidence: float = CONFIDENCE) -> int | None:
    """The rank, counted from 1, of the sample that bounds the quantile `share` from above; null where n is too small.

    Up to 20,000 samples the binomial distribution is summed; beyond, the normal approximation with continuity
    correction differs by a rank or two in hundreds, and one more rank is added to stay on the safe side.
    """
    if n < 1 or 1 - share**n < confidence:
        return None
    if n > _EXACT_UP_TO:
        spread = NormalDist().inv_cdf(confidence) * math.sqrt(n * share * (1 - share))
        return min(n, math.ceil(n * share + spread + 0.5) + 1)
    return int(np.searchsorted(_binomial_below(n, share)[1:], confidence - 1e-12)) + 1


def _binomial_below(n: int, share: float) -> Samples:
    """P(binomial(n, share) < r) for r = 0 … n."""
    successes = np.arange(n, dtype=np.float64)
    odds = np.log(n - successes) - np.log(successes + 1) + math.log(share / (1 - share))
    mass = np.exp(n * math.log1p(-share) + np.concatenate(([0.0], np.cumsum(odds))))
    below: Samples = np.concatenate(([0.0], np.cumsum(mass[:-1])))
    return below


def paired_ratio(own_ns: Sequence[float | None], reference_ns: Sequence[float | None]) -> float | None:
    """The median over rounds of one median latency over another of the same round; null where no round has both.

    Both were taken within the same fraction of a second, so that what drifts over the run cancels.
    """
    pairs = [own / reference for own, reference in zip(own_ns, reference_ns, strict=True) if own and reference]
    return median(pairs) if pairs else None


def contention(wall_ns: Sequence[int], process_ns: Sequence[int], *, threads: int) -> list[float]:
    """For every round, process time over wall time and threads in use: 1 when nothing else had the CPU.

    A model with more threads than it can feed leaves some idle in every round, so the threads in use are those of the
    busiest round, at least one. On more than one thread this finds a disturbed round, not a steady disturbance.
    """
    shares = [process / wall for process, wall in zip(process_ns, wall_ns, strict=True)]
    used = min(float(threads), max([1.0, *shares]))
    return [share / used for share in shares]
