"""The fit loop: AdamW over shuffled, placed and changed batches; the epoch that is best on val is kept.

The network computes on `train.device`; samples, losses, metrics and what is kept stay on the CPU.

Legend: `N` samples.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.dataset import Sample
from edgeloop.models import ModelCard, named_outputs
from edgeloop.tasks import Task, Truth
from edgeloop.training import TrainParams
from edgeloop.training.augmentation import Strengths, augmented, strengths_of
from edgeloop.training.averaging import Average
from edgeloop.training.balance import balanced_rows, rows_by
from edgeloop.training.batches import Split, cut, normalised, shifted, steps_in_epoch
from edgeloop.training.checkpoint import Progress, Running, read_checkpoint, write_checkpoint
from edgeloop.training.columns import column_of
from edgeloop.training.crops import cropped
from edgeloop.training.guards import enough_memory, enough_samples, require_finite, require_near
from edgeloop.training.schedule import learning_rate

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Material:
    """What a network learns from, and what it is judged on."""

    train: Split
    val: Split
    card: ModelCard
    """Of the model to be."""
    samples: tuple[Sample, ...] = ()
    """Of train, for what asks for their metadata or class."""


@dataclass(frozen=True)
class Epoch:
    """`train.passes` over train, and a judgement on val."""

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
    answers: NDArray[np.float32]
    """The task's, N first."""
    metrics: dict[str, Any]


@dataclass(frozen=True)
class Fit:
    """What the loop leaves."""

    epochs: tuple[Epoch, ...]
    best: State
    steps: int
    """Updates of the weights."""


