"""Conditions that samples were taken under, such as day and night: metadata that divide a dataset into a few parts.

A *condition* is an entry of the metadata that at least half of the samples have, with 2 to MAX_VALUES different values.
What was measured of each sample by itself, and what is wrong with its labels, is none.
"""

import json
from collections import Counter
from collections.abc import Sequence

from edgeloop.data.dataset import Sample
from edgeloop.data.windows import Clock

MAX_VALUES = 12
MAX_CONDITIONS = 8

_NO_CONDITIONS = {*Clock.__dataclass_fields__, "label_faults", "label_fault", "unlabelled", "crowd", "splits"}


def conditions_of(samples: Sequence[Sample]) -> dict[str, tuple[str | None, ...]]:
    """The value of every condition in each sample, None where it has none; the first MAX_CONDITIONS names."""
    entries = [_entries(sample) for sample in samples]
    have = Counter(name for known in entries for name in known)
    found: dict[str, tuple[str | None, ...]] = {}
    for name in sorted(have):
        if 2 * have[name] < len(samples) or name in _NO_CONDITIONS:
            continue
        values = tuple(known.get(name) for known in entries)
        if 2 <= len(set(values) - {None}) <= MAX_VALUES:
            found[name] = values
    return dict(list(found.items())[:MAX_CONDITIONS])


def _entries(sample: Sample) -> dict[str, str]:
    return {} if sample.metadata is None else {str(k): str(v) for k, v in json.loads(sample.metadata).items()}
