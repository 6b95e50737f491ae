"""`train.augment`: samples of train, changed a little at random, and anew in every epoch.

An entry says how far at most; the first entry that fits a sample is the sample's. So conditions can be treated
differently: more noise for what was taken by night, and none for what is noisy anyway. Val and test are never changed.

Legend: `N` samples of train, `B` batch, `C` channels, `H` height, `W` width, `L` readings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.data.inputs import AnyPreprocessing, WindowPreprocessing, per_axis
from edgeloop.errors import ParamsFault
from edgeloop.tasks import Task, Truth
from edgeloop.training.columns import column_of

if TYPE_CHECKING:
    import torch

    from edgeloop.data.dataset import Sample

OPERATIONS = {3: ("gain", "contrast", "blur", "noise", "mirror"), 2: ("gain", "noise"), 1: ("noise",)}
"""By the number of axes of a sample: a picture, a window, a row."""

_CALLED = {3: "pictures", 2: "windows", 1: "rows"}
_NAMED = 20
"""Values in a message."""

_REACH = 3
"""A Gaussian is cut off at so many standard deviations."""


class Augmentation(Contract):
    """One entry of `train.augment`."""

    where: dict[str, str] = Field(
        default_factory=dict,
        description="samples with such metadata, group or label, as {condition: night}; empty: every sample",
    )
    gain: float = Field(
        default=0.0, ge=0, lt=1, description="largest part by which a sample is multiplied up or down: exposure, gain"
    )
    contrast: float = Field(default=0.0, ge=0, lt=1, description="the same about the mean of a picture")
    blur: float = Field(default=0.0, ge=0, le=16, description="largest deviation of a Gaussian, pixels of the input")
    noise: float = Field(
        default=0.0, ge=0, le=1, description="largest deviation of noise: of pictures 1 is white, else a deviation"
    )
    mirror: bool = Field(default=False, description="half of the pictures are turned left to right")


@dataclass(frozen=True)
class Strengths:
    """What each sample of train is changed by at most, N each."""

    entry: NDArray[np.int64]
    """Of the list, from 0; -1 where none fits."""
    gain: NDArray[np.float32]
    contrast: NDArray[np.float32]
    blur: NDArray[np.float32]
    noise: NDArray[np.float32]
    mirror: NDArray[np.float32]
    """1 where a sample may be mirrored."""


@runtime_checkable
class Mirroring(Protocol):
    """A task whose truths hold places in a picture."""

    def mirrored(self, truth: Truth, *, shape: tuple[int, ...]) -> Truth:
        """The truth of an input of that shape that was turned left to right."""


def refuse_unfitting(entries: Sequence[Augmentation], task: Task, *, axes: int, where: str) -> None:
    """Refuses changes that mean nothing to such samples.

    Args:
        entries: `train.augment`.
        task: Whose truths are changed with pictures.
        axes: Of a sample: 3 of a picture, 2 of a window, 1 of a row.
        where: What the fields of section `train` are called by.

    Raises:
        ParamsFault: An operation is for other samples, or the task cannot say what a mirrored one is.
    """
    for number, entry in enumerate(entries, start=1):
        for name, value in entry.values().items():
            if name != "where" and value and name not in OPERATIONS[axes]:
                raise ParamsFault(
                    f"{name} is not for {_CALLED[axes]}",
                    where=f"{where}.augment.{number}",
                    fix=f"use {' or '.join(OPERATIONS[axes])}",
                )
        if entry.mirror and _mirroring(task) is None:
            raise ParamsFault(
                "this task cannot say what is right for a mirrored picture",
                where=f"{where}.augment.{number}",
                fix="leave out mirror",
            )


def refuse_absent(entries: Sequence[Augmentation], samples: "Sequence[Sample]", *, where: str) -> None:
    """Refuses an entry for samples that are not there: it would change nothing, and nobody be told.

    Args:
        entries: `train.augment`.
        samples: Of all of train.
        where: What the fields of section `train` are called by.

    Raises:
        ParamsFault: No sample has a column or a value that an entry names.
    """
    for number, rule in enumerate(entries, start=1):
        place = f"{where}.augment.{number}.where"
        for name, value in rule.where.items():
            known = sorted({*column_of(samples, name, where=place)} - {""})
            if value not in known:
                near = get_close_matches(value, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"use one of: {', '.join(known[:_NAMED])}"
                raise ParamsFault(f"no sample of train has the {name} {value!r}", where=place, fix=hint)


def strengths_of(entries: Sequence[Augmentation], samples: "Sequence[Sample]", *, count: int) -> Strengths | None:
    """The strengths of every sample; None where there is no entry.

    Args:
        entries: `train.augment`.
        samples: Of train; needed for entries that fit some samples only.
        count: N.

    Raises:
        ParamsFault: No sample has a column that an entry names.
    """
    if not entries:
        return None
    entry = np.full(count, -1, dtype=np.int64)
    for number, rule in enumerate(entries):
        fits = entry < 0
        for name, value in rule.where.items():
            column = column_of(samples, name, where=f"train.augment.{number + 1}.where")
            fits &= np.array([known == value for known in column], dtype=np.bool_)
        entry[fits] = number

    def taken(name: str) -> NDArray[np.float32]:
        return np.array([*(float(getattr(rule, name)) for rule in entries), 0.0], dtype=np.float32)[entry]

    return Strengths(entry, taken("gain"), taken("contrast"), taken("blur"), taken("noise"), taken("mirror"))


def augmented(
    values: "torch.Tensor",
    truths: Sequence[Truth],
    rows: NDArray[np.int64],
    *,
    strengths: Strengths,
    task: Task,
    preprocessing: AnyPreprocessing,
    rng: np.random.Generator,
) -> "tuple[torch.Tensor, list[Truth]]":
    """A batch with its samples changed, as floats with white 1 where they are pictures; and what is right for it.

    Args:
        values: B and the shape of a sample, as `Split` keeps them.
        truths: Of the batch.
        rows: The places of the samples in train.
        strengths: Of all of train.
        task: Whose truths they are.
        preprocessing: Tells the deviation of channels.
        rng: Draws anew for every batch.
    """
    if values.ndim == 4:
        return _pictures(values, truths, rows, strengths, task, rng)
    return _signals(values, rows, strengths, preprocessing, rng), list(truths)


def _pictures(
    values: "torch.Tensor",
    truths: Sequence[Truth],
    rows: NDArray[np.int64],
    strengths: Strengths,
    task: Task,
    rng: np.random.Generator,
) -> "tuple[torch.Tensor, list[Truth]]":
    pixels, told = values.float() / 255, list(truths)
    if strengths.mirror.any():
        turned = (rng.random(len(rows)) < 0.5) & (strengths.mirror[rows] > 0)
        pixels, told = _mirrored(pixels, told, turned, task)
    if strengths.blur.any():
        pixels = _blurred(pixels, _drawn(strengths.blur, rows, rng), widest=float(strengths.blur.max()))
    if strengths.contrast.any():
        mean = pixels.mean(dim=(1, 2, 3), keepdim=True)
        pixels = mean + (pixels - mean) * _along(_factors(strengths.contrast, rows, rng), pixels)
    if strengths.gain.any():
        pixels = pixels * _along(_factors(strengths.gain, rows, rng), pixels)
    if strengths.noise.any():
        pixels = pixels + _noise(pixels, _drawn(strengths.noise, rows, rng), rng)
    return pixels.clamp(0, 1), told


def _signals(
    values: "torch.Tensor",
    rows: NDArray[np.int64],
    strengths: Strengths,
    preprocessing: AnyPreprocessing,
    rng: np.random.Generator,
) -> "torch.Tensor":
    """Windows, B, C, L, or rows of a table; a factor on readings is a summand to the logarithm of their power."""
    import torch

    if strengths.gain.any():
        factors = _factors(strengths.gain, rows, rng)
        if isinstance(preprocessing, WindowPreprocessing) and preprocessing.window.bands:
            values = values + _along(2 * np.log10(factors), values)
        else:
            values = values * _along(factors, values)
    if strengths.noise.any():
        deviation = per_axis(torch.tensor(preprocessing.std, dtype=torch.float32), tuple(values.shape[1:]))
        values = values + deviation * _noise(values, _drawn(strengths.noise, rows, rng), rng)
    return values


def _mirroring(task: Task) -> Callable[..., Truth] | None:
    """What mirrors a truth; nothing has to where a truth holds no places, which moving then leaves alone as well."""
    if isinstance(task, Mirroring):
        return task.mirrored
    return _unchanged if type(task).moved is Task.moved else None


def _unchanged(truth: Truth, *, shape: tuple[int, ...]) -> Truth:  # noqa: ARG001
    return truth


def _mirrored(
    pixels: "torch.Tensor", truths: list[Truth], turned: NDArray[np.bool_], task: Task
) -> "tuple[torch.Tensor, list[Truth]]":
    import torch

    mirrored = _mirroring(task)
    assert mirrored is not None  # see `refuse_unfitting`
    chosen = torch.from_numpy(turned).reshape(-1, 1, 1, 1)
    shape = tuple(pixels.shape[1:])
    told = [mirrored(truth, shape=shape) if turn else truth for truth, turn in zip(truths, turned, strict=True)]
    return torch.where(chosen, pixels.flip(3), pixels), told


def _blurred(pixels: "torch.Tensor", deviations: NDArray[np.float32], *, widest: float) -> "torch.Tensor":
    """Each picture by a Gaussian of its own, one axis after the other; edges are continued."""
    import torch
    from torch.nn.functional import conv2d, pad

    batch, channels, height, width = pixels.shape
    reach = max(1, int(np.ceil(_REACH * widest)))
    places = np.arange(-reach, reach + 1)
    kernels = np.exp(-(places**2) / (2 * np.maximum(deviations, 1e-3)[:, None] ** 2))
    kernels /= kernels.sum(axis=1, keepdims=True)
    weights = torch.from_numpy(np.repeat(kernels.astype(np.float32), channels, axis=0))
    planes = pixels.reshape(1, batch * channels, height, width)
    planes = conv2d(pad(planes, (0, 0, reach, reach), mode="replicate"), weights[:, None, :, None], groups=len(weights))
    planes = conv2d(pad(planes, (reach, reach, 0, 0), mode="replicate"), weights[:, None, None, :], groups=len(weights))
    return planes.reshape(pixels.shape)


def _drawn(most: NDArray[np.float32], rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
    """A strength for each sample, even from 0 to its largest."""
    return rng.random(len(rows), dtype=np.float32) * most[rows]


def _factors(most: NDArray[np.float32], rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
    """A factor for each sample, even about 1."""
    return 1 + (2 * rng.random(len(rows), dtype=np.float32) - 1) * most[rows]


def _noise(values: "torch.Tensor", deviations: NDArray[np.float32], rng: np.random.Generator) -> "torch.Tensor":
    import torch

    drawn = rng.standard_normal(tuple(values.shape), dtype=np.float32)
    return torch.from_numpy(drawn) * _along(deviations, values)


def _along(numbers: NDArray[Any], values: "torch.Tensor") -> "torch.Tensor":
    """One number a sample, so that it broadcasts over the samples of a batch."""
    import torch

    return torch.from_numpy(numbers.astype(np.float32)).reshape(-1, *(1,) * (values.ndim - 1))
