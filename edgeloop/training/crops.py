"""`train.crop_side`: a detector learns from parts of pictures, around their objects, and is shipped for whole ones.

A convolutional detector answers every cell alike, whatever the size of the picture. What a step costs is the area that
it sees, and most of a scene holds no object: so a batch of parts shows more objects, or the same larger, at the cost of
a batch of whole pictures.

Legend: `B` batch, `C` channels, `H` height, `W` width in pixels of the model's input.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from edgeloop.errors import ParamsFault
from edgeloop.tasks import Floats, Task, Truth

if TYPE_CHECKING:
    import torch


@runtime_checkable
class Placing(Protocol):
    """A task whose truths say where in a picture something is."""

    def places(self, truth: Truth) -> Floats:
        """x1, y1, x2, y2 of every object, in pixels of the model's input."""


def refuse_uncroppable(side: int | None, task: Task, *, shape: Sequence[int], where: str) -> None:
    """Refuses a part that is no part, or one of which nobody could say what is right.

    Args:
        side: `train.crop_side`.
        task: That judges the parts.
        shape: C, H, W of whole pictures.
        where: What the fields of section `train` are called by.

    Raises:
        ParamsFault: It says which.
    """
    if side is None:
        return
    if not isinstance(task, Placing):
        raise ParamsFault(
            "this task cannot say what is right for a part of a picture",
            where=f"{where}.crop_side",
            fix="leave it out",
        )
    if side > min(shape[1:]):
        raise ParamsFault(
            f"a part of {side} pixels is more than the picture of {shape[1]} x {shape[2]}",
            where=f"{where}.crop_side",
            fix="lower it, or raise train.image",
        )


def learned_shape(shape: tuple[int, ...], side: int | None) -> tuple[int, ...]:
    """The shape of what a step sees of a sample of that shape."""
    return shape if side is None else (shape[0], side, side)


def cropped(
    pixels: "torch.Tensor", truths: Sequence[Truth], *, side: int, task: Task, rng: np.random.Generator
) -> "tuple[torch.Tensor, list[Truth]]":
    """A part of every picture, side x side, and what is right for it.

    It holds one of the picture's objects, drawn at random, whole if it is no larger than the part; of a picture
    without objects it may be any part.

    Args:
        pixels: B, C, H, W.
        truths: Of the batch.
        side: Of the parts.
        task: Whose truths they are; see `Placing`.
        rng: Draws anew for every batch.
    """
    import torch

    assert isinstance(task, Placing)
    channels, height, width = pixels.shape[1:]
    parts, told = [], []
    for picture, truth in zip(pixels, truths, strict=True):
        places = task.places(truth)
        box = places[rng.integers(len(places))] if len(places) else None
        down, right = (
            _begin(box, axis, side=side, length=length, rng=rng) for axis, length in ((1, height), (0, width))
        )
        parts.append(picture[:, down : down + side, right : right + side])
        told.append(task.moved(truth, down=-down, right=-right, shape=(channels, side, side)))
    return torch.stack(parts), told


def _begin(box: NDArray[np.float32] | None, axis: int, *, side: int, length: int, rng: np.random.Generator) -> int:
    """Where along an axis of that length a part begins."""
    first, last = 0, length - side
    if box is not None:
        first = int(np.clip(np.ceil(box[axis + 2] - side), 0, last))
        last = int(np.clip(np.floor(box[axis]), first, last))
    return int(rng.integers(first, last + 1))
