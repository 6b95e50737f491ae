"""What is known of a table and of each of its columns, as frozen values."""

import math
from collections import Counter
from pathlib import Path
from typing import Literal

from pydantic import Field

from edgeloop.contract import Contract

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
LISTED_VALUES = 1_000
"""A column with no more distinct values lists them all."""
FREQUENT_VALUES = 20
"""As many of the most frequent values does a text column list that has more."""

Kind = Literal["boolean", "integer", "float", "text", "opaque"]
Scalar = bool | int | float | str


class ValueCount(Contract):
    """One value and the rows that have it."""

    value: Scalar
    rows: int


class ColumnStatistics(Contract):
    """One column; a boolean counts as 0 or 1."""

    name: str
    kind: Kind = Field(description="opaque: dates, times and bytes, which are counted and not looked into")
    count: int = Field(description="finite numbers; values, where the kind is not numeric")
    nulls: int
    nans: int = 0
    negative_infinities: int = 0
    positive_infinities: int = 0
    minimum: int | float | None = Field(default=None, description="of the finite numbers, like all that follows")
    maximum: int | float | None = None
    mean: float | None = None
    m2: float | None = Field(
        default=None, description="sum of the squared differences from the mean; at most the largest double"
    )
    quantiles: dict[str, float] = Field(default_factory=dict, description="such as 0.25: value; linear interpolation")
    quantiles_from: Literal["values", "bins"] = Field(default="values", description="bins: after a merge, approximate")
    edges: tuple[float, ...] = Field(default=(), description="inner edges of the bins, ascending; the lower included")
    counts: tuple[int, ...] = Field(default=(), description="finite numbers in each bin; empty for text and opaque")
    distinct: int | None = Field(default=None, description="different finite numbers or texts; None for opaque")
    distinct_is: Literal["exact", "approximate", "at least"] = "exact"
    listed: tuple[ValueCount, ...] = Field(default=(), description="most frequent first, equal ones by value")
    listed_are: Literal["all", "most frequent", "none"] = "none"

    @property
    def std(self) -> float | None:
        """Of the population."""
        return None if self.m2 is None else math.sqrt(self.m2 / self.count)

    @property
    def sample_std(self) -> float | None:
        """With one degree of freedom less; None below two values."""
        return None if self.m2 is None or self.count < 2 else math.sqrt(self.m2 / (self.count - 1))


class GroupCount(Contract):
    """Rows of one split, class and condition; an empty text stands for null and for a column that was not named."""

    split: str
    label: str
    condition: str
    rows: int


class TableStatistics(Contract):
    """A table: its rows by group, and its columns in their order."""

    format: int = 1
    rows: int
    groups: tuple[GroupCount, ...]
    columns: tuple[ColumnStatistics, ...]

    @classmethod
    def of(cls, path: Path) -> "TableStatistics":
        """The statistics that were written to `path`."""
        return cls.read(path)

    def column(self, name: str) -> ColumnStatistics | None:
        """The column of that name."""
        return next((column for column in self.columns if column.name == name), None)

    def rows_by_split(self) -> dict[str, int]:
        """Rows of each split, sorted by name."""
        return self._rows_by("split")

    def rows_by_condition(self) -> dict[str, int]:
        """Rows of each condition, sorted by name."""
        return self._rows_by("condition")

    def rows_by_class(self) -> dict[str, int]:
        """Rows of each class, sorted by name."""
        return self._rows_by("label")

    def rows_by_split_and_class(self) -> dict[str, dict[str, int]]:
        """Split, then every class of the table, then rows."""
        found: Counter[tuple[str, str]] = Counter()
        for group in self.groups:
            found[group.split, group.label] += group.rows
        labels = sorted({label for _, label in found})
        return {split: {label: found[split, label] for label in labels} for split in self.rows_by_split()}

    def _rows_by(self, role: str) -> dict[str, int]:
        found: Counter[str] = Counter()
        for group in self.groups:
            found[getattr(group, role)] += group.rows
        return dict(sorted(found.items()))
