"""What is looked at in a sample without knowing what it means, one file a kind of sample.

The features of a dataset are one table, a row a sample; validation judges it, the profile sums it up, drift compares
it. The name of a plug-in is the kind of sample that it reads: `image`, `detection`, `window`, `table`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from edgeloop.errors import DataFault

if TYPE_CHECKING:
    from edgeloop.data.sources import RawSample

Value = int | float | str | None


@dataclass(frozen=True)
class Column:
    """One feature.

    Args:
        name: With its unit, where it has one.
        type: Of its values; null where a sample could not be read.
        says: What it is, for people.
        compared: Whether drift compares it; numbers only.
    """

    name: str
    type: Literal["int", "float", "text"]
    says: str
    compared: bool = True


class Features(Protocol):
    """The features of one kind of sample."""

    columns: tuple[Column, ...]
    """What every sample of this kind has, whatever the dataset."""

    def described(self, rows: "Iterable[Mapping[str, Value]]") -> tuple[Column, ...]:
        """The columns of a dataset: `columns`, and behind them those that only its samples can tell, if there are any.

        Who reads a dataset later takes them from its feature table, see `edgeloop.data.feature_table`.

        Args:
            rows: What `read` gave for every sample that could be read, in any order.
        """

    def read(self, content: bytes, sample: "RawSample") -> Mapping[str, Value]:
        """A value for every column; every sample of a dataset has the same ones.

        Args:
            content: The bytes of the sample.
            sample: What the source says of it.

        Raises:
            DataFault: The bytes are no sample of this kind; `what` says why and names nothing of this machine.
        """


@runtime_checkable
class FeaturesOfMany(Features, Protocol):
    """Features that are taken faster of many samples than of each."""

    def read_many(self, contents: "Iterable[tuple[bytes, RawSample]]") -> "list[Mapping[str, Value] | DataFault]":
        """What `read` gives for each, or raises, in their order.

        Args:
            contents: At most some hundreds.
        """


def compared(columns: tuple[Column, ...]) -> tuple[str, ...]:
    """The names of the columns that drift compares."""
    return tuple(column.name for column in columns if column.compared and column.type != "text")
