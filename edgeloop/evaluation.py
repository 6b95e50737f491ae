"""evaluate: the winner, once, on the test split.

It runs here, through its own runtime and from the very file that was measured; a device is not asked again. The folder
it writes:

    evaluation.json   Evaluation
    metrics.json      the metrics that are one number, for `dvc metrics`
    confusion.csv     `actual,predicted`, a row for every sample in the order of their ids, for `dvc plots`
    *.png             what the task draws
"""

import csv
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop import plugins
from edgeloop.benchmarking.staging import Samples, samples_of
from edgeloop.contract import Contract
from edgeloop.data.dataset import Dataset
from edgeloop.errors import DataFault, DeviceFault, InputFault, ModelFault
from edgeloop.files import whole_folder, write_json
from edgeloop.models import ModelCard
from edgeloop.progress import Advance, progress
from edgeloop.runtimes import Runtime, Session
from edgeloop.selection import Selection
from edgeloop.tasks import Task
from edgeloop.variants import Check, PlacedVariant, placed_variants

BATCH_SIZE = 64
"""Samples a run; what a model answers to one does not depend on the others."""


class EvaluateParams(Contract):
    """Section `evaluate`."""

    min_metric: float = Field(default=0.95, ge=0, le=1, description="of the task's metric on test; less stops the run")


class Evaluation(Contract):
    """What `evaluate` writes as evaluation.json."""

    format: int = 1
    candidate: str
    variant: str
    runtime: str
    samples: int
    classes: tuple[str, ...]
    metric: str
    metrics: dict[str, Any]
    checks: tuple[Check, ...]


def evaluate(
    params: EvaluateParams,
    *,
    selection: Path,
    converted: Path,
    quantized: Path,
    dataset: Path,
    validation: Path,
    evaluation: Path,
) -> Evaluation:
    """Runs the winner on test and writes the folder `evaluation`.

    Args:
        params: Section `evaluate`.
        selection: File of select.
        converted: Variant set of convert.
        quantized: Variant set of quantize.
        dataset: Of prepare_data.
        validation: Of validate_data.
        evaluation: Folder to write.

    Raises:
        InputFault: There is no winner.
        ModelFault: Its file is not the one that was recorded, or answers with what is no number.
        DataFault: No sample of test is usable.
        DeviceFault: Its runtime is not installed here.
    """
    choice = Selection.read(selection)
    placed = _winner(choice, [converted, quantized], where=selection)
    assert choice.winner is not None and choice.target is not None
    card = ModelCard.of(placed.folder)
    task: Task = plugins.load("tasks", card.task)
    samples = samples_of(dataset, validation=validation, split="test", preprocessing=card.preprocessing)
    with progress("evaluate", len(samples.samples)) as advance:
        outputs = _outputs(placed, choice.target.runtime, choice.target.threads, samples, card=card, advance=advance)
    metrics = task.metrics(outputs, samples.targets, card.classes)
    outcome = Evaluation(
        candidate=choice.winner,
        variant=placed.variant.name,
        runtime=choice.target.runtime,
        samples=len(samples.samples),
        classes=card.classes,
        metric=task.metric,
        metrics=metrics,
        checks=(min_metric_check(float(metrics[task.metric]), params.min_metric),),
    )
    with whole_folder(evaluation) as folder:
        outcome.write(folder / "evaluation.json")
        write_json(folder / "metrics.json", numbers_of(metrics))
        write_confusion(folder / "confusion.csv", classes=card.classes, targets=samples.targets, outputs=outputs)
        task.draw(metrics, folder)
    return outcome


def metric_of(
    placed: PlacedVariant, *, card: ModelCard, runtime: str, threads: int, dataset: Path, validation: Path
) -> float:
    """The task's metric of one model file on the test split; writes nothing.

    Raises:
        ModelFault: The file answers with what is no number.
        DataFault: No sample of test is usable, or the classes are not the model's.
        DeviceFault: The runtime is not installed here.
    """
    task: Task = plugins.load("tasks", card.task)
    samples = samples_of(dataset, validation=validation, split="test", preprocessing=card.preprocessing)
    classes = Dataset(dataset, validation).card.classes
    if classes != card.classes:
        raise DataFault(f"has other classes ({classes}) than the model", where=str(dataset), fix="compare with another")
    outputs = _outputs(placed, runtime, threads, samples, card=card, advance=lambda _units, _text: None)
    return float(task.metrics(outputs, samples.targets, card.classes)[task.metric])


def min_metric_check(value: float, limit: float) -> Check:
    """The metric on test against `evaluate.min_metric`."""
    if value >= limit:
        return Check(name="min_metric", status="pass", value=value, limit=limit)
    return Check(
        name="min_metric", status="fail", value=value, limit=limit, reason=f"{value:.4f} is less than {limit:.4f}"
    )


def numbers_of(metrics: dict[str, Any]) -> dict[str, float | int]:
    """The metrics that are one number."""
    return {
        name: value for name, value in metrics.items() if isinstance(value, int | float) and not isinstance(value, bool)
    }


def write_confusion(
    path: Path, *, classes: Sequence[str], targets: NDArray[np.int64], outputs: NDArray[np.float32]
) -> None:
    """One line a sample: what it is, and what the model takes it for."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["actual", "predicted"])
        predicted = outputs.argmax(axis=1)
        writer.writerows((classes[a], classes[p]) for a, p in zip(targets, predicted, strict=True))


def _winner(choice: Selection, folders: Sequence[Path], *, where: Path) -> PlacedVariant:
    if choice.winner is None or choice.variant is None or choice.target is None:
        raise InputFault("has no winner", where=str(where), fix="loosen select.limits and select again")
    placed = placed_variants(folders)
    if choice.variant not in placed:
        raise ModelFault(
            f"chose {choice.variant}, which no variant set holds",
            where=str(where),
            fix="run benchmark and select again",
        )
    return placed[choice.variant]


def _outputs(
    placed: PlacedVariant, runtime: str, threads: int, samples: Samples, *, card: ModelCard, advance: Advance
) -> NDArray[np.float32]:
    """The model's first output for all samples, N first."""
    plugin: Runtime = plugins.load("runtimes", runtime)
    state = plugin.state()
    if not state.available:
        raise DeviceFault(f"is not available here: {state.reason}", where=runtime, fix="evaluate needs it")
    with closing(plugin.open(placed.path, threads=threads)) as session:
        return np.concatenate([_batch(session, inputs, card, advance) for inputs in samples.batches(BATCH_SIZE)])


def _batch(session: Session, inputs: NDArray[np.float32], card: ModelCard, advance: Advance) -> NDArray[np.float32]:
    outputs = session.run(inputs)
    if card.output_names[0] not in outputs:
        raise ModelFault(f"gives no output {card.output_names[0]!r}", where="evaluate", fix="convert the model again")
    advance(len(inputs), "test")
    return outputs[card.output_names[0]]
