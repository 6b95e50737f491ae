"""What a network is trained on: pictures decoded once, put in order, shifted and normalised batch by batch.

Legend: `N` samples, `B` batch, `C` channels, `H` height, `W` width in pixels. Pictures are kept as bytes, a quarter of
the memory of floats; a byte divided by 255 is exactly what `edgeloop.data.preprocessing.decode` gives.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.dataset import Dataset, Sample
from edgeloop.data.preprocessing import CHANNELS, ImageInput, Preprocessing, decode
from edgeloop.errors import DataFault, EnvironmentFault

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Pictures:
    """One split in memory."""

    pixels: "torch.Tensor"
    """uint8, shape N, C, H, W."""
    targets: "torch.Tensor"
    """int64, shape N: class indices."""

    def __len__(self) -> int:
        return len(self.targets)


def decoded(dataset: Dataset, split: str, *, image: ImageInput) -> Pictures:
    """All usable samples of one split, in the order of their ids.

    Raises:
        DataFault: A sample has no label, cannot be decoded, or has changed.
        EnvironmentFault: The split cannot fit into this machine's memory.
    """
    import torch

    samples = dataset.split(split)
    shape = (len(samples), CHANNELS[image.mode], image.height, image.width)
    _require_memory(int(np.prod(shape, dtype=object)), where=f"{dataset.folder}: {split}")
    pixels = np.empty(shape, dtype=np.uint8)
    for row, (sample, content) in enumerate(zip(samples, dataset.contents(samples), strict=True)):
        pixels[row] = np.rint(decode(content, image, where=sample.uri) * np.float32(255))
    targets = np.array([_target(dataset, sample) for sample in samples], dtype=np.int64)
    return Pictures(pixels=torch.from_numpy(pixels), targets=torch.from_numpy(targets))


def require_learnable(train: Pictures, val: Pictures, *, classes: Sequence[str], where: str) -> None:
    """Refuses what no training can learn from, or no validation can judge.

    Raises:
        DataFault: There are fewer than two classes, a class has no sample in train, or val is empty.
    """
    fix = "add samples, or look at what validate_data took out"
    if len(classes) < 2:
        raise DataFault(f"{len(classes)} class, and learning needs two", where=where, fix=fix)
    if not len(val):
        raise DataFault("no usable sample in val", where=where, fix=fix)
    counts = np.bincount(train.targets.numpy(), minlength=len(classes))
    absent = [name for name, count in zip(classes, counts, strict=True) if not count]
    if absent:
        named = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
        raise DataFault(f"no usable sample in train of class {named}", where=where, fix=fix)


def fitted_preprocessing(train: Pictures, *, image: ImageInput) -> Preprocessing:
    """Mean and standard deviation of every channel over train; a channel that never changes keeps a std of 1."""
    levels = np.arange(256, dtype=np.float64) / 255
    means, deviations = [], []
    for channel in range(train.pixels.shape[1]):
        counts = np.bincount(train.pixels[:, channel].numpy().ravel(), minlength=256)
        mean = float(np.average(levels, weights=counts))
        deviation = float(np.sqrt(np.average((levels - mean) ** 2, weights=counts)))
        constant = np.count_nonzero(counts) == 1
        means.append(mean)
        deviations.append(1.0 if constant else deviation)
    return Preprocessing(image=image, mean=tuple(means), std=tuple(deviations))


def normalised(pixels: "torch.Tensor", preprocessing: Preprocessing) -> "torch.Tensor":
    """B, C, H, W bytes as float32, bit for bit as `Preprocessing.apply` makes them."""
    import torch

    mean = torch.tensor(preprocessing.mean, dtype=torch.float32).reshape(-1, 1, 1)
    std = torch.tensor(preprocessing.std, dtype=torch.float32).reshape(-1, 1, 1)
    return (pixels.float() / 255 - mean) / std


def ordered(count: int, *, batch_size: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """The rows of every batch of one epoch, in random order."""
    return np.split(rng.permutation(count), _cuts(count, batch_size))


def steps_in_epoch(count: int, *, batch_size: int) -> int:
    """The number of batches in one epoch."""
    return len(_cuts(count, batch_size)) + 1


def _cuts(count: int, batch_size: int) -> list[int]:
    """Where a new batch begins.

    One sample left over joins the batch before it: batch norm cannot learn from a single value.
    """
    cuts = list(range(batch_size, count, batch_size))
    return cuts[:-1] if cuts and batch_size > 1 and count - cuts[-1] == 1 else cuts


def shifted(pixels: "torch.Tensor", *, shift: int, rng: np.random.Generator) -> "torch.Tensor":
    """B, C, H, W bytes, each picture moved by up to `shift` pixels either way; what comes into sight is 0."""
    import torch

    if shift == 0:
        return pixels
    batch, channels, height, width = pixels.shape
    offsets = torch.from_numpy(rng.integers(0, 2 * shift + 1, size=(2, batch, 1)))
    rows = (offsets[0] + torch.arange(height)).reshape(batch, 1, height, 1)
    columns = (offsets[1] + torch.arange(width)).reshape(batch, 1, 1, width)
    padded = torch.nn.functional.pad(pixels, (shift,) * 4)
    return padded[torch.arange(batch).reshape(-1, 1, 1, 1), torch.arange(channels).reshape(1, -1, 1, 1), rows, columns]


def _target(dataset: Dataset, sample: Sample) -> int:
    if sample.label not in dataset.card.classes:
        raise DataFault(
            f"sample {sample.id} has the label {sample.label!r}, which is none of the classes",
            where=str(dataset.folder),
            fix="label it, or leave it out with validate_data.on_fault: quarantine",
        )
    return dataset.class_index(sample)


def _require_memory(needed_bytes: int, *, where: str) -> None:
    """Refuses at once what would end in the kernel's out-of-memory killer after minutes."""
    owned_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed_bytes > owned_bytes:
        raise EnvironmentFault(
            f"the pixels need {needed_bytes / 2**30:.1f} GiB and this machine has {owned_bytes / 2**30:.1f}",
            where=where,
            fix="lower train.image or use fewer samples",
        )
