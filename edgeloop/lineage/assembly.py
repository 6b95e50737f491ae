"""From what the steps wrote to the manifest: reading first, then pure functions over what was read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from edgeloop.benchmarking import BenchmarkReport, CandidateRow
from edgeloop.canonical import digest_of, sha256_of_file
from edgeloop.data.dataset import DatasetCard
from edgeloop.data.verdict import Verdict
from edgeloop.errors import GateRefused, ModelFault, translated
from edgeloop.evaluation import Evaluation
from edgeloop.evaluation.sweep import Sweep
from edgeloop.gates import stop_unless_passed
from edgeloop.lineage.evidence import (
    BenchmarkBody,
    BenchmarkEvidence,
    CandidateSummary,
    CorruptionsBody,
    EvaluationBody,
    EvaluationEvidence,
    Evidence,
    Rejection,
    RunBody,
    RunEvidence,
    SelectionBody,
    SelectionEvidence,
    TrainingBody,
    TrainingEvidence,
    TrainingPart,
    VariantsBody,
    VariantsEvidence,
    Winner,
)
from edgeloop.lineage.manifest import Manifest
from edgeloop.lineage.subject import DataRecord, Subject, SuiteRecord, TrainingRecord, record_of
from edgeloop.models import CARD_FILE
from edgeloop.params import Params
from edgeloop.selection import Selection
from edgeloop.training.cost import COST_FILE, Cost
from edgeloop.training.summary import TrainingSummary
from edgeloop.variants import PlacedVariant, VariantSet, placed_variants


@dataclass(frozen=True)
class StepOutputs:
    """Where the steps left what they wrote: folders, but for the JSON files that are named."""

    params_file: Path
    """JSON file of check_params."""
    dataset: Path
    profile: Path
    """JSON file of prepare_data."""
    validation: Path
    model: Path
    history: Path
    converted: Path
    quantized: Path
    benchmark: Path
    selection: Path
    """JSON file of select."""
    evaluation: Path


@dataclass(frozen=True)
class Materials:
    """What the steps left, read and found to belong together."""

    params: Params
    dataset: DatasetCard
    verdict: Verdict
    training: TrainingSummary
    card_sha256: str
    variants: Mapping[str, PlacedVariant]
    calibration: dict[str, Any] | None
    report: BenchmarkReport
    selection: Selection
    evaluation: Evaluation
    cost: Cost | None = None
    """Of the training, where its history tells it."""

    @property
    def winner(self) -> CandidateRow:
        """The measured row of the selected candidate.

        Raises:
            ModelFault: The report has no such row.
        """
        for row in self.report.rows:
            if row.candidate == self.selection.winner:
                return row
        raise ModelFault(
            f"candidate {self.selection.winner} was not measured", where="selection", fix="run again from benchmark"
        )

    @property
    def device_class(self) -> str:
        """Of the device that the winner was measured on."""
        return str(self.report.environments.get(self.winner.target.device, {}).get("class", ""))


def read_materials(outputs: StepOutputs) -> Materials:
    """Reads what the steps wrote.

    Raises:
        InputFault, ModelFault: A file is missing, damaged, or belongs to another run.
        GateRefused: A gate had said no.
    """
    with translated(outputs.converted / CARD_FILE):
        card_sha256 = sha256_of_file(outputs.converted / CARD_FILE)
    cost = outputs.history / COST_FILE
    materials = Materials(
        params=Params.read(outputs.params_file),
        dataset=DatasetCard.read(outputs.dataset / "dataset.json"),
        verdict=Verdict.of(outputs.validation),
        training=TrainingSummary.of(outputs.model),
        cost=Cost.read(cost) if cost.is_file() else None,
        card_sha256=card_sha256,
        variants=placed_variants([outputs.converted, outputs.quantized]),
        calibration=VariantSet.of(outputs.quantized).calibration,
        report=BenchmarkReport.read(outputs.benchmark / "report.json"),
        selection=Selection.read(outputs.selection),
        evaluation=Evaluation.read(outputs.evaluation / "evaluation.json"),
    )
    _require_passed(materials)
    _require_one_run(materials)
    return materials


def _require_passed(materials: Materials) -> None:
    """A step that was stopped leaves its files too; nothing that a gate refused is registered."""
    if materials.verdict.status != "pass":
        raise GateRefused(materials.verdict.reason, where="validate_data", fix="mend the data and run again")
    if materials.selection.winner is None:
        raise GateRefused(materials.selection.reason, where="select", fix="loosen select.limits and run again")
    stop_unless_passed(materials.training.checks, where="train", fix="train longer or lower train.min_metric")
    stop_unless_passed(materials.evaluation.checks, where="evaluate", fix="see the limits in section evaluate")


def _require_one_run(materials: Materials) -> None:
    """What contradicts itself came from different runs."""
    row = materials.winner
    placed = materials.variants.get(row.variant)
    trained = {variant.variant.sha256 for variant in materials.variants.values()}
    if materials.evaluation.candidate != row.candidate:
        what, step = f"judged {materials.evaluation.candidate}, not the selected {row.candidate}", "evaluate"
    elif placed is None or not placed.variant.accepted:
        what, step = f"measured {row.variant}, which is no accepted variant", "benchmark"
    elif materials.training.weights_sha256 not in trained:
        what, step = "converted other weights than those that were trained", "convert"
    else:
        return
    raise ModelFault(what, where=step, fix=f"run again from {step}")


def manifest_of(materials: Materials, *, name: str, code: str, run: RunBody) -> Manifest:
    """The manifest, its files not listed yet."""
    subject = subject_of(materials, code=code)
    return Manifest.of(name, subject=subject, evidence=evidence_of(materials, digest_of(subject.values()), run=run))


def subject_of(materials: Materials, *, code: str) -> Subject:
    """What follows from code, parameters, seeds and data."""
    calibration = materials.calibration
    return Subject(
        code=code,
        params=deciding_params(materials.params),
        seeds=_seeds(materials),
        data=DataRecord(
            source=materials.dataset.source,
            classes=materials.dataset.classes,
            prepared=materials.dataset.digests,
            accepted=materials.verdict.digests,
            calibration=calibration["digest"] if calibration else None,
            governance=materials.dataset.governance,
        ),
        validation=SuiteRecord(name=materials.verdict.suite.name, sha256=materials.verdict.suite.sha256),
        training=TrainingRecord(
            threads=materials.training.threads,
            cpu_features=materials.training.cpu_features,
            metrics=numbers_in(materials.training.metrics),
            trials=materials.training.trials,
        ),
        card_sha256=materials.card_sha256,
        variants={name: record_of(placed.variant) for name, placed in sorted(materials.variants.items())},
        parent=materials.training.parent,
    )


def _seeds(materials: Materials) -> dict[str, int]:
    """By section; of `train` the one that the model was trained with, which may be a trial's."""
    seeds = {name: section.seed for name, section in materials.params if hasattr(section, "seed")}
    return {**seeds, "train": materials.training.seed}


