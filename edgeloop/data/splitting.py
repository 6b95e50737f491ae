"""Which sample goes to which split: stratified by class, decided by content and seed alone.

Neither the order nor the names of the samples matter. What must not be torn apart is one *unit*: the samples of a
group, or, where no group is given, the samples of one class with the same bytes. Units are placed one after another,
the larger first and equal ones in an order drawn from the seed, each where its classes lack most. A picture counts in
every class that it shows, and once more for itself, so that each class and the whole come near the shares (as Sechidis
et al., On the Stratification of Multi-Label Data, 2011, but in the order of the seed).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeloop.canonical import sha256_of_bytes
from edgeloop.data.dataset import SPLITS
from edgeloop.errors import DataFault

Stratum = str | None
"""A class name, "" for all without a label, or None for all that cannot be read: they are shared out by themselves."""


@dataclass(frozen=True)
class Member:
    """What the split of a sample hangs on.

    Args:
        content: The sample's sha256, or its id where it has none.
        label: Class name, or None.
        group: Samples of one group go to one split.
        readable: Unreadable samples take no readable one's place.
        shown: Of a detection sample: the classes of its boxes, each once.
    """

    content: str
    label: str | None
    group: str | None
    readable: bool
    shown: tuple[str, ...] = ()

    @property
    def strata(self) -> tuple[Stratum, ...]:
        """Where it counts."""
        return (self.label or "", *self.shown) if self.readable else (None,)

    @property
    def unit(self) -> tuple[str, str]:
        """What it must stay together with."""
        return ("group", self.group) if self.group is not None else (f"content {self.label or ''}", self.content)


def assigned_splits(members: Sequence[Member], shares: Mapping[str, float], *, seed: int) -> list[str]:
    """The split of each member, in their order.

    Args:
        members: All samples.
        shares: The share of each split; together 1.
        seed: Another seed gives another split.
    """
    units: dict[tuple[str, str], Counter[Stratum]] = defaultdict(Counter)
    for member in members:
        units[member.unit].update(member.strata)
    sizes = Counter(stratum for member in members for stratum in member.strata)
    together = Counter(member.unit for member in members)
    lacking = {stratum: split_counts(size, shares) for stratum, size in sizes.items()}
    placed: dict[tuple[str, str], str] = {}
    for unit in sorted(units, key=lambda unit: (-together[unit], _drawn(unit, seed))):
        split = max(SPLITS, key=lambda name: sum(n * lacking[s][name] / sizes[s] for s, n in units[unit].items()))
        placed[unit] = split
        for stratum, count in units[unit].items():
            lacking[stratum][split] -= count
    return [placed[member.unit] for member in members]


def given_splits(samples: Sequence[tuple[str, str | None]]) -> list[str]:
    """The splits that the source itself gives, by the id of each sample.

    Raises:
        DataFault: A sample has none, or one that is unknown.
    """
    for sample_id, split in samples:
        if split not in SPLITS:
            raise DataFault(
                f"{sample_id} is in the split {split!r}" if split else f"{sample_id} is in no split",
                where="prepare_data.split_by: given",
                fix=f"give every sample one of {', '.join(SPLITS)}, or split by class",
            )
    return [split for _, split in samples if split is not None]


def splits_in_time(
    members: Sequence[Member], times: Sequence[tuple[str, str | None]], shares: Mapping[str, float]
) -> list[str]:
    """Splits in the order of time: train first, then val, test last, so that the future is never learned from.

    What must stay together goes where its latest sample goes.

    Args:
        members: All samples.
        times: Id and time of each, in their order.
        shares: The share of each split; together 1.

    Raises:
        DataFault: A sample has no time.
    """
    for sample_id, time in times:
        if time is None:
            raise DataFault(f"{sample_id} has no time", where="prepare_data.split_by: time", fix="split by class")
    latest: dict[tuple[str, str], str] = {}
    for member, (_, time) in zip(members, times, strict=True):
        latest[member.unit] = max(latest.get(member.unit, ""), time or "")
    sizes = Counter(member.unit for member in members)
    ends = {"train": shares["train"], "val": shares["train"] + shares["val"], "test": 1.0}
    placed, before = {}, 0
    for unit in sorted(latest, key=lambda unit: (latest[unit], unit)):
        middle = (before + sizes[unit] / 2) / len(members)
        placed[unit] = next(split for split, end in ends.items() if middle <= end or split == "test")
        before += sizes[unit]
    return [placed[member.unit] for member in members]


def split_counts(size: int, shares: Mapping[str, float]) -> dict[str, int]:
    """How many of `size` samples each split gets: the largest remainder, and one at least where there are enough."""
    counts = {name: int(size * shares[name] + 1e-9) for name in SPLITS}
    by_remainder = sorted(SPLITS, key=lambda name: counts[name] - size * shares[name])
    for name in by_remainder[: size - sum(counts.values())]:
        counts[name] += 1
    while size >= len(SPLITS) and min(counts.values()) == 0:
        counts[max(SPLITS, key=lambda name: counts[name])] -= 1
        counts[min(SPLITS, key=lambda name: counts[name])] += 1
    return counts


def _drawn(unit: tuple[str, str], seed: int) -> str:
    return sha256_of_bytes(f"{seed}\n{unit[0]}\n{unit[1]}".encode())
