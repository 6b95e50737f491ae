"""evaluate: the winner, once, on the test split.

It runs here, through its own runtime and from the very file that was measured; a device is not asked again. The folder
it writes:

    evaluation.json   Evaluation
    metrics.json      the metrics that are one number, for `dvc metrics`
    confusion.csv     `actual,predicted`, a row for every sample in the order of their ids, or for every object, for
                      `dvc plots`
    examples.json     Examples: a few pictures with marks
    *.png             what the task draws
"""

import csv
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from edgeloop import plugins
from edgeloop.benchmarking.staging import Samples, samples_of
from edgeloop.contract import Contract
from edgeloop.data.dataset import Dataset, Sample
from edgeloop.errors import DataFault, DeviceFault, InputFault, ModelFault
from edgeloop.examples import EXAMPLES_FILE, examples_of
from edgeloop.files import whole_folder, write_json
from edgeloop.models import ModelCard, named_only
from edgeloop.progress import Advance, progress
from edgeloop.runtimes import Runtime
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


class Part(Contract):
    """The samples that share a value of a column."""

    column: str
    value: str
    samples: int
    metric: float | None = Field(description="the task's; null where these samples alone cannot be judged")


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
    parts: tuple[Part, ...] = Field(default=(), description="the metric of every value of the columns in evaluate.by")
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
        answers = _answers(
            placed, choice.target.runtime, choice.target.threads, samples, task=task, card=card, advance=advance
        )
    truths = task.truths(samples.dataset, samples.samples, card)
    metrics = task.metrics(answers, truths, card)
    parts = parts_of(params.by, samples=samples.samples, judged=partial(_part_metric, task, answers, truths, card))
    marks = [task.marks(answer, truth, card) for answer, truth in zip(answers, truths, strict=True)]
    examples = examples_of(samples.samples, marks, content=samples.dataset.content)
    outcome = Evaluation(
        candidate=choice.winner,
        variant=placed.variant.name,
        runtime=choice.target.runtime,
        samples=len(samples.samples),
        classes=card.classes,
        metric=task.metric,
        metrics=metrics,
        parts=parts,
        checks=(min_metric_check(float(metrics[task.metric]), params.min_metric), *gap_checks(parts, params.max_gap)),
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
    answers = _answers(placed, runtime, threads, samples, task=task, card=card, advance=lambda _units, _text: None)
    truths = task.truths(samples.dataset, samples.samples, card)
    return float(task.metrics(answers, truths, card)[task.metric])


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


def write_confusion(path: Path, pairs: Sequence[tuple[str, str]]) -> None:
    """One line a pair: what it is, and what the model takes it for."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["actual", "predicted"])
        writer.writerows(pairs)


def parts_of(
    columns: Sequence[str], *, samples: Sequence[Sample], judged: Callable[[list[int]], float | None]
) -> tuple[Part, ...]:
    """The metric of every value of the columns, in their order; a column that no sample has gives none.

    Args:
        columns: Keys of the metadata, or `group`.
        samples: All that were judged.
        judged: The metric of the samples at these places; None where they cannot be judged alone.
    """
    known = [{**json.loads(sample.metadata or "{}"), "group": sample.group} for sample in samples]
    parts = []
    for column in columns:
        places: dict[str, list[int]] = {}
        for place, values in enumerate(known):
            if values.get(column) is not None:
                places.setdefault(str(values[column]), []).append(place)
        parts += [
            Part(column=column, value=value, samples=len(places[value]), metric=judged(places[value]))
            for value in sorted(places)
        ]
    return tuple(parts)


def gap_checks(parts: Sequence[Part], limit: float | None) -> tuple[Check, ...]:
    """Of every column, how far its worst value lies below its best; nothing without a limit."""
    if limit is None:
        return ()
    checks = []
    for column in dict.fromkeys(part.column for part in parts):
        metrics = {part.value: part.metric for part in parts if part.column == column and part.metric is not None}
        gap = max(metrics.values(), default=0.0) - min(metrics.values(), default=0.0)
        worst = min(metrics, key=lambda value: metrics[value], default="")
        reason = "" if gap <= limit else f"{column} {worst} lies {gap:.4f} below the best, more than {limit:.4f}"
        status: Literal["pass", "fail"] = "pass" if gap <= limit else "fail"
        checks.append(Check(name=f"gap_{column}", status=status, value=gap, limit=limit, reason=reason))
    return tuple(checks)


def _part_metric(
    task: Task, answers: Floats, truths: Sequence[Truth], card: ModelCard, places: list[int]
) -> float | None:
    """None where these samples alone cannot be judged, as those of one class by a curve of two."""
    try:
        return float(task.metrics(answers[places], [truths[place] for place in places], card)[task.metric])
    except DataFault:
        return None


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


def _answers(
    placed: PlacedVariant,
    runtime: str,
    threads: int,
    samples: Samples,
    *,
    task: Task,
    card: ModelCard,
    advance: Advance,
) -> Floats:
    """The task's answers for all samples."""
    plugin: Runtime = plugins.load("runtimes", runtime)
    state = plugin.state()
    if not state.available:
        raise DeviceFault(f"is not available here: {state.reason}", where=runtime, fix="evaluate needs it")
    parts = []
    with closing(plugin.open(placed.path, threads=threads)) as session:
        for inputs in samples.batches(BATCH_SIZE):
            outputs = named_only(session.run(inputs), card, where="evaluate")
            parts.append(task.answers(outputs, inputs.view, card))
            advance(len(inputs), "test")
    return np.concatenate(parts)