def deciding_params(params: Params) -> dict[str, Any]:
    """The validated parameters that decide what a model is and which of its variants is chosen.

    Left out are the places: section `register` says where a model goes, and every field that holds a path says where
    something lies on one machine. What lies there is in the subject by its digest (splits, suite, parent), so that two
    folders and two engines give one subject. `detect_drift` looks at a model that exists already.
    """
    places = _places(Params)
    places["train"] = {**places.get("train", {}), "init_from": True}
    places["prepare_data"] = {**places.get("prepare_data", {}), "url": True}
    return params.model_dump(mode="json", exclude={"register": True, "detect_drift": True, **places})


def _places(model: type[BaseModel]) -> dict[str, Any]:
    """The fields of `model` and of the models in it that hold a path, as pydantic's `exclude` takes them."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if field.annotation in (Path, Path | None):
            found[name] = True
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= {name: inner} if (inner := _places(field.annotation)) else {}
    return found


def numbers_in(metrics: Mapping[str, Any]) -> dict[str, int | float]:
    """The metrics that are one number each, by name; tables and curves lie in the bundle as they are."""
    return {name: value for name, value in sorted(metrics.items()) if type(value) in (int, float)}


def evidence_of(materials: Materials, subject_digest: str, *, run: RunBody) -> list[Evidence]:
    """What a clock or a device decided."""
    checks = {name: placed.variant.checks for name, placed in sorted(materials.variants.items())}
    evaluation = materials.evaluation
    tested = EvaluationBody(
        candidate=evaluation.candidate,
        samples=evaluation.samples,
        metric=evaluation.metric,
        metrics=numbers_in(evaluation.metrics),
        corruptions=_corruptions_of(evaluation.corruptions) if evaluation.corruptions else None,
        checks=evaluation.checks,
    )
    trained = [TrainingEvidence(subject_digest=subject_digest, body=_cost_of(materials.cost))] if materials.cost else []
    return [
        *trained,
        VariantsEvidence(subject_digest=subject_digest, body=VariantsBody(checks=checks)),
        BenchmarkEvidence(subject_digest=subject_digest, body=_benchmark_of(materials.report)),
        SelectionEvidence(subject_digest=subject_digest, body=_selection_of(materials)),
        EvaluationEvidence(subject_digest=subject_digest, body=tested),
        RunEvidence(subject_digest=subject_digest, body=run),
    ]


def _cost_of(cost: Cost) -> TrainingBody:
    return TrainingBody(
        wall_s=cost.wall_s,
        cpu_s=cost.cpu_s,
        peak_memory_bytes=cost.peak_memory_bytes,
        energy_j=cost.energy_j,
        energy_reason=cost.energy_reason,
        parts={part.name: TrainingPart(wall_s=part.wall_s, cpu_s=part.cpu_s) for part in cost.parts},
    )


def _corruptions_of(sweep: Sweep) -> CorruptionsBody:
    metrics: dict[str, dict[str, tuple[float | None, ...]]] = {name: {} for name in sweep.variants}
    for cell in sweep.cells:
        known = metrics[cell.variant].get(cell.corruption, ())
        metrics[cell.variant][cell.corruption] = (*known, cell.metric)
    return CorruptionsBody(samples=sweep.samples, seed=sweep.seed, reference=sweep.reference, metrics=metrics)


def _benchmark_of(report: BenchmarkReport) -> BenchmarkBody:
    return BenchmarkBody(
        metric=report.metric,
        reference=report.reference,
        candidates={row.candidate: _summary_of(row) for row in report.rows},
        environments=report.environments,
    )


def _summary_of(row: CandidateRow) -> CandidateSummary:
    latency = row.latency
    return CandidateSummary(
        variant=row.variant,
        status=row.status,
        reason=row.reason,
        profile=row.profile,
        samples=latency.samples if latency else None,
        p50_ms=latency.p50.value_ms if latency else None,
        p90_ms=latency.p90.value_ms if latency else None,
        p90_upper_ms=latency.p90.upper_ms if latency else None,
        peak_memory_bytes=row.peak_memory_bytes,
        accuracy=row.accuracy,
        runtime_version=row.runtime_version,
        runtime_sha256=row.runtime_sha256,
    )


def _selection_of(materials: Materials) -> SelectionBody:
    row, selection = materials.winner, materials.selection
    return SelectionBody(
        winner=Winner(
            candidate=row.candidate,
            variant=row.variant,
            device=row.target.device,
            device_class=materials.device_class,
            runtime=row.target.runtime,
            threads=row.target.threads,
            runtime_version=row.runtime_version,
            runtime_sha256=row.runtime_sha256,
        ),
        prefer=selection.prefer,
        limits=selection.limits.values(),
        reason=selection.reason,
        others={
            judged.candidate: Rejection(rejected=judged.rejected, on_front=judged.on_front, reasons=judged.reasons)
            for judged in selection.candidates
            if judged.candidate != row.candidate
        },
    )
