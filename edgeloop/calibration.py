"""The calibration set: the part of train whose activations fix the ranges of a quantized model."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from edgeloop.canonical import digest_of
from edgeloop.data.dataset import Sample, samples_digest


def stratified(samples: Sequence[Sample], count: int, *, seed: int) -> list[Sample]:
    """At most `count` of the samples, each class in proportion to its size, sorted by id.

    Inside a class the order is that of a digest over seed and id, so that it hangs neither on a library's generator
    nor on which other samples there are. The j-th of the m samples of a class has rank j/m; the lowest ranks of all
    classes are taken. So every class is met before any is met twice, and a class too small for its share gives all
    that it has.
    """
    classes: dict[str, list[tuple[str, Sample]]] = defaultdict(list)
    for sample in samples:
        classes[sample.label or ""].append((digest_of([seed, sample.id]), sample))
    ranked = [
        (place / len(members), order, sample)
        for members in classes.values()
        for place, (order, sample) in enumerate(sorted(members, key=lambda member: member[0]))
    ]
    ranked.sort(key=lambda entry: entry[:2])
    return sorted((sample for _, _, sample in ranked[:count]), key=lambda sample: sample.id)


def recorded(chosen: Sequence[Sample], *, requested: int, seed: int, method: str) -> dict[str, Any]:
    """What a variant set says of its calibration set, as JSON types."""
    labels = sorted(sample.label or "" for sample in chosen)
    return {
        "digest": samples_digest(chosen),
        "samples": len(chosen),
        "requested": requested,
        "seed": seed,
        "method": method,
        "per_class": {label: labels.count(label) for label in dict.fromkeys(labels)},
    }
