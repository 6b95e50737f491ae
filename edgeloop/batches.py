"""Samples as the inputs of a model, a few at a time, so that memory stays bounded whatever the dataset holds.

Legend: `N` batch.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.dataset import Dataset, Sample
from edgeloop.data.inputs import AnyPreprocessing

MOST_VALUES = 1 << 22
"""Input values in one batch: 16 MB of float32, and some hundreds of MB of activations in a usual network."""

MOST_SAMPLES = 64


def batches(
    dataset: Dataset, samples: Sequence[Sample], preprocessing: AnyPreprocessing
) -> Iterator[tuple[Sequence[Sample], NDArray[np.float32]]]:
    """The samples in their order, with their inputs, N first.

    Raises:
        DataFault: A sample has changed since `prepare_data` or cannot be decoded.
    """
    size = max(1, min(MOST_SAMPLES, MOST_VALUES // int(np.prod(preprocessing.shape))))
    for start in range(0, len(samples), size):
        part = samples[start : start + size]
        yield part, np.stack([preprocessing.apply(dataset.content(s), where=s.uri) for s in part])


def spread(samples: Sequence[Sample], count: int) -> list[Sample]:
    """At most `count` samples, evenly spread over the whole, first one included."""
    chosen = min(count, len(samples))
    return [samples[i * len(samples) // chosen] for i in range(chosen)]
