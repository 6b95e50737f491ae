"""Corruptions of raw samples, in three strengths each: `pictures`, and `windows` of sensor readings.

A corruption changes the sample as it was taken, before any preprocessing, and keeps what is right for it. Chance is
numpy's PCG64, keyed by the seed, the bytes of the sample and the corruption: the three strengths of one are the same
noise, only stronger, and every model file is asked about the very same samples.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.canonical import sha256_of_bytes
from edgeloop.data.inputs import AnyPreprocessing, WindowPreprocessing
from edgeloop.data.preprocessing import Preprocessing

STRENGTHS = (1, 2, 3)

Array = NDArray[Any]
Change = Callable[[Array, int, np.random.Generator], Array]
"""From a raw sample and a strength to the corrupted one, of the same shape and type."""


@dataclass(frozen=True)
class Corruption:
    """One way in which samples go bad.

    Args:
        change: Does it.
        described: For people: what it is, and its three strengths with their unit.
    """

    change: Change
    described: str


@dataclass(frozen=True)
class Corruptions:
    """Those of one kind of sample.

    Args:
        by_name: In the order in which they are shown.
        read: The raw sample in some bytes; raises DataFault.
        written: The bytes of a raw sample, without loss.
    """

    by_name: Mapping[str, Corruption]
    read: Callable[[bytes, str], Array]
    written: Callable[[Array], bytes]

    @property
    def cells(self) -> tuple[tuple[str, int], ...]:
        """Name and strength of everything that is done to a sample, in order."""
        return tuple((name, strength) for name in self.by_name for strength in STRENGTHS)

    def applied(self, content: bytes, *, seed: int, where: str) -> Iterator[bytes]:
        """The bytes of the sample in `content`, corrupted in the way of every cell.

        Args:
            content: Of the sample.
            seed: Another seed gives other noise.
            where: Named where it cannot be read.

        Raises:
            DataFault: The content is no sample of this kind.
        """
        sample, key = self.read(content, where), int(sha256_of_bytes(content)[:16], 16)
        for number, corruption in enumerate(self.by_name.values()):
            for strength in STRENGTHS:
                random = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, number, key))))
                yield self.written(corruption.change(sample, strength, random))


def corruptions_for(preprocessing: AnyPreprocessing) -> Corruptions | None:
    """Those of the samples that it takes; None for rows of a table, which nothing stands between and the model."""
    from edgeloop.evaluation.corruption import pictures, windows

    if isinstance(preprocessing, Preprocessing):
        return Corruptions(pictures.CORRUPTIONS, pictures.read, pictures.written)
    if isinstance(preprocessing, WindowPreprocessing):
        return Corruptions(windows.CORRUPTIONS, windows.read, windows.written)
    return None
