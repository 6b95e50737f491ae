"""evaluate: the winner, once, on the test split.

It runs here, through its own runtime and from the very file that was measured; a device is not asked again. Nothing
here chooses: the sweep over corruptions asks other variants too, and its outcome is told and judged by nothing.

    answering    one model file, opened and asked
    parts        the metric of every value of a column of the metadata
    limits       what the winner is held to
    corruption   how samples go bad; sweep asks every variant about them
    occlusion    where in an input the winner finds its answer
    worst        the samples that it is worst on, for people

The folder that it writes:

    evaluation.json   Evaluation
    metrics.json      the metrics that are one number, for `dvc metrics`
    confusion.csv     `actual,predicted`, a row for every sample in the order of their ids, or for every object, for
                      `dvc plots`
    examples.json     Examples: the worst samples
    *.png             what the task draws
"""

import csv
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from edgeloop import plugins
from edgeloop.benchmarking.staging import Samples, samples_of
from edgeloop.contract import Contract
from edgeloop.data.dataset import Dataset
from edgeloop.errors import DataFault, InputFault, ModelFault
from edgeloop.evaluation.answering import Ask, answering
from edgeloop.evaluation.limits import gap_checks, min_by_checks, min_class_checks, min_metric_check
from edgeloop.evaluation.parts import Part, parts_of
from edgeloop.evaluation.sweep import CorruptionParams, Sweep, sweep_of
from edgeloop.evaluation.worst import Judged
from edgeloop.examples import EXAMPLES_FILE
from edgeloop.files import whole_folder, write_json
from edgeloop.models import ModelCard
from edgeloop.progress import progress
from edgeloop.selection import Selection
from edgeloop.tasks import Floats, Task, Truth
from edgeloop.variants import Check, PlacedVariant, placed_variants

BATCH_SIZE = 64
"""Samples a run; what a model answers to one does not depend on the others."""


class EvaluateParams(Contract):
    """Section `evaluate`."""

    min_metric: float = Field(default=0.95, ge=0, le=1, description="of the task's metric on test; less stops the run")
    by: tuple[str, ...] = Field(
        default=("condition",), description="columns of the metadata, or group: the metric is also taken of each value"
    )
    max_gap: float | None = Field(
        default=None, ge=0, le=1, description="between the best and the worst value of a column; null: any"
    )
    min_by: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict,
        description="by column the least metric of every value of it, such as {condition: 0.85}; with fewer samples"
        " than min_samples a value is not evaluated, which is no pass",
    )
    min_class_metric: float | None = Field(
        default=None, ge=0, le=1, description="least recall of every class, AP@0.5 of a detector; null: any"
    )
    min_samples: int = Field(
        default=20, ge=1, le=100_000, description="of a value or class, for min_by and min_class_metric to judge it"
    )
    corruptions: CorruptionParams = CorruptionParams()


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
    parts: tuple[Part, ...] = Field(default=(), description="the metric of every value of the columns that were asked")
    corruptions: Sweep | None = Field(default=None, description="null where none was wanted, and for rows of a table")
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
    built = placed_variants([converted, quantized])
    placed = _winner(choice, built, where=selection)
    assert choice.winner is not None and choice.variant is not None and choice.target is not None
    runtime, threads = choice.target.runtime, choice.target.threads
    card = ModelCard.of(placed.folder)
    task: Task = plugins.load("tasks", card.task)
    samples = samples_of(dataset, validation=validation, split="test", preprocessing=card.preprocessing)
    truths = task.truths(samples.dataset, samples.samples, card)
    with answering(placed, runtime, threads=threads, task=task, card=card) as ask:
        answers = _answers(ask, samples)
        examples = Judged(samples, answers, truths, ask, task, card).worst()
    metrics = task.metrics(answers, truths, card)
    judged = partial(_part_metric, task, answers, truths, card)
    parts = parts_of(tuple(dict.fromkeys((*params.by, *params.min_by))), samples=samples.samples, judged=judged)
    sweep = sweep_of(
        params.corruptions,
        placed=built,
        winner=choice.variant,
        runtime=runtime,
        threads=threads,
        samples=samples,
        task=task,
        card=card,
    )
    outcome = Evaluation(
        candidate=choice.winner,
        variant=placed.variant.name,
        runtime=runtime,
        samples=len(samples.samples),
        classes=card.classes,
        metric=task.metric,
        metrics=metrics,
        parts=parts,
        corruptions=sweep,
        checks=_checks(params, task, metrics=metrics, parts=parts),
    )
    with whole_folder(evaluation) as folder:
        outcome.write(folder / "evaluation.json")
        write_json(folder / "metrics.json", numbers_of(metrics))
        examples.write(folder / EXAMPLES_FILE)
        write_confusion(folder / "confusion.csv", task.pairs(answers, truths, card))
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
    if task.names(classes, card.task_options) != card.classes:
        raise DataFault(f"has other classes ({classes}) than the model", where=str(dataset), fix="compare with another")
    with answering(placed, runtime, threads=threads, task=task, card=card) as ask:
        answers = _answers(ask, samples)
    truths = task.truths(samples.dataset, samples.samples, card)
    return float(task.metrics(answers, truths, card)[task.metric])


def numbers_of(metrics: dict[str, Any]) -> dict[str, float | int]:
    """The metrics that are one number."""
    return {
        name: value for name, value in metrics.items() if isinstance(value, int | float) and not isinstance(value, bool)
    }


def write_confusion(path: Path, pairs: Sequence[tuple[str, str]]) -> None:
    """One line a pair: what it is, and what the model takes it for."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["actual", "predicted"])
        writer.writerows(pairs)


def _checks(params: EvaluateParams, task: Task, *, metrics: dict[str, Any], parts: Sequence[Part]) -> tuple[Check, ...]:
    """The winner against every limit."""
    asked = [part for part in parts if part.column in params.by]
    return (
        min_metric_check(float(metrics[task.metric]), params.min_metric),
        *gap_checks(asked, params.max_gap),
        *min_by_checks(parts, params.min_by, least=params.min_samples),
        *min_class_checks(metrics, params.min_class_metric, measure=task.class_metric, least=params.min_samples),
    )


def _part_metric(
    task: Task, answers: Floats, truths: Sequence[Truth], card: ModelCard, places: list[int]
) -> float | None:
    """None where these samples alone cannot be judged, as those of one class by a curve of two."""
    try:
        return float(task.metrics(answers[places], [truths[place] for place in places], card)[task.metric])
    except DataFault:
        return None


def _winner(choice: Selection, placed: Mapping[str, PlacedVariant], *, where: Path) -> PlacedVariant:
    if choice.winner is None or choice.variant is None or choice.target is None:
        raise InputFault("has no winner", where=str(where), fix="loosen select.limits and select again")
    if choice.variant not in placed:
        raise ModelFault(
            f"chose {choice.variant}, which no variant set holds",
            where=str(where),
            fix="run benchmark and select again",
        )
    return placed[choice.variant]


def _answers(ask: Ask, samples: Samples) -> Floats:
    """The task's answers for all samples."""
    parts = []
    with progress("evaluate", len(samples.samples)) as advance:
        for inputs in samples.batches(BATCH_SIZE):
            parts.append(ask(inputs))
            advance(len(inputs), "test")
    return np.concatenate(parts)
