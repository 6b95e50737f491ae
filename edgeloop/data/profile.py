"""The profile: what a dataset looks like in numbers, and the reference that later data is compared with.

A *bin* of a feature reaches from one edge to the next, the lower edge included; the first bin is open below and the
last one above, so every value there will ever be has one. The edges are deciles of the training split, and they travel
with the model.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.data.conditions import conditions_of
from edgeloop.data.dataset import SPLITS, Sample, classes_in
from edgeloop.data.features import Column, Value, compared

REFERENCE_SPLIT = "train"
REFERENCE_ROWS = 20_000
"""The most feature rows of that split that travel with a model; the profile is over all of them."""
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
BINS = 10


class FeatureProfile(Contract):
    """One numeric feature over the readable samples of the training split; units as its column says."""

    name: str
    count: int = Field(description="values")
    nulls: int = Field(description="samples of the split without a value")
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = Field(default=None, description="of the population")
    quantiles: dict[str, float] = Field(default_factory=dict, description="such as 0.25: value")
    edges: tuple[float, ...] = Field(default=(), description="inner edges of the bins, ascending; none: one bin")
    counts: tuple[int, ...] = Field(description="values in each bin: one more than edges")


class Profile(Contract):
    """The statistics of a dataset."""

    format: int = 1
    samples: int
    unreadable: int
    counts: dict[str, dict[str, int]] = Field(description="split, then class, then samples, readable or not")
    conditions: dict[str, dict[str, dict[str, int]]] = Field(
        default_factory=dict, description="condition, then its value, then split, then samples; see `conditions_of`"
    )
    modes: dict[str, int] = Field(description="colour modes of the training split")
    features: tuple[FeatureProfile, ...]

    @classmethod
    def of(cls, path: Path) -> "Profile":
        """The profile that `prepare_data` wrote to `path`."""
        return cls.read(path)


def profile_of(
    samples: Sequence[Sample], features: Sequence[Mapping[str, Value] | None], columns: tuple[Column, ...]
) -> Profile:
    """The profile of a dataset.

    Args:
        samples: All rows of the index.
        features: Theirs, in their order; None where a sample is unreadable.
        columns: Of the features.
    """
    reference = [row for s, row in zip(samples, features, strict=True) if s.split == REFERENCE_SPLIT]
    readable = [row for row in reference if row is not None]
    return Profile(
        samples=len(samples),
        unreadable=sum(s.error is not None for s in samples),
        counts=class_counts(samples),
        conditions=condition_counts(samples),
        modes=dict(sorted(Counter(str(row["mode"]) for row in readable if "mode" in row).items())),
        features=tuple(_profiled(name, readable, absent=len(reference) - len(readable)) for name in compared(columns)),
    )


def _profiled(name: str, rows: Sequence[Mapping[str, Value]], *, absent: int) -> FeatureProfile:
    values = [value for row in rows if isinstance(value := row[name], int | float)]
    return feature_profile(name, values, nulls=absent + len(rows) - len(values))


def class_counts(samples: Sequence[Sample]) -> dict[str, dict[str, int]]:
    """Samples that show each class in each split; those that show none are counted under an empty name."""
    found = Counter((s.split, label) for s in samples for label in classes_in(s))
    labels = sorted({label for _, label in found})
    return {split: {label: found[split, label] for label in labels} for split in SPLITS}


def condition_counts(samples: Sequence[Sample]) -> dict[str, dict[str, dict[str, int]]]:
    """Samples of each value of each condition in each split; those without a value are counted under an empty one."""
    found = {}
    for name, values in conditions_of(samples).items():
        counts = Counter((value or "", sample.split) for value, sample in zip(values, samples, strict=True))
        found[name] = {
            value: {split: counts[value, split] for split in SPLITS} for value in sorted({value for value, _ in counts})
        }
    return found


def feature_profile(name: str, values: Sequence[float], *, nulls: int) -> FeatureProfile:
    """The statistics and bins of one feature; without values it has one empty bin."""
    if not values:
        return FeatureProfile(name=name, count=0, nulls=nulls, counts=(0,))
    column = np.asarray(values, dtype=np.float64)
    edges = quantile_edges(column)
    return FeatureProfile(
        name=name,
        count=column.size,
        nulls=nulls,
        minimum=float(column.min()),
        maximum=float(column.max()),
        mean=float(column.mean()),
        std=float(column.std()),
        quantiles=quantiles_of(column),
        edges=edges,
        counts=bin_counts(column, edges),
    )


def quantiles_of(column: NDArray[np.float64]) -> dict[str, float]:
    """QUANTILES by linear interpolation."""
    found = np.quantile(column, QUANTILES)
    return {f"{level:g}": float(value) for level, value in zip(QUANTILES, found, strict=True)}


def quantile_edges(column: NDArray[np.float64]) -> tuple[float, ...]:
    """The inner edges of at most BINS bins with about equal counts.

    A value that fills more than one bin gets a bin of its own, from itself to the next number, so that a constant
    column still tells smaller, equal and larger values apart.
    """
    deciles = np.quantile(column, np.arange(1, BINS) / BINS)
    values, repeats = np.unique(deciles, return_counts=True)
    heavy = values[repeats > 1]
    return tuple(float(edge) for edge in np.unique(np.concatenate([values, np.nextafter(heavy, np.inf)])))


def bin_counts(column: NDArray[np.float64], edges: Sequence[float]) -> tuple[int, ...]:
    """How many values lie in each bin; additive over windows and devices.

    Args:
        column: Values without nulls.
        edges: Ascending inner edges.
    """
    bins = np.searchsorted(np.asarray(edges, dtype=np.float64), column, side="right")
    return tuple(int(count) for count in np.bincount(bins, minlength=len(edges) + 1))
