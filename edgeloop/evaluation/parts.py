"""The metric of parts of test: of every value of a column of the metadata."""

import json
from collections.abc import Callable, Sequence

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.data.dataset import Sample


class Part(Contract):
    """The samples that share a value of a column."""

    column: str
    value: str
    samples: int
    metric: float | None = Field(description="the task's; null where these samples alone cannot be judged")


def parts_of(
    columns: Sequence[str], *, samples: Sequence[Sample], judged: Callable[[list[int]], float | None]
) -> tuple[Part, ...]:
    """The metric of every value of the columns, in their order; a column that no sample has gives none.

    Args:
        columns: Keys of the metadata, or `group`.
        samples: All that were judged.
        judged: The metric of the samples at these places; None where they cannot be judged alone.
    """
    known = [{**json.loads(sample.metadata or "{}"), "group": sample.group} for sample in samples]
    parts = []
    for column in columns:
        places: dict[str, list[int]] = {}
        for place, values in enumerate(known):
            if values.get(column) is not None:
                places.setdefault(str(values[column]), []).append(place)
        parts += [
            Part(column=column, value=value, samples=len(places[value]), metric=judged(places[value]))
            for value in sorted(places)
        ]
    return tuple(parts)
