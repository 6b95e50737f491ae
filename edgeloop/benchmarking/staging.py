"""What is sent to a device: model files, and real samples as they are read and as a model takes them.

Legend: `N` samples.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.dataset import Dataset, Sample
from edgeloop.data.inputs import AnyPreprocessing
from edgeloop.errors import DataFault, translated
from edgeloop.files import copy_file
from edgeloop.models import CARD_FILE
from edgeloop.variants import PlacedVariant

TIMED_SAMPLES = 32
"""Distinct inputs that timed queries take turns through."""

CHUNK_BYTES = 32 << 20
"""Inputs that are sent at once, so that memory and disk stay flat however large the split is."""


@dataclass(frozen=True)
class Samples:
    """Real samples of one split, and how a model takes them."""

    dataset: Dataset
    samples: tuple[Sample, ...]
    preprocessing: AnyPreprocessing

    def inputs(self, samples: tuple[Sample, ...]) -> NDArray[np.float32]:
        """N and the shape of an input."""
        return np.stack([self.preprocessing.apply(self.dataset.content(s), where=s.uri) for s in samples])

    def batches(self, size: int) -> Iterator[NDArray[np.float32]]:
        """At most `size` of them at a time, in the order of the samples."""
        for start in range(0, len(self.samples), size):
            yield self.inputs(self.samples[start : start + size])


def samples_of(dataset: Path, *, validation: Path, split: str, preprocessing: AnyPreprocessing) -> Samples:
    """The accepted samples of a split.

    Raises:
        DataFault: There is none.
    """
    opened = Dataset(dataset, validation)
    samples = opened.split(split)
    if not samples:
        raise DataFault(f"no accepted sample in {split}", where=str(dataset), fix="give prepare_data more data")
    return Samples(dataset=opened, samples=samples, preprocessing=preprocessing)


@dataclass(frozen=True)
class Material:
    """Files for a device, all npz; they lie in a folder of the run's own.

    Args:
        timing: `inputs`, N first: what timed queries take turns through.
        single: `inputs` with N = 1, for the process whose memory is measured.
        content: `content` and `offsets`: the bytes of samples, one after another; null where there are none.
        samples: What accuracy is measured on; null where there is none.
    """

    folder: Path
    timing: Path
    single: Path
    content: Path | None = None
    samples: Samples | None = field(default=None, repr=False)

    def chunks(self) -> Iterator[Path]:
        """`inputs` of all samples in several files; each is gone when the next one is asked for."""
        if self.samples is None:
            return
        size_bytes = 4 * int(np.prod(self.samples.preprocessing.shape))
        for number, inputs in enumerate(self.samples.batches(max(1, CHUNK_BYTES // size_bytes))):
            path = _saved(self.folder / f"chunk-{number}.npz", inputs=inputs)
            yield path
            path.unlink()


def material_of(samples: Samples, folder: Path) -> Material:
    """Timing on the first of the samples, accuracy on all of them.

    Raises:
        DataFault: A sample has changed or cannot be read.
    """
    timed = samples.samples[:TIMED_SAMPLES]
    contents = [samples.dataset.content(sample) for sample in timed]
    content = _saved(
        folder / "content.npz",
        content=np.frombuffer(b"".join(contents), dtype=np.uint8),
        offsets=np.cumsum([0, *map(len, contents)]),
    )
    plain = material_from(samples.inputs(timed), folder)
    return Material(folder=folder, timing=plain.timing, single=plain.single, content=content, samples=samples)


def material_from(inputs: NDArray[np.float32], folder: Path) -> Material:
    """Timing on the given inputs, no accuracy.

    Args:
        inputs: N and the model's input shape.
        folder: Of the run's own.
    """
    timing = _saved(folder / "timing.npz", inputs=inputs[:TIMED_SAMPLES])
    return Material(folder=folder, timing=timing, single=_saved(folder / "single.npz", inputs=inputs[:1]))


def staged_model(placed: PlacedVariant, folder: Path) -> Path:
    """A folder with the model file, its external data and the model card, for a transport to put on a device."""
    target = folder / placed.variant.name
    with translated(target):
        target.mkdir()
        for path in (*placed.folder.glob(f"{placed.variant.file}*"), placed.folder / CARD_FILE):
            if path.is_file():
                copy_file(path, target / path.name)
    return target


def _saved(path: Path, **arrays: NDArray[np.generic]) -> Path:
    with translated(path):
        np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy's stub reads any keyword as allow_pickle
    return path
