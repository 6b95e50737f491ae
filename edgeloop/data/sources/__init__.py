"""Where raw data comes from, one file a format."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from edgeloop.contract import Contract
from edgeloop.data.shards import Packed


@dataclass(frozen=True)
class Box:
    """One object in a picture: its class, and its upper left corner and size in pixels of that picture, y downwards.

    As the source has it: it may lie outside the picture, have no area, or be of a class that does not exist.
    """

    label: str
    left: float
    top: float
    width: float
    height: float


_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class RawSample:
    """One sample as the source has it.

    Args:
        id: Stable and unique within the source: the same data in another folder has the same ids.
        label: Class name, or None.
        uri: Where its bytes lie, absolute; None where the source has no file of its own and gives `content`.
        content: The bytes, where there is no uri.
        group: Samples that must not be torn apart by a split, or None.
        error: Why the sample cannot be used although the source lists it, or None.
        boxes: Of a detection sample: what is in the picture, or () where nothing is; None where nobody has said.
        metadata: What else is known of how it was taken, such as `condition: night`.
        split: Where the source itself puts it, or None.
        packed: Where `prepare_data` has put the content since; a source leaves it alone.
        time: When it was taken, as text that sorts like time (ISO 8601 in UTC, or a number of fixed width), or None.
    """

    id: str
    label: str | None
    uri: str | None = None
    content: bytes | None = None
    group: str | None = None
    error: str | None = None
    boxes: tuple[Box, ...] | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    split: str | None = None
    time: str | None = None
    packed: Packed | None = None


class NoOptions(Contract):
    """A source that needs no more than its path."""


class Source(Protocol):
    """A format of raw data."""

    kind: str
    """What its samples are: a plug-in of `edgeloop.data.features`."""

    needs_place: bool
    """Whether `prepare_data` has to say where the data lies; a source that makes its samples needs no place."""

    options: type[Contract]
    """What `prepare_data.options` may hold, checked before anything runs."""

    def samples(self, path: Path | None, options: Any) -> Iterator[RawSample]:
        """All samples, in any order.

        Args:
            path: `prepare_data.path`, absolute.
            options: An instance of `options` above.

        Raises:
            DataFault: `path` is missing, empty, or not of this format.
        """
