"""How samples, classes and faults are spread over the conditions that samples were taken under."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from edgeloop.data.conditions import conditions_of
from edgeloop.data.dataset import SPLITS, Sample, classes_in

SHOWN_CLASSES = 12


@dataclass(frozen=True)
class Count:
    """Some samples, and their share of those that they are counted among, 0..1."""

    number: int
    share: float


@dataclass(frozen=True)
class Part:
    """The samples of one value of a condition; the empty value is that of samples without one.

    Args:
        value: Such as night.
        samples: Of all.
        splits: By split; shares of the largest part, so that bars compare.
        classes: That show each class, in the order of the breakdown; shares of all that show the class.
        faulty: By severity, the samples that an expectation of it names; shares of the part.
    """

    value: str
    samples: Count
    splits: Mapping[str, Count]
    classes: tuple[Count, ...]
    faulty: Mapping[str, Count]


@dataclass(frozen=True)
class Breakdown:
    """The parts of a dataset under one condition, the largest first; of many classes the first SHOWN_CLASSES."""

    condition: str
    classes: tuple[str, ...]
    parts: tuple[Part, ...]


def breakdowns(samples: Sequence[Sample], faulty: Mapping[str, Set[str]]) -> list[Breakdown]:
    """One for each condition.

    Args:
        samples: All rows of the index, unreadable ones too.
        faulty: The ids that expectations name, by severity.
    """
    return [_breakdown(name, values, samples, faulty) for name, values in conditions_of(samples).items()]


def _breakdown(
    condition: str, values: Sequence[str | None], samples: Sequence[Sample], faulty: Mapping[str, Set[str]]
) -> Breakdown:
    pairs = [(value or "", sample) for value, sample in zip(values, samples, strict=True)]
    sizes = Counter(value for value, _ in pairs)
    in_split = Counter((value, sample.split) for value, sample in pairs)
    showing = Counter((value, label) for value, sample in pairs for label in classes_in(sample) if label)
    of_class = Counter(label for _, sample in pairs for label in classes_in(sample) if label)
    at_fault = Counter((value, s) for value, sample in pairs for s, ids in faulty.items() if sample.id in ids)
    classes = tuple(sorted(of_class))[:SHOWN_CLASSES]
    largest = max(sizes.values())
    parts = tuple(
        Part(
            value=value,
            samples=Count(size, size / len(pairs)),
            splits={split: Count(in_split[value, split], in_split[value, split] / largest) for split in SPLITS},
            classes=tuple(Count(showing[value, name], showing[value, name] / of_class[name]) for name in classes),
            faulty={s: Count(at_fault[value, s], at_fault[value, s] / size) for s in faulty},
        )
        for value, size in sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0]))
    )
    return Breakdown(condition, classes, parts)
