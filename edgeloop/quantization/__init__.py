"""Quantization of converted variants, one scheme a file."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop import calibration, plugins
from edgeloop.batches import batches
from edgeloop.canonical import sha256_of_file
from edgeloop.contract import Contract
from edgeloop.data.dataset import Dataset, Sample
from edgeloop.errors import DataFault, ModelFault, ParamsFault
from edgeloop.files import copy_file, whole_folder
from edgeloop.models import CARD_FILE, ModelCard
from edgeloop.parity import compared, joined
from edgeloop.progress import Advance, progress
from edgeloop.runtimes import Arrays, Runtime
from edgeloop.tasks import Floats, Task, Truth
from edgeloop.variants import (
    VARIANTS_FILE,
    Check,
    PlacedVariant,
    Precision,
    Tool,
    Variant,
    VariantSet,
    placed_variants,
)

THREADS = 1
"""Of the judgement: its numbers do not depend on how many cores the machine has."""

Method = Literal["minmax", "entropy", "percentile"]


class QuantizeLimits(Contract):
    """What a quantized file must keep to, judged on val against the float file it was made from."""

    max_accuracy_drop: float = Field(default=0.01, ge=0, le=1, description="share of samples, 0.01 is one point")
    min_agreement: float = Field(default=0.97, ge=0, le=1, description="share of samples with the same answer as float")
    max_size_ratio: float = Field(default=0.75, gt=0, le=2, description="file size over that of the float file")


class QuantizeParams(Contract):
    """Section `quantize`."""

    schemes: tuple[str, ...] = Field(default=("onnxruntime_static",), description="plug-ins of edgeloop.quantization")
    calibration_samples: int = Field(
        default=256, ge=8, le=65_536, description="from train, stratified by class; all of train where it holds fewer"
    )
    calibration_method: Method = "minmax"
    seed: int = Field(default=0, ge=0, lt=2**32, description="of the choice of the calibration set")
    limits: QuantizeLimits = QuantizeLimits()


class Scheme(Protocol):
    """One way to make a smaller file of a float one."""

    source: str
    """Name of the variant that it reads, such as `onnx-fp32`."""

    variant: str
    """Name of the variant that it makes, `<format>-<precision>`."""

    precision: Precision

    suffix: str
    """Of the file, such as `.onnx`."""

    runtime: str
    """Plug-in of edgeloop.runtimes that both files are judged on."""

    def quantize(self, source: Path, inputs: Iterable[NDArray[np.float32]], *, target: Path, method: Method) -> Tool:
        """Writes the quantized model as `target`: one file, whole, equal bytes for equal models and inputs.

        Args:
            source: The float file.
            inputs: The calibration set in batches, N first; read once.
            target: The file to write, in a folder that exists; scratch files may lie beside it meanwhile.
            method: How the ranges follow from the calibration set.

        Raises:
            ModelFault: The model cannot be quantized.
            MissingExtra: A package is not installed.
        """


@dataclass(frozen=True)
class _Work:
    """What all schemes of one run share."""

    params: QuantizeParams
    card: ModelCard
    task: Task
    dataset: Dataset
    chosen: list[Sample]
    val: tuple[Sample, ...]
    advance: Advance


def quantize(
    params: QuantizeParams, *, converted: Path, dataset: Path, validation: Path, quantized: Path
) -> VariantSet:
    """One variant a scheme, judged on val against the float file that it comes from.

    A variant beyond a limit stays in the set with its failed checks; no scheme, no variant.

    Args:
        params: Section `quantize`.
        converted: What `convert` wrote.
        dataset: What `prepare_data` wrote.
        validation: What `validate_data` wrote.
        quantized: Folder of the variant set, replaced as a whole.

    Raises:
        ParamsFault: Two schemes make the same variant.
        DataFault: train or val holds no accepted sample, or the dataset's classes are not the model's.
        ModelFault: A float file is missing, failed its checks, or cannot be quantized.
    """
    schemes = _schemes(params.schemes)
    sources = placed_variants([converted])
    card, opened = ModelCard.of(converted), Dataset(dataset, validation)
    with whole_folder(quantized) as folder:
        copy_file(converted / CARD_FILE, folder / CARD_FILE)
        made = VariantSet(variants=())
        if schemes:
            task: Task = plugins.load("tasks", card.task)
            chosen = _calibration_set(opened, params, task=task, card=card)
            val = _labelled_val(opened, task=task, card=card)
            with progress("quantize", len(schemes) * (len(chosen) + len(val))) as advance:
                work = _Work(params, card, task, opened, chosen, val, advance)
                variants = tuple(_quantized(scheme, sources, folder=folder, work=work) for scheme in schemes)
            record = calibration.recorded(
                chosen, requested=params.calibration_samples, seed=params.seed, method=params.calibration_method
            )
            made = VariantSet(variants=variants, calibration=record)
        made.write(folder / VARIANTS_FILE)
    return made


def _schemes(names: tuple[str, ...]) -> list[Scheme]:
    schemes: list[Scheme] = [plugins.load("quantization", name) for name in names]
    made: dict[str, str] = {}
    for name, scheme in zip(names, schemes, strict=True):
        if scheme.variant in made:
            raise ParamsFault(
                f"{made[scheme.variant]} and {name} both make {scheme.variant}",
                where="quantize.schemes",
                fix="keep one of them",
            )
        made[scheme.variant] = name
    return schemes


def _calibration_set(dataset: Dataset, params: QuantizeParams, *, task: Task, card: ModelCard) -> list[Sample]:
    """Of the samples that were learned from."""
    train = dataset.split("train")
    truths = task.truths(dataset, train, card)
    learned = [sample for sample, truth in zip(train, truths, strict=True) if task.learns_from(truth)]
    chosen = calibration.stratified(learned, params.calibration_samples, seed=params.seed)
    if not chosen:
        raise DataFault("train holds no accepted sample", where=str(dataset.folder), fix="add data or loosen the suite")
    return chosen


def _labelled_val(dataset: Dataset, *, task: Task, card: ModelCard) -> tuple[Sample, ...]:
    val = dataset.split("val")
    if not val:
        raise DataFault("val holds no accepted sample", where=str(dataset.folder), fix="add data or loosen the suite")
    if task.names(dataset.card.classes, card.task_options) != card.classes:
        raise DataFault(
            "its classes are not those that the model was trained on", where=str(dataset.folder), fix="train again"
        )
    return val


def _quantized(scheme: Scheme, sources: dict[str, PlacedVariant], *, folder: Path, work: _Work) -> Variant:
    source = sources.get(scheme.source)
    if source is None or not source.variant.accepted:
        state = "is not among the converted variants" if source is None else "failed its own checks"
        raise ModelFault(f"{scheme.source} {state}", where="quantize", fix="see convert.formats and run convert again")
    target = folder / f"{scheme.variant}{scheme.suffix}"
    tool = scheme.quantize(source.path, _calibration_inputs(work), target=target, method=work.params.calibration_method)
    checks, details = _judged(scheme, source.path, target=target, work=work)
    return Variant(
        name=scheme.variant,
        format=source.variant.format,
        precision=scheme.precision,
        file=target.name,
        sha256=sha256_of_file(target),
        size_bytes=target.stat().st_size,
        made_by=tool,
        made_from=source.variant.name,
        checks=checks,
        details=details,
    )


def _calibration_inputs(work: _Work) -> Iterable[NDArray[np.float32]]:
    for part, inputs in batches(work.dataset, work.chosen, work.card.preprocessing):
        yield inputs
        work.advance(len(part), "calibrated")


def _judged(scheme: Scheme, source: Path, *, target: Path, work: _Work) -> tuple[tuple[Check, ...], dict[str, Any]]:
    """Checks and details of the file `target` against the file `source` on all of val."""
    task, card, limits = work.task, work.card, work.params.limits
    float_outputs, outputs, answers = _answered(scheme.runtime, source, target=target, work=work)
    parities = compared(float_outputs, outputs)
    truths = task.truths(work.dataset, work.val, card)
    float_metric, metric = (_metric(task, found, truths, card) for found in answers)
    drop = None if float_metric is None or metric is None else float_metric - metric
    ratio = target.stat().st_size / source.stat().st_size
    on_val = f"on {len(work.val)} samples of val"
    checks = (
        _at_most(f"{task.metric}_drop", drop, limits.max_accuracy_drop, reason=f"{task.metric} lost {on_val}"),
        _at_least(
            "agreement",
            task.agreement(*answers, card),
            limits.min_agreement,
            reason=f"answers as the float file {on_val}",
        ),
        _at_most("size_ratio", ratio, limits.max_size_ratio, reason="file size over that of the float file"),
    )
    details = {
        "metric": task.metric,
        "metric_fp32": float_metric,
        f"metric_{scheme.precision}": metric,
        "samples": len(work.val),
        "runtime": scheme.runtime,
        "sqnr_db": _worst([parity.sqnr_db for parity in parities], of=min),
        "max_relative_error": _worst([parity.max_relative_error for parity in parities], of=max),
    }
    return checks, details


def _answered(
    runtime_name: str, source: Path, *, target: Path, work: _Work
) -> tuple[Arrays, Arrays, tuple[Floats, Floats]]:
    """The outputs of both files on val, and the task's answers of both."""
    runtime: Runtime = plugins.load("runtimes", runtime_name)
    parts: tuple[list[Arrays], list[Arrays]] = ([], [])
    answers: tuple[list[Floats], list[Floats]] = ([], [])
    with (
        closing(runtime.open(source, threads=THREADS)) as reference,
        closing(runtime.open(target, threads=THREADS)) as candidate,
    ):
        for part, inputs in batches(work.dataset, work.val, work.card.preprocessing):
            for n, session in enumerate((reference, candidate)):
                parts[n].append(session.run(inputs))
                answers[n].append(work.task.answers(parts[n][-1], inputs.view, work.card))
            work.advance(len(part), "judged on val")
    return joined(parts[0]), joined(parts[1]), (np.concatenate(answers[0]), np.concatenate(answers[1]))


def _metric(task: Task, answers: Floats, truths: Sequence[Truth], card: ModelCard) -> float | None:
    """The task's metric; None where an answer is not a finite number, which no metric can judge."""
    if not np.isfinite(answers).all():
        return None
    return float(task.metrics(answers, truths, card)[task.metric])


def _worst(values: Sequence[float | None], *, of: Callable[[list[float]], float]) -> float | None:
    """Over all outputs; None where one has no value."""
    known = [value for value in values if value is not None]
    return of(known) if known and len(known) == len(values) else None


def _at_most(name: str, value: float | None, limit: float, *, reason: str) -> Check:
    if value is None:
        return Check(name=name, status="fail", limit=limit, reason="an output is not a finite number")
    return Check(name=name, status="pass" if value <= limit else "fail", value=value, limit=limit, reason=reason)


def _at_least(name: str, value: float, limit: float, *, reason: str) -> Check:
    return Check(name=name, status="pass" if value >= limit else "fail", value=value, limit=limit, reason=reason)
