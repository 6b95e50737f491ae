"""`train.balance_by`: samples of a rare condition are drawn as often as those of a common one.

An epoch has as many draws as train has samples, shared out equally among the values of the column. What a value has
too few samples for is drawn again, each of its samples as often as the others, give or take one; of a value with more
samples than its share other ones are drawn in every epoch.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def rows_by(values: Sequence[str]) -> tuple[NDArray[np.int64], ...]:
    """The places of every value, the values sorted."""
    places: dict[str, list[int]] = {}
    for place, value in enumerate(values):
        places.setdefault(value, []).append(place)
    return tuple(np.array(places[value], dtype=np.int64) for value in sorted(places))


def balanced_rows(groups: Sequence[NDArray[np.int64]], *, rng: np.random.Generator) -> NDArray[np.int64]:
    """The rows of one epoch in random order, see the module."""
    count = sum(map(len, groups))
    shares = np.full(len(groups), count // len(groups), dtype=np.int64)
    shares[rng.permutation(len(groups))[: count % len(groups)]] += 1
    drawn = [_repeated(rows, int(share), rng) for rows, share in zip(groups, shares, strict=True)]
    return rng.permutation(np.concatenate(drawn))


def _repeated(rows: NDArray[np.int64], share: int, rng: np.random.Generator) -> NDArray[np.int64]:
    whole, rest = divmod(share, len(rows))
    return np.concatenate([np.tile(rows, whole), rng.permutation(rows)[:rest]])
