"""Where raw data comes from, one file a format."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class RawSample:
    """One sample as the source has it.

    Args:
        id: Stable and unique within the source: the same data in another folder has the same ids.
        label: Class name, or None.
        uri: Where its bytes lie, absolute; None where the source has no file of its own and gives `content`.
        content: The bytes, where there is no uri.
        group: Samples that must not be torn apart by a split, or None.
        error: Why the sample cannot be used although the source lists it, or None.
    """

    id: str
    label: str | None
    uri: str | None = None
    content: bytes | None = None
    group: str | None = None
    error: str | None = None


class Source(Protocol):
    """A format of raw data."""

    def samples(self, path: Path | None) -> Iterator[RawSample]:
        """All samples, in any order.

        Raises:
            DataFault: `path` is missing, empty, or not of this format.
        """
