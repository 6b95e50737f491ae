"""Chance that is the same on every machine: whole numbers from the raw stream of PCG64.

numpy promises the raw stream of its bit generators for ever, the methods of `Generator` only for a version (NEP 19).
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")


class Dice:
    """Dice that fall the same way for the same key."""

    def __init__(self, *key: int) -> None:
        self._stream = np.random.PCG64(np.random.SeedSequence(key))

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + (((self._stream.random_raw() >> 32) * (high - low + 1)) >> 32)

    def chance(self, percent: int) -> bool:
        """True in `percent` of 100 throws."""
        return self.between(1, 100) <= percent

    def side(self) -> int:
        """-1 or 1."""
        return 2 * self.between(0, 1) - 1

    def pick(self, items: Sequence[Item]) -> Item:
        """One of `items`; an item that stands twice is twice as likely."""
        return items[self.between(0, len(items) - 1)]

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """`items` in another order."""
        left = list(items)
        return [left.pop(self.between(0, len(left) - 1)) for _ in items]

    def octets(self, *shape: int) -> NDArray[np.int16]:
        """Numbers from 0 to 255."""
        size = int(np.prod(shape))
        raw = self._stream.random_raw(-(-size // 8)).astype("<u8").view(np.uint8)
        return raw[:size].reshape(shape).astype(np.int16)
