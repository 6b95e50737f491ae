"""The fit loop: AdamW over shuffled, shifted batches; the epoch that is best on val is kept.

Legend: `N` samples, `K` classes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.preprocessing import Preprocessing
from edgeloop.errors import EnvironmentFault, ParamsFault
from edgeloop.tasks import Task
from edgeloop.training import TrainParams
from edgeloop.training.batches import Pictures, normalised, ordered, shifted, steps_in_epoch
from edgeloop.training.schedule import learning_rate

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Material:
    """What a network learns from, and what it is judged on."""

    train: Pictures
    val: Pictures
    preprocessing: Preprocessing
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Epoch:
    """One pass over train."""

    number: int
    """From 1."""
    train_loss: float
    """Mean over the samples, while the weights were changing."""
    val_loss: float
    val_metric: float
    """The task's metric."""
    learning_rate: float
    """Of the epoch's first step."""


@dataclass(frozen=True)
class State:
    """The network after one epoch, and how it answers on val."""

    epoch: Epoch
    weights: dict[str, "torch.Tensor"]
    outputs: NDArray[np.float32]
    """N, K."""
    metrics: dict[str, Any]


@dataclass(frozen=True)
class Fit:
    """What the loop leaves."""

    epochs: tuple[Epoch, ...]
    best: State
    steps: int


@dataclass(frozen=True)
class _Loop:
    """What stays the same in every epoch."""

    network: "nn.Module"
    task: Task
    params: TrainParams
    material: Material
    optimizer: "torch.optim.Optimizer"
    rng: np.random.Generator


def fit(
    network: "nn.Module", task: Task, *, params: TrainParams, material: Material, on_epoch: Callable[[Epoch], None]
) -> Fit:
    """Trains `network` in place and returns its best state.

    The best epoch has the highest metric on val; among equals the lowest loss on val, then the first.

    Raises:
        ParamsFault: The loss left the finite numbers, or the network cannot learn from batches of this size.
        EnvironmentFault: The memory does not suffice.
    """
    import torch

    optimizer = torch.optim.AdamW(network.parameters(), lr=params.learning_rate, weight_decay=params.weight_decay)
    loop = _Loop(network, task, params, material, optimizer, np.random.default_rng(params.seed))
    epochs: list[Epoch] = []
    best: State | None = None
    with _enough_memory():
        for number in range(1, params.epochs + 1):
            epoch, outputs, metrics = _run_epoch(loop, number)
            epochs.append(epoch)
            if best is None or _rank(epoch) > _rank(best.epoch):
                weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
                best = State(epoch, weights, outputs, metrics)
            on_epoch(epoch)
    assert best is not None
    steps = params.epochs * steps_in_epoch(len(material.train), batch_size=params.batch_size)
    return Fit(tuple(epochs), best, steps)


def _rank(epoch: Epoch) -> tuple[float, float]:
    return epoch.val_metric, -epoch.val_loss


def _run_epoch(loop: _Loop, number: int) -> tuple[Epoch, NDArray[np.float32], dict[str, Any]]:
    """Trains once over train, judges on val: the epoch, the outputs on val and their metrics."""
    rate, train_loss = _learn(loop, number)
    val_loss, outputs = _judge(loop)
    _require_finite(val_loss, where=f"epoch {number}, val")
    metrics = loop.task.metrics(outputs, loop.material.val.targets.numpy(), loop.material.classes)
    return Epoch(number, train_loss, val_loss, float(metrics[loop.task.metric]), rate), outputs, metrics


def _learn(loop: _Loop, number: int) -> tuple[float, float]:
    """One pass over train: the first learning rate, and the mean loss."""
    train, params = loop.material.train, loop.params
    batches = ordered(len(train), batch_size=params.batch_size, rng=loop.rng)
    first = (number - 1) * len(batches)
    loss_sum = 0.0
    loop.network.train()
    for index, rows in enumerate(batches):
        rate = learning_rate(params, step=first + index, steps=params.epochs * len(batches))
        for group in loop.optimizer.param_groups:
            group["lr"] = rate
        loss = _step(loop, rows)
        _require_finite(loss, where=f"epoch {number}, step {index + 1}")
        loss_sum += loss * len(rows)
    return learning_rate(params, step=first, steps=params.epochs * len(batches)), loss_sum / len(train)


def _step(loop: _Loop, rows: NDArray[np.int64]) -> float:
    """Learns from one batch and returns its loss."""
    import torch

    train, index = loop.material.train, torch.from_numpy(rows)
    pixels = shifted(train.pixels[index], shift=loop.params.augment_shift, rng=loop.rng)
    with _enough_samples():
        outputs = loop.network(normalised(pixels, loop.material.preprocessing))
    loss = loop.task.loss(outputs, train.targets[index])
    loop.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    loop.optimizer.step()
    return loss.item()


def _judge(loop: _Loop) -> tuple[float, NDArray[np.float32]]:
    """The mean loss on val, and the outputs N, K."""
    import torch

    val = loop.material.val
    loop.network.eval()
    with torch.inference_mode():
        outputs = torch.cat(
            [
                loop.network(normalised(pixels, loop.material.preprocessing))
                for pixels in torch.split(val.pixels, loop.params.batch_size)
            ]
        )
        return loop.task.loss(outputs, val.targets).item(), outputs.numpy()


def _require_finite(loss: float, *, where: str) -> None:
    if not isfinite(loss):
        raise ParamsFault(
            f"the training diverged: the loss is {loss} at {where}", where="train", fix="lower train.learning_rate"
        )


@contextmanager
def _enough_samples() -> Iterator[None]:
    """Batch norm raises a ValueError where a channel has a single value."""
    try:
        yield
    except ValueError as error:
        raise ParamsFault(
            f"the network cannot learn from such a batch ({error})",
            where="train",
            fix="raise train.batch_size or train.image",
        ) from error


@contextmanager
def _enough_memory() -> Iterator[None]:
    """The allocator raises a bare RuntimeError where it gets nothing."""
    try:
        yield
    except RuntimeError as error:
        if "allocate" not in str(error):
            raise
        raise EnvironmentFault(
            "the memory does not suffice for this network and batch",
            where="train",
            fix="lower train.batch_size, train.image or train.model_options",
        ) from error
