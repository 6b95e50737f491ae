"""What a network is trained on: samples decoded once, put in order, shifted and normalised batch by batch.

Legend: `N` samples, `B` batch, `C` channels, `H` height, `W` width in pixels, `L` readings. Pictures are kept as bytes,
a quarter of the memory of floats; a byte divided by 255 is exactly what `edgeloop.data.preprocessing.decode` gives.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.dataset import Dataset, Sample
from edgeloop.data.inputs import AnyPreprocessing, Reader, Values, per_axis
from edgeloop.errors import EnvironmentFault
from edgeloop.tasks import Task, Truth

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Split:
    """Samples in memory, and what is right for each."""

    values: "torch.Tensor"
    """uint8 N, C, H, W of pictures; float32, N and the shape of a sample, of everything else."""
    truths: tuple[Truth, ...]

    def __len__(self) -> int:
        return len(self.truths)

    def where(self, kept: Sequence[bool]) -> "Split":
        """The samples whose entry in `kept` is true."""
        import torch

        if all(kept):
            return self
        return Split(
            self.values[torch.tensor(kept)], tuple(t for t, keep in zip(self.truths, kept, strict=True) if keep)
        )


def decoded(dataset: Dataset, samples: Sequence[Sample], *, reader: Reader) -> Values:
    """The arrays of the samples in their order, as the reader makes them, N first; of no sample an empty array.

    Raises:
        DataFault: A sample cannot be read, has changed, or has another shape than the first.
        EnvironmentFault: They cannot fit into this machine's memory.
    """
    values: Values = np.empty(0, dtype=np.float32)
    for row, (sample, content) in enumerate(zip(samples, dataset.contents(samples), strict=True)):
        read = reader.read(content, where=sample.uri)
        if row == 0:
            _require_memory(len(samples) * read.nbytes, where=str(dataset.folder))
            values = np.empty((len(samples), *read.shape), dtype=read.dtype)
        values[row] = read
    return values


def normalised(values: "torch.Tensor", preprocessing: AnyPreprocessing) -> "torch.Tensor":
    """B samples as float32, bit for bit as `apply` of the preprocessing makes them."""
    import torch

    shape = tuple(values.shape[1:])
    mean, std = (
        per_axis(torch.tensor(numbers, dtype=torch.float32), shape)
        for numbers in (preprocessing.mean, preprocessing.std)
    )
    plain = values.float() / 255 if values.dtype == torch.uint8 else values
    scaled: torch.Tensor = (plain - mean) / std
    return scaled


def cut(rows: NDArray[np.int64], *, batch_size: int) -> list[NDArray[np.int64]]:
    """The rows of one epoch in batches."""
    return np.split(rows, _cuts(len(rows), batch_size))


def steps_in_epoch(count: int, *, batch_size: int) -> int:
    """The number of batches in one epoch."""
    return len(_cuts(count, batch_size)) + 1


def _cuts(count: int, batch_size: int) -> list[int]:
    """Where a new batch begins.

    One sample left over joins the batch before it: batch norm cannot learn from a single value.
    """
    cuts = list(range(batch_size, count, batch_size))
    return cuts[:-1] if cuts and batch_size > 1 and count - cuts[-1] == 1 else cuts


@dataclass(frozen=True)
class Shift:
    """How far the samples of a batch are moved: down and to the right, each B; along time only `right` counts."""

    down: NDArray[np.int64]
    right: NDArray[np.int64]

    def moved(self, truths: Sequence[Truth], task: Task, *, shape: tuple[int, ...]) -> list[Truth]:
        """What is right for the moved samples of that shape."""
        places = zip(truths, self.down.tolist(), self.right.tolist(), strict=True)
        return [task.moved(truth, down=down, right=right, shape=shape) for truth, down, right in places]


def shifted(values: "torch.Tensor", *, most: int, rng: np.random.Generator) -> "tuple[torch.Tensor, Shift | None]":
    """A batch, each sample moved by up to `most` pixels either way, or readings; and how far.

    What comes into sight of a picture is 0; a window comes round, and a row of a table has no place to move to.
    """
    if most == 0 or values.ndim == 2:
        return values, None
    offsets = rng.integers(0, 2 * most + 1, size=(2, len(values), 1))
    shift = Shift(down=most - offsets[0, :, 0], right=most - offsets[1, :, 0])
    return (_picture_shifted if values.ndim == 4 else _window_shifted)(values, offsets, most), shift


def _picture_shifted(pixels: "torch.Tensor", offsets: NDArray[np.int64], most: int) -> "torch.Tensor":
    """B, C, H, W; offset `most` leaves a picture where it is."""
    import torch

    height, width = pixels.shape[2:]
    padded = torch.nn.functional.pad(pixels, (most,) * 4)
    places = zip(padded, *offsets[:, :, 0].tolist(), strict=True)
    return torch.stack([picture[:, down : down + height, right : right + width] for picture, down, right in places])


def _window_shifted(readings: "torch.Tensor", offsets: NDArray[np.int64], most: int) -> "torch.Tensor":
    """B, C, L; offset `most` leaves a window where it is."""
    import torch

    batch, channels, length = readings.shape
    places = (torch.from_numpy(offsets[1] - most) + torch.arange(length)).remainder(length)
    return readings[torch.arange(batch).reshape(-1, 1, 1), torch.arange(channels).reshape(1, -1, 1), places[:, None]]


def _require_memory(needed_bytes: int, *, where: str) -> None:
    """Refuses at once what would end in the kernel's out-of-memory killer after minutes."""
    owned_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed_bytes > owned_bytes:
        raise EnvironmentFault(
            f"the samples need {needed_bytes / 2**30:.1f} GiB and this machine has {owned_bytes / 2**30:.1f}",
            where=where,
            fix="lower train.image, or use fewer or shorter samples",
        )
