"""The profile: what a dataset looks like in numbers, and the reference that later data is compared with.

A *bin* of a feature reaches from one edge to the next, the lower edge included; the first bin is open below and the
last one above, so every value there will ever be has one. The edges are deciles of the training split, and they travel
with the model.

The features are read out of core, see `edgeloop.data.statistics`: their table may exceed the memory, and the same rows
give the same profile on every machine. Statistics over the same edges, such as those of a device's window, merge with
these by `edgeloop.data.statistics.merged`.
"""

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.data.conditions import conditions_of
from edgeloop.data.dataset import SPLITS, Sample, classes_in
from edgeloop.data.feature_table import columns_in
from edgeloop.data.features import compared
from edgeloop.data.statistics import opened, statistics_of
from edgeloop.data.statistics.values import ColumnStatistics, TableStatistics, ValueCount

REFERENCE_SPLIT = "train"
REFERENCE_ROWS = 20_000
"""The most feature rows of that split that travel with a model; the profile is over all of them."""

MEMORY_MIB = 500
"""That reading the features may take, whatever their number."""

_MODE = "mode"


class Profile(Contract):
    """The statistics of a dataset."""

    format: int = 2
    samples: int
    unreadable: int
    counts: dict[str, dict[str, int]] = Field(description="split, then class, then samples, readable or not")
    conditions: dict[str, dict[str, dict[str, int]]] = Field(
        default_factory=dict, description="condition, then its value, then split, then samples; see `conditions_of`"
    )
    modes: dict[str, int] = Field(description="colour modes of the training split")
    reference: TableStatistics = Field(description="of the features that drift compares, over the training split")

    @property
    def features(self) -> tuple[ColumnStatistics, ...]:
        """The compared features; units as their columns say. An unreadable sample counts as a null."""
        return self.reference.columns

    @classmethod
    def of(cls, path: Path) -> "Profile":
        """The profile that `prepare_data` wrote to `path`."""
        return cls.read(path)


def profile_of(samples: Sequence[Sample], features: Path) -> Profile:
    """The profile of a dataset.

    Args:
        samples: All rows of the index.
        features: Their table, see `edgeloop.data.feature_table`.

    Raises:
        EnvironmentFault: Scratch space does not suffice.
        MissingExtra: duckdb or pyarrow is not installed.
    """
    from edgeloop.data.processes import available_cores

    columns = columns_in(features)
    modes = [column.name for column in columns if column.name == _MODE and column.type == "text"]
    with (
        tempfile.TemporaryDirectory() as scratch,
        opened(features, memory_mib=MEMORY_MIB, threads=available_cores(), scratch=Path(scratch)) as table,
    ):
        reference = table.only("split", REFERENCE_SPLIT)
        of_modes = statistics_of(reference, columns=modes).columns
        return Profile(
            samples=len(samples),
            unreadable=sum(s.error is not None for s in samples),
            counts=class_counts(samples),
            conditions=condition_counts(samples),
            modes={str(mode.value): mode.rows for column in of_modes for mode in sorted(column.listed, key=_value)},
            reference=_small(statistics_of(reference, columns=compared(columns), split="split")),
        )


def _small(statistics: TableStatistics) -> TableStatistics:
    """Without the single values of its columns, of which there are hundreds: it travels to every device."""
    columns = (c.model_copy(update={"listed": (), "listed_are": "none"}) for c in statistics.columns)
    return statistics.model_copy(update={"columns": tuple(columns)})


def _value(counted: ValueCount) -> str:
    return str(counted.value)


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


def bin_counts(column: NDArray[np.float64], edges: Sequence[float]) -> tuple[int, ...]:
    """How many values lie in each bin; additive over windows and devices.

    Args:
        column: Values without nulls.
        edges: Ascending inner edges.
    """
    bins = np.searchsorted(np.asarray(edges, dtype=np.float64), column, side="right")
    return tuple(int(count) for count in np.bincount(bins, minlength=len(edges) + 1))