@dataclass(frozen=True)
class _Loop:
    """What stays the same in every epoch."""

    network: "nn.Module"
    task: Task
    params: TrainParams
    material: Material
    optimizer: "torch.optim.Optimizer"
    average: Average
    scaler: "torch.amp.GradScaler"
    """Keeps gradients of fp16 from vanishing; does nothing for other precisions."""
    rng: np.random.Generator
    batches: int
    """In an epoch."""
    strengths: Strengths | None
    """Of what samples are changed by; None where none is."""
    groups: tuple[NDArray[np.int64], ...] | None
    """Rows that are drawn equally often; None where every sample is drawn once."""

    @property
    def steps(self) -> int:
        """In an epoch."""
        return -(-self.batches // self.params.accumulate)

    def rate(self, step: int) -> float:
        """Of step `step`, from 0."""
        return learning_rate(self.params, step=step, steps=self.params.epochs * self.steps)


def fit(
    network: "nn.Module",
    task: Task,
    *,
    params: TrainParams,
    material: Material,
    on_epoch: Callable[[Epoch], None],
    checkpoint: Path | None = None,
) -> Fit:
    """Trains `network` in place and returns its best state.

    The best epoch has the highest metric on val; among equals the lowest loss on val, then the first. With
    `train.ema` it is the moving average of the weights that is judged and kept.

    Args:
        network: Freshly initialised, or with a parent's weights.
        task: What is asked.
        params: Section `train`.
        material: What is learned from.
        on_epoch: Told of every epoch, of those before a checkpoint too.
        checkpoint: A file that keeps the state after every epoch, and from which a training that was killed goes on.

    Raises:
        Divergence: The loss left the finite numbers, or is far above where it began.
        ParamsFault: The network cannot learn from batches of this size, or no sample has a column that is named.
        EnvironmentFault: The memory does not suffice.
        ModelFault: The checkpoint is of another training.
    """
    import torch

    network.to(params.device)
    if params.precision != "fp32" and material.train.values.ndim == 4:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    learned = [values for values in network.parameters() if values.requires_grad]
    loop = _Loop(
        network,
        task,
        params,
        material,
        optimizer=adamw(learned, params),
        average=Average(network, decay=params.ema),
        scaler=torch.amp.GradScaler(params.device, enabled=params.precision == "fp16"),
        rng=np.random.default_rng(params.seed),
        batches=steps_in_epoch(params.passes * len(material.train), batch_size=params.batch_size),
        strengths=strengths_of(params.augment, material.samples, count=len(material.train)),
        groups=groups_of(params, material),
    )
    running = Running(network, loop.average, loop.optimizer, loop.scaler, loop.rng)
    progress = read_checkpoint(checkpoint, running) if checkpoint else None
    for epoch in progress.epochs if progress else ():
        on_epoch(epoch)
    with enough_memory():
        while progress is None or not _ended(progress, params):
            state = _run_epoch(loop, len(progress.epochs) + 1 if progress else 1)
            if progress:
                number = state.epoch.number
                require_near(
                    state.epoch.train_loss, progress.epochs[0].train_loss, epoch=number, steps=number * loop.steps
                )
            progress = _further(progress, state)
            if checkpoint:
                write_checkpoint(checkpoint, running, progress)
            on_epoch(progress.epochs[-1])
    return Fit(progress.epochs, progress.best, len(progress.epochs) * loop.steps)


def adamw(learned: "Iterable[torch.Tensor]", params: TrainParams) -> "torch.optim.Optimizer":
    """On a CPU one kernel a tensor, not a dozen: a third of the time for networks of many small ones."""
    import torch

    return torch.optim.AdamW(
        learned, lr=params.learning_rate, weight_decay=params.weight_decay, fused=params.device == "cpu"
    )


def groups_of(params: TrainParams, material: Material) -> tuple[NDArray[np.int64], ...] | None:
    """The rows of train by the values of `train.balance_by`; None where it names nothing.

    Raises:
        ParamsFault: No sample has that column.
    """
    if params.balance_by is None:
        return None
    return rows_by(column_of(material.samples, params.balance_by, where="train.balance_by"))


def _further(progress: Progress | None, state: State) -> Progress:
    """One epoch on."""
    if progress is None:
        return Progress((state.epoch,), state)
    better = _rank(state.epoch) > _rank(progress.best.epoch)
    return Progress((*progress.epochs, state.epoch), state if better else progress.best)


def _ended(progress: Progress, params: TrainParams) -> bool:
    since = len(progress.epochs) - progress.best.epoch.number
    return len(progress.epochs) >= params.epochs or (params.patience is not None and since >= params.patience)


def _rank(epoch: Epoch) -> tuple[float, float]:
    return epoch.val_metric, -epoch.val_loss


def _run_epoch(loop: _Loop, number: int) -> State:
    """Trains, judges on val."""
    rate, train_loss = _learn(loop, number)
    judged = loop.average.network
    val_loss, answers = _judge(loop, judged)
    finite = val_loss if np.isfinite(answers).all() else float("nan")
    require_finite(finite, where=f"epoch {number}, val", epochs=number - 1, steps=number * loop.steps)
    metrics = loop.task.metrics(answers, loop.material.val.truths, loop.material.card)
    epoch = Epoch(number, train_loss, val_loss, float(metrics[loop.task.metric]), rate)
    weights = {name: tensor.cpu().clone(memory_format=_plain()) for name, tensor in judged.state_dict().items()}
    return State(epoch, weights, answers, metrics)


def _plain() -> "torch.memory_format":
    """Values in the order of their axes, as they are written."""
    import torch

    return torch.contiguous_format


def _learn(loop: _Loop, number: int) -> tuple[float, float]:
    """Over train once, or as often as it says: the first learning rate, and the mean loss."""
    params = loop.params
    rows = np.concatenate([_pass(loop) for _ in range(params.passes)])
    batches = cut(rows, batch_size=params.batch_size)
    first = (number - 1) * loop.steps
    losses = []
    loop.network.train()
    for index in range(loop.steps):
        group = batches[index * params.accumulate : (index + 1) * params.accumulate]
        _set_rate(loop.optimizer, loop.rate(first + index))
        losses.append(_step(loop, group, number=number, index=index))
    mean = sum(losses) / len(rows)
    if number == 1:
        begun = losses[0] / sum(map(len, batches[: params.accumulate]))
        require_near(mean, begun, epoch=number, steps=loop.steps)
    return loop.rate(first), mean


def _pass(loop: _Loop) -> NDArray[np.int64]:
    """The rows of train in random order, or as many drawn equally often by group."""
    return balanced_rows(loop.groups, rng=loop.rng) if loop.groups else loop.rng.permutation(len(loop.material.train))


def _set_rate(optimizer: "torch.optim.Optimizer", rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def _step(loop: _Loop, batches: list[NDArray[np.int64]], *, number: int, index: int) -> float:
    """Learns once from some batches, each counted by its samples; the sum of the samples' losses.

    Args:
        loop: The loop.
        batches: Rows of train.
        number: Of the epoch, from 1.
        index: Of the step in it, from 0.
    """
    import torch

    loop.optimizer.zero_grad()
    count = sum(map(len, batches))
    loss_sum = 0.0
    for rows in batches:
        loss = _batch_loss(loop, rows)
        before = (number - 1) * loop.steps + index
        require_finite(loss.item(), where=f"epoch {number}, step {index + 1}", epochs=number - 1, steps=before)
        loss_sum += loss.item() * len(rows)
        part = loss if len(batches) == 1 else loss * (len(rows) / count)
        loop.scaler.scale(part).backward()  # type: ignore[no-untyped-call]
    if loop.params.clip_norm is not None:
        loop.scaler.unscale_(loop.optimizer)
        torch.nn.utils.clip_grad_norm_(loop.network.parameters(), loop.params.clip_norm)
    loop.scaler.step(loop.optimizer)
    loop.scaler.update()
    loop.average.follow()
    return loss_sum


def _batch_loss(loop: _Loop, rows: NDArray[np.int64]) -> "torch.Tensor":
    import torch

    train, card = loop.material.train, loop.material.card
    truths = [train.truths[row] for row in rows]
    values, truths = _placed(loop, train.values[torch.from_numpy(rows)], truths)
    if loop.strengths is not None:
        values, truths = augmented(
            values,
            truths,
            rows,
            strengths=loop.strengths,
            task=loop.task,
            preprocessing=card.preprocessing,
            rng=loop.rng,
        )
    inputs = normalised(values, card.preprocessing)
    with enough_samples(), _precision(loop.params):
        outputs = named_outputs(loop.network(inputs.to(loop.params.device)), card)
    return loop.task.loss({name: output.float().cpu() for name, output in outputs.items()}, inputs, truths, card)


def _placed(loop: _Loop, values: "torch.Tensor", truths: list[Truth]) -> "tuple[torch.Tensor, list[Truth]]":
    """A batch of parts, or moved a little; and what is right for it."""
    if loop.params.crop_side is not None:
        return cropped(values, truths, side=loop.params.crop_side, task=loop.task, rng=loop.rng)
    moved, shift = shifted(values, most=loop.params.augment_shift, rng=loop.rng)
    return moved, truths if shift is None else shift.moved(truths, loop.task, shape=tuple(values.shape[1:]))


def _judge(loop: _Loop, network: "nn.Module") -> tuple[float, NDArray[np.float32]]:
    """The mean loss on val, and the task's answers."""
    import torch

    val, card, size = loop.material.val, loop.material.card, loop.params.batch_size
    network.eval()
    loss_sum, answers = 0.0, []
    with torch.inference_mode():
        for start, values in zip(range(0, len(val), size), torch.split(val.values, size), strict=True):
            inputs = normalised(values, card.preprocessing)
            found = named_outputs(network(inputs.to(loop.params.device)), card)
            outputs = {name: output.cpu() for name, output in found.items()}
            loss = loop.task.loss(outputs, inputs, val.truths[start : start + size], card)
            loss_sum += loss.item() * len(values)
            arrays = {name: output.numpy() for name, output in outputs.items()}
            answers.append(loop.task.answers(arrays, inputs.numpy, card))
    return loss_sum / len(val), np.concatenate(answers)


@contextmanager
def _precision(params: TrainParams) -> Iterator[None]:
    """Products in bf16 or fp16 where it is asked for; the judgement is always in fp32, as the model is shipped."""
    import torch

    dtype = torch.float16 if params.precision == "fp16" else torch.bfloat16
    with torch.autocast(params.device, dtype=dtype, enabled=params.precision != "fp32"):
        yield
