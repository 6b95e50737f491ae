"""What was seen in a dataset, as far as a suite is proposed from it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edgeloop.data.dataset import SPLITS
from edgeloop.data.usual_ranges import usual_range

if TYPE_CHECKING:
    import pandas as pd

MAX_VALUES = 20
SAMPLES_A_VALUE = 5
"""A text column with fewer samples a value, on average, has free text or names, no set of values."""


class Seen(Protocol):
    """What was seen in a dataset, in memory or not; a column is called by its name."""

    @property
    def samples(self) -> int:
        """Their number."""

    @property
    def labels(self) -> Sequence[str]:
        """The classes that some sample has, sorted."""

    @property
    def labels_of_boxes(self) -> Sequence[str]:
        """The classes that some box has, sorted."""

    def given(self, column: str) -> bool:
        """Whether some sample has a value."""

    def few_values(self, column: str) -> list[str]:
        """The values of a text column that has few, sorted; else none."""

    def usual_range(self, column: str, *, whole: bool) -> tuple[float, float, float] | None:
        """As the function of that name, of the finite numbers of a column; None where there is none."""

    def smallest_balance(self) -> float | None:
        """The least class_balance."""

    def missing_share(self, column: str) -> float:
        """The share of the readable samples without a value."""

    def split_counts(self) -> Sequence[int]:
        """The samples of each of SPLITS."""


@dataclass(frozen=True)
class SeenFrame:
    """See `Seen`: what was seen in a table in memory.

    Args:
        frame: The one that `edgeloop.data.frame` makes.
        labels: The classes that some sample has, sorted.
    """

    frame: "pd.DataFrame"
    labels: Sequence[str]

    @property
    def samples(self) -> int:
        """See `Seen`."""
        return len(self.frame)

    @property
    def labels_of_boxes(self) -> Sequence[str]:
        """See `Seen`."""
        boxes = [json.loads(text) for text in self.frame["boxes"].dropna()]
        return sorted({label for of_picture in boxes for label, *_ in of_picture})

    def given(self, column: str) -> bool:
        """See `Seen`."""
        return bool(self.frame[column].notna().any())

    def few_values(self, column: str) -> list[str]:
        """See `Seen`."""
        found = self.frame[column].dropna()
        values = sorted(found.unique())
        return values if is_few(len(values), given=len(found)) else []

    def usual_range(self, column: str, *, whole: bool) -> tuple[float, float, float] | None:
        """See `Seen`."""
        values = self.frame[column].dropna().to_numpy(np.float64)
        values = values[np.isfinite(values)]
        return usual_range(values, whole=whole) if values.size else None

    def smallest_balance(self) -> float | None:
        """See `Seen`."""
        smallest = float(self.frame["class_balance"].min())
        return smallest if smallest == smallest else None

    def missing_share(self, column: str) -> float:
        """See `Seen`."""
        return float(self.frame.loc[self.frame["readable"], column].isna().mean())

    def split_counts(self) -> Sequence[int]:
        """See `Seen`."""
        return [int((self.frame["split"] == split).sum()) for split in SPLITS]


def is_few(values: int, *, given: int) -> bool:
    """Whether so many different values are few, of so many samples with one."""
    return values <= MAX_VALUES and given >= SAMPLES_A_VALUE * values
