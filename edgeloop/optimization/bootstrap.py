"""How much of a metric was lost, and how much at most: a paired bootstrap over the samples.

The reference and the candidate answered the same samples; whole samples are drawn again, each with both answers (Efron
and Tibshirani, "An Introduction to the Bootstrap", 1993). The bound is one-sided: in 95 % of the draws no more was
lost. Where no answer changed it is 0, which says nothing of samples that are not among these.

A metric that is a mean over samples is asked once for each, and the means are drawn. Another one, such as mean average
precision, is asked once for each of 20 blocks of samples; drawn is how far the losses of the blocks lie from their
mean, and added to what was lost on the whole. Either way the metric sees each sample a few times, not in every draw.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
LEAST_SAMPLES = 30
"""With fewer, draws are too alike for their bound to mean anything."""

MOST_UNITS = 500
"""Heaps that are drawn; of one sample each, as long as there are no more samples."""

BLOCKS = (20, 10, 5)
"""Of a metric that is no mean: fewer where a block alone cannot be judged."""

DRAWS = 2000

_ROUNDING = 1e-9

Places = NDArray[np.int64]
Doubles = NDArray[np.float64]
Metric = Callable[[Places], float | None]
"""Of the samples at these places; None where these alone cannot be judged."""


@dataclass(frozen=True)
class Drop:
    """What was lost, and the bound."""

    before: float
    """The reference's metric."""

    after: float
    """The candidate's."""

    upper: float
    samples: int

    @property
    def value(self) -> float:
        """What was lost."""
        return self.before - self.after


def dropped(reference: Metric, candidate: Metric, places: Places) -> Drop | None:
    """What the candidate lost on the samples at `places`; the draws hang on nothing but how many there are.

    Returns:
        None where the metric of these samples, or how it varies among them, is not known.
    """
    before, after = reference(places), candidate(places)
    if before is None or after is None:
        return None
    lost = before - after
    drawn = _drawn_means(reference, candidate, places, before=before, after=after)
    if drawn is None:
        drawn = _drawn_blocks(reference, candidate, places, lost=lost)
    if drawn is None:
        return None
    upper = float(np.quantile(drawn, CONFIDENCE, method="higher"))
    return Drop(before=before, after=after, upper=max(upper, lost), samples=len(places))


def _drawn_means(
    reference: Metric, candidate: Metric, places: Places, *, before: float, after: float
) -> Doubles | None:
    """Draws of the loss; None where the metric is no mean over samples, which two halves mostly show."""
    losses = weights = np.zeros(0)
    for count in (2, min(MOST_UNITS, len(places))):
        units, weights = _units(places, count)
        first, second = _asked(reference, units), _asked(candidate, units)
        if first is None or second is None:
            return None
        shares = weights / weights.sum()
        if abs(first @ shares - before) + abs(second @ shares - after) > _ROUNDING:
            return None
        losses = (first - second) * weights
    if not losses.any():
        return np.zeros(1)
    chosen = _chosen(len(losses))
    means: Doubles = losses[chosen].sum(axis=1) / weights[chosen].sum(axis=1)
    return means


def _drawn_blocks(reference: Metric, candidate: Metric, places: Places, *, lost: float) -> Doubles | None:
    """Draws of the loss from those of blocks; None where there are too few that can be judged."""
    for count in BLOCKS:
        units, _ = _units(places, count)
        first, second = _asked(reference, units), _asked(candidate, units)
        if len(units) == count and first is not None and second is not None:
            losses = first - second
            around = losses[_chosen(count)].mean(axis=1) - losses.mean()
            spread: Doubles = lost + around * np.sqrt(count / (count - 1))
            return spread
    return None


def _units(places: Places, count: int) -> tuple[list[Places], Doubles]:
    """The samples dealt into `count` heaps, and the size of each."""
    units = [heap for first in range(count) if len(heap := places[first::count])]
    return units, np.array([len(unit) for unit in units], dtype=np.float64)


def _asked(metric: Metric, units: list[Places]) -> Doubles | None:
    found = []
    for unit in units:
        value = metric(unit)
        if value is None:
            return None
        found.append(value)
    return np.array(found)


def _chosen(count: int) -> Places:
    """Places of the drawn units, DRAWS rows."""
    return np.random.default_rng(0).integers(0, count, size=(DRAWS, count))
