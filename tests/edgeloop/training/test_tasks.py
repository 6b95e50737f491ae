"""Every task through training, conversion, quantization and evaluation, on a few samples of its own kind."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from edgeloop import plugins
from edgeloop.benchmarking import Target
from edgeloop.conversion import ConvertParams, convert
from edgeloop.data.dataset import Dataset
from edgeloop.data.preparation import PrepareDataParams, prepare
from edgeloop.evaluation import EvaluateParams, evaluate
from edgeloop.models import ModelCard
from edgeloop.optimization.variants import quantize
from edgeloop.quantization import QuantizeParams
from edgeloop.selection import Selection, SelectLimits
from edgeloop.tracking import untracked_run
from edgeloop.training import TrainParams
from edgeloop.training.fit import train

DATA: dict[str, dict[str, Any]] = {
    "window": {"source": "vibration", "options": {"machines": 10, "windows": 2, "length": 512}},
    "detection": {"source": "traffic_signs", "options": {"count": 24, "size_pixels": 160}},
    "table": {"source": "table", "path": "rows.csv"},
}
WINDOWS = {"model": "cnn_1d", "model_options": {"width": 4, "blocks": 1}}
AUTOENCODER = {
    "task": "anomaly",
    "model": "autoencoder",
    "model_options": {"hidden": "16-4-16"},
    "window": {"bands": 8},
}
DETECTOR = {
    "task": "detection", "model": "yolo_tiny", "model_options": {"width": 0.125, "opponent_colours": True},
    "image": {"height": 64, "width": 64, "mode": "RGB"}, "batch_size": 8, "ema": 0.9, "precision": "bf16",
}  # fmt: skip
ROWS = {"task": "regression", "model": "mlp", "model_options": {"hidden": "8"}, "epochs": 20, "learning_rate": 0.03}
CASES = {
    "windows": ("window", WINDOWS),
    "anomaly": ("window", AUTOENCODER),
    "detection": ("detection", DETECTOR),
    "regression": ("table", ROWS),
}


@dataclass(frozen=True)
class Made:
    """Folders of one case."""

    dataset: Path
    validation: Path
    folder: Path
    params: TrainParams

    @property
    def data(self) -> dict[str, Path]:
        return {"dataset": self.dataset, "validation": self.validation}

    def trained(self, name: str) -> Path:
        model = self.folder / name / "model"
        history = self.folder / name / "history"
        train(self.params, **self.data, model=model, history=history, tracker=untracked_run)
        return model


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """A dataset and a validation that accepts all of it, of every kind."""
    made = {}
    for kind, given in DATA.items():
        folder = tmp_path_factory.mktemp(kind)
        if kind == "table":
            write_rows(folder / "rows.csv")
            given = {**given, "path": folder / "rows.csv"}
        params = PrepareDataParams.model_validate({"min_class_samples": 3, **given})
        prepare(params, dataset=folder / "dataset", profile=folder / "profile")
        (folder / "validation").mkdir()
        rows = Dataset(folder / "dataset").rows
        parquet.write_table(pa.table({"id": [row.id for row in rows]}), folder / "validation/accepted.parquet")
        made[kind] = (folder / "dataset", folder / "validation")
    return made


def write_rows(path: Path) -> None:
    """120 rows whose target is nearly the sum of two columns."""
    rng = np.random.default_rng(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "target"])
        for a, b in rng.normal(size=(120, 2)).tolist():
            writer.writerow([a, b, 50 + 10 * (a + b) + float(rng.normal())])


@pytest.fixture(params=CASES)
def made(request: pytest.FixtureRequest, prepared: dict[str, tuple[Path, Path]], tmp_path: Path) -> Made:
    kind, fields = CASES[request.param]
    params = TrainParams.model_validate({"epochs": 2, "augment_shift": 2, "batch_size": 16, **fields})
    return Made(*prepared[kind], tmp_path, params)


def test_the_same_seed_gives_the_same_bytes(made):
    one, two = (made.trained(name) for name in ("one", "two"))
    assert {p.name: p.read_bytes() for p in one.iterdir()} == {p.name: p.read_bytes() for p in two.iterdir()}


@pytest.mark.slow
def test_the_model_goes_through_conversion_quantization_and_evaluation(made):
    model = made.trained("trained")
    converted, quantized = made.folder / "converted", made.folder / "quantized"
    floats = convert(ConvertParams(), model=model, **made.data, converted=converted)
    assert all(variant.accepted for variant in floats.variants), floats
    (int8,) = quantize(
        QuantizeParams(calibration_samples=16), converted=converted, **made.data, quantized=quantized
    ).variants
    assert {check.name for check in int8.checks} >= {"agreement", "size_ratio"}
    card, task = ModelCard.of(converted), plugins.load("tasks", made.params.task)
    target = Target(runtime="onnxruntime")
    Selection(
        winner="it",
        variant="onnx-fp32",
        target=target,
        prefer="latency",
        limits=SelectLimits(),
        reason="",
        candidates=(),
    ).write(made.folder / "selection.json")
    outcome = evaluate(
        EvaluateParams(min_metric=0, by=("group", "condition")),
        selection=made.folder / "selection.json",
        converted=converted,
        quantized=quantized,
        **made.data,
        evaluation=made.folder / "evaluation",
    )
    assert outcome.metric == task.metric
    assert outcome.classes == card.classes
    numbers = json.loads((made.folder / "evaluation/metrics.json").read_text())
    assert all(np.isfinite(value) for value in numbers.values())


def test_a_number_is_estimated_better_than_by_the_median(prepared, tmp_path):
    params = TrainParams.model_validate({**ROWS, "batch_size": 16, "epochs": 40})
    folders = dict(zip(("dataset", "validation"), prepared["table"], strict=True))
    out = {"model": tmp_path / "model", "history": tmp_path / "history"}
    assert train(params, **folders, **out, tracker=untracked_run).metrics["skill"] > 0.5
