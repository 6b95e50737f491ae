"""Quantization-aware training: the float weights learn to answer as before when everything is rounded.

First the channels are made equally wide, which changes no answer (`edgeloop.optimization.equalization`). Then

    loss = the task's own + Σ over the outputs of |y − y'|² / |y|²

with y' of the rounded network and y of the float network that it begins with: the second part is the noise that the
gate judges as SQNR, and holds the answers where they were. Adam, the rate falls as half a cosine. The samples are those
that training learned from, as they are: nothing is moved or changed.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.batches import batches
from edgeloop.data.dataset import Dataset, Sample
from edgeloop.models import ModelCard, load_network, named_outputs, write_weights
from edgeloop.optimization.awareness import AwareNetwork
from edgeloop.optimization.equalization import equalize
from edgeloop.optimization.recipes import Tuning
from edgeloop.progress import Advance
from edgeloop.tasks import Task, Truth

if TYPE_CHECKING:
    import torch

BATCH = 32
THREADS = 1
"""Sums do not depend on how many cores the machine has."""


@dataclass(frozen=True)
class Lesson:
    """What is learned from."""

    task: Task
    card: ModelCard
    dataset: Dataset
    samples: Sequence[Sample]
    truths: Sequence[Truth]
    calibration: Sequence[Sample]
    """Whose activations give the ranges."""


def tune(model: Path, weights: Path, *, lesson: Lesson, tuning: Tuning, target: Path, advance: Advance) -> None:
    """Writes the weights that were trained on, as a safetensors file; equal inputs give equal bytes.

    Args:
        model: Folder with the card.
        weights: The trained weights.
        lesson: What is learned from.
        tuning: How.
        target: The file to write.
        advance: Told of every epoch.

    Raises:
        ModelFault: The weights do not fit the card.
        MissingExtra: torch is not installed.
    """
    from edgeloop.training.determinism import deterministic, import_torch

    import_torch()
    with deterministic(seed=tuning.seed, threads=THREADS):
        import torch

        teacher = load_network(model, weights).requires_grad_(False)
        aware = AwareNetwork(load_network(model, weights), shape=lesson.card.preprocessing.shape)
        equalize(aware.module, _inputs(lesson))
        learning = [values for values in aware.module.parameters() if values.requires_grad]
        optimizer = torch.optim.Adam(learning, lr=tuning.learning_rate)
        rng = np.random.default_rng(tuning.seed)
        steps = tuning.epochs * math.ceil(len(lesson.samples) / BATCH)
        rates = iter(tuning.learning_rate * 0.5 * (1 + math.cos(math.pi * step / steps)) for step in range(steps))
        for epoch in range(1, tuning.epochs + 1):
            # the ranges are those that calibration will find for the weights of now
            aware.observe(_inputs(lesson))
            for rows in _rows(len(lesson.samples), rng):
                for group in optimizer.param_groups:
                    group["lr"] = next(rates)
                _learn(aware, teacher, rows, lesson=lesson, optimizer=optimizer)
            advance(0, f"quantization-aware training: epoch {epoch} of {tuning.epochs}")
    write_weights(target, dict(aware.module.state_dict()))


def _rows(count: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """The rows of one epoch in batches."""
    rows = rng.permutation(count)
    return (rows[start : start + BATCH] for start in range(0, count, BATCH))


def _learn(
    aware: AwareNetwork,
    teacher: Any,
    rows: NDArray[np.int64],
    *,
    lesson: Lesson,
    optimizer: "torch.optim.Optimizer",
) -> None:
    """One step; none where the gradient is not finite."""
    import torch

    optimizer.zero_grad()
    truths = {lesson.samples[row].id: lesson.truths[row] for row in rows}
    for part, values in _batches(lesson, [lesson.samples[row] for row in rows]):
        inputs = torch.from_numpy(values)
        with torch.no_grad():
            expected = named_outputs(teacher(inputs), lesson.card)
        found = named_outputs(aware(inputs), lesson.card)
        loss = lesson.task.loss(found, inputs, [truths[sample.id] for sample in part], lesson.card)
        loss = (loss + _noise(expected, found)) * (len(part) / len(rows))
        loss.backward()  # type: ignore[no-untyped-call]
    gradients = [values.grad for values in aware.module.parameters() if values.grad is not None]
    if torch.nn.utils.get_total_norm(gradients).isfinite():
        optimizer.step()


def _noise(expected: "Mapping[str, torch.Tensor]", found: "Mapping[str, torch.Tensor]") -> "torch.Tensor":
    """Power of the noise over that of the signal, summed over the outputs."""
    import torch

    shares = []
    for name, signal in expected.items():
        power = signal.square().mean().clamp_min(torch.finfo(signal.dtype).tiny)
        shares.append((signal - found[name]).square().mean() / power)
    return torch.stack(shares).sum()


def _inputs(lesson: Lesson) -> Iterator[NDArray[np.float32]]:
    """Of the calibration set."""
    return (inputs for _, inputs in _batches(lesson, lesson.calibration))


def _batches(lesson: Lesson, samples: Sequence[Sample]) -> Iterator[tuple[Sequence[Sample], NDArray[np.float32]]]:
    return batches(lesson.dataset, samples, lesson.card.preprocessing)
