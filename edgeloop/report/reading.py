"""What the steps wrote, as values; what is missing or cannot be read is a value too.

A page about a run that failed halfway is made of exactly such files, so nothing here raises.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from edgeloop.benchmarking import BenchmarkReport
from edgeloop.contract import Contract
from edgeloop.data.dataset import DatasetCard
from edgeloop.data.profile import Profile
from edgeloop.data.verdict import VERDICT_FILE, Verdict
from edgeloop.errors import EdgeloopError, from_os_error
from edgeloop.evaluation import Evaluation
from edgeloop.examples import EXAMPLES_FILE, Examples
from edgeloop.files import read_json
from edgeloop.lineage.manifest import Manifest, read_manifest
from edgeloop.models import CARD_FILE, ModelCard
from edgeloop.report.inputs import ReportInputs
from edgeloop.selection import Selection
from edgeloop.training.cost import Cost
from edgeloop.training.summary import SUMMARY_FILE, TrainingSummary
from edgeloop.variants import VARIANTS_FILE, VariantSet

MOST_SAMPLES = 50_000
"""Of one candidate in the picture of latencies; more are thinned evenly."""

_MAX_TABLE_BYTES = 64 << 20

Value = TypeVar("Value")


@dataclass(frozen=True)
class Absent:
    """Why there is no value: `not run`, or what is wrong with the file."""

    reason: str


NOT_RUN = Absent("not run")


@dataclass(frozen=True)
class Epoch:
    """One row of history.csv; None where the file holds no number."""

    number: int
    train_loss: float | None
    val_loss: float | None
    metric: float | None
    learning_rate: float | None


@dataclass(frozen=True)
class History:
    """history.csv."""

    metric: str
    epochs: tuple[Epoch, ...]


@dataclass(frozen=True)
class Contents:
    """Everything the page is made of."""

    params: dict[str, Any] | Absent
    dataset: DatasetCard | Absent
    profile: Profile | Absent
    verdict: Verdict | Absent
    model: ModelCard | Absent
    summary: TrainingSummary | Absent
    history: History | Absent
    answers: tuple[tuple[str, str], ...] | Absent
    cost: Cost | Absent
    converted: VariantSet | Absent
    quantized: VariantSet | Absent
    benchmark: BenchmarkReport | Absent
    samples_ms: dict[str, tuple[float, ...]] | Absent
    selection: Selection | Absent
    evaluation: Evaluation | Absent
    examples: Examples | Absent
    lineage: Manifest | Absent
    previous: Manifest | Absent


def read(inputs: ReportInputs) -> Contents:
    """The contents of all files that `inputs` names."""
    return Contents(
        params=_read(inputs.params, "", _mapping),
        dataset=_read(inputs.dataset, "dataset.json", DatasetCard.read),
        profile=_read(inputs.profile, "profile.json", Profile.read),
        verdict=_read(inputs.validation, VERDICT_FILE, Verdict.read),
        model=_read(inputs.model, CARD_FILE, ModelCard.read),
        summary=_read(inputs.model, SUMMARY_FILE, TrainingSummary.read),
        history=_read(inputs.history, "history.csv", _history),
        answers=_read(inputs.history, "confusion.csv", _answers),
        cost=_read(inputs.history, "cost.json", Cost.read),
        converted=_read(inputs.converted, VARIANTS_FILE, VariantSet.read),
        quantized=_read(inputs.quantized, VARIANTS_FILE, VariantSet.read),
        benchmark=_read(inputs.benchmark, "report.json", BenchmarkReport.read),
        samples_ms=_read(inputs.benchmark, "samples.parquet", _samples_ms),
        selection=_read(inputs.selection, "selection.json", Selection.read),
        evaluation=_read(inputs.evaluation, "evaluation.json", Evaluation.read),
        examples=_read(inputs.evaluation, EXAMPLES_FILE, Examples.read),
        lineage=_read(inputs.lineage, "lineage.yaml", read_manifest),
        previous=_read(inputs.previous, "lineage.yaml", read_manifest),
    )


def _read(path: Path | None, name: str, reader: Callable[[Path], Value]) -> Value | Absent:
    """The value in `path`, or in the file `name` where `path` is a folder."""
    if path is None:
        return NOT_RUN
    file = path / name if path.is_dir() else path
    try:
        return reader(file)
    except OSError as error:
        return Absent(from_os_error(error, file).line())
    except EdgeloopError as error:
        return Absent(error.line())
    except (ValueError, RecursionError) as error:
        return Absent(f"{file}: cannot be read ({' '.join(str(error).split())[:200]})")


class _Sections(Contract):
    sections: dict[str, dict[str, Any]]


def _mapping(path: Path) -> dict[str, Any]:
    return _Sections(sections=read_json(path)).sections


def _history(path: Path) -> History:
    names, rows = _table(path)
    known = {"epoch", "train_loss", "val_loss", "learning_rate", "val_metric"}
    metric = next((name for name in names if name not in known), "val_metric")
    epochs = tuple(
        Epoch(
            number=int(row["epoch"]),
            train_loss=_number(row.get("train_loss")),
            val_loss=_number(row.get("val_loss")),
            metric=_number(row.get(metric)),
            learning_rate=_number(row.get("learning_rate")),
        )
        for row in rows
        if row.get("epoch")
    )
    if not epochs:
        raise ValueError("it has no row")
    return History(metric=metric.removeprefix("val_"), epochs=epochs)


def _answers(path: Path) -> tuple[tuple[str, str], ...]:
    """Actual and predicted label of every sample."""
    names, rows = _table(path)
    if not {"actual", "predicted"} <= set(names):
        raise ValueError("it has no columns actual and predicted")
    return tuple((row["actual"] or "", row["predicted"] or "") for row in rows)


def _table(path: Path) -> tuple[Sequence[str], list[dict[str, str]]]:
    if path.stat().st_size > _MAX_TABLE_BYTES:
        raise ValueError(f"it is larger than {_MAX_TABLE_BYTES >> 20} MiB")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        try:
            return reader.fieldnames or (), list(reader)
        except csv.Error as error:
            raise ValueError(str(error)) from error


def _number(text: str | None) -> float | None:
    """None for nothing, NaN and infinity: neither can be drawn."""
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def _samples_ms(path: Path) -> dict[str, tuple[float, ...]]:
    """The uncontended latencies of every candidate, in the order in which they were taken."""
    try:
        import pyarrow as pa
        import pyarrow.compute as compute
        import pyarrow.parquet as parquet
    except ModuleNotFoundError as error:
        raise ValueError("pyarrow is not installed") from error
    try:
        table = parquet.ParquetFile(path).read()
        if "kept" in table.column_names:
            table = table.filter(compute.field("kept"))
        by_candidate: dict[str, tuple[float, ...]] = {}
        for name in compute.unique(table["candidate"]).to_pylist():
            column = table.filter(compute.field("candidate") == name)["latency_ns"]
            step = -(-len(column) // MOST_SAMPLES)
            values = column.to_numpy()[::step] / 1e6
            by_candidate[str(name)] = tuple(float(value) for value in values if 0 < value < float("inf"))
        return by_candidate
    except (pa.ArrowException, KeyError) as error:
        raise ValueError(str(error)) from error
