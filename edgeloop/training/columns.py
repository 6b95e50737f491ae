"""What is known of samples beside their content, by name: an entry of their metadata, `group` or `label`."""

import json
from collections.abc import Sequence
from difflib import get_close_matches

from edgeloop.data.dataset import Sample
from edgeloop.errors import ParamsFault


def column_of(samples: Sequence[Sample], name: str, *, where: str) -> tuple[str, ...]:
    """The value of every sample as text, empty where it has none.

    Args:
        samples: Of train.
        name: Of the column.
        where: The parameter that names it.

    Raises:
        ParamsFault: No sample has it.
    """
    known = [_known(sample) for sample in samples]
    if not any(name in values for values in known):
        names = sorted({name for values in known for name in values})
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"use one of: {', '.join(names)}"
        raise ParamsFault(f"no sample of train has {name!r} in its metadata", where=where, fix=hint)
    return tuple(values.get(name, "") for values in known)


def _known(sample: Sample) -> dict[str, str]:
    values = {**json.loads(sample.metadata or "{}"), "group": sample.group, "label": sample.label}
    return {name: str(value) for name, value in values.items() if value is not None}
