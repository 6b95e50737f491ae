"""A whole run as files, made with the contracts and the pure functions of the steps, without training anything."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from edgeloop.benchmarking import BenchmarkReport, CandidateRow, Target
from edgeloop.benchmarking.statistics import summarised
from edgeloop.canonical import digest_of
from edgeloop.data.dataset import DatasetCard
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.data.profile import Profile
from edgeloop.data.statistics.values import ColumnStatistics, TableStatistics
from edgeloop.data.verdict import ExpectationResult, SuiteRecord, Verdict
from edgeloop.evaluation import Evaluation
from edgeloop.evaluation.sweep import CLEAN, Sweep, SweepCell
from edgeloop.examples import EXAMPLES_FILE, Example, Examples
from edgeloop.files import write_text
from edgeloop.lineage.assembly import Materials, manifest_of
from edgeloop.lineage.evidence import RunBody
from edgeloop.lineage.manifest import Manifest, write_manifest
from edgeloop.models import ModelCard
from edgeloop.params import Params
from edgeloop.selection import SelectLimits, SelectParams, chosen
from edgeloop.tasks.classification import plugin as classification
from edgeloop.training.cost import Cost
from edgeloop.training.summary import TrainingSummary
from edgeloop.variants import Check, PlacedVariant, Tool, Variant, VariantSet

DIGITS = tuple("0123456789")


@dataclass(frozen=True)
class Spec:
    """One candidate to come: None where it was not measured."""

    variant: str
    runtime: str
    p50_ms: float | None
    accuracy: float | None
    status: str = "pass"
    reason: str = ""

    @property
    def target(self) -> Target:
        return Target(device="local", runtime=self.runtime, threads=1)

    @property
    def name(self) -> str:
        return f"{self.variant}@{self.target.name}"


SPECS = (
    Spec("torch-fp32", "torch", 0.150, 0.9944),
    Spec("onnx-fp32", "onnxruntime", 0.024, 0.9944),
    Spec("onnx-int8", "onnxruntime", 0.019, 0.9888),
    Spec("onnx-int4", "onnxruntime", 0.012, 0.9105),
    Spec("onnx-fp32", "openvino", None, None, "not evaluated", "openvino is not installed here"),
    Spec("onnx-int8", "tflite", 0.031, 0.9888, "invalid", "contended: in 1 of 40 rounds it had 95 % of the CPU"),
)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Run:
    """What was written, and the values behind it."""

    artifacts: Path
    specs: tuple[Spec, ...]
    classes: tuple[str, ...]
    manifest: Manifest | None

    def folder(self, step: str, output: str) -> Path:
        return self.artifacts / step / output


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[..., Run]:
    """Writes a run below a folder of its own and says what it wrote."""

    def write(
        name: str = "artifacts",
        *,
        classes: Sequence[str] = DIGITS,
        specs: Sequence[Spec] = SPECS,
        more: Sequence[Spec] = (),
        limits: dict[str, float] | None = None,
    ) -> Run:
        chosen_limits = SelectLimits(**(limits or {"max_accuracy_drop": 0.01, "max_latency_ms": 1.0}))
        return written(tmp_path / name, tuple(classes), (*specs, *more), chosen_limits)

    return write


@pytest.fixture
def make_spec() -> type[Spec]:
    """A candidate to come."""
    return Spec


@pytest.fixture
def run(write_run: Callable[..., Run]) -> Run:
    """A run of ten digits and six candidates, from raw data to bundle."""
    return write_run()


def written(root: Path, classes: tuple[str, ...], specs: tuple[Spec, ...], limits: SelectLimits) -> Run:
    params = Params()
    dataset, profile, verdict = data_of(classes)
    summary = summary_of(classes)
    card = card_of(classes)
    converted, quantized = variants_of(specs)
    report = report_of(specs)
    refused = [variant for variant in quantized.variants if not variant.accepted]
    selection = chosen(report, refused, SelectParams(limits=limits))
    evaluation = evaluation_of(classes, selection.winner or "", selection.variant or "")
    params.write(root / "check_params/checked")
    dataset.write(root / "prepare_data/dataset/dataset.json")
    profile.write(root / "prepare_data/profile")
    verdict.write(root / "validate_data/validation/verdict.json")
    card.write(root / "train/model/model.json")
    summary.write(root / "train/model/training.json")
    write_history(root / "train/history", classes)
    converted.write(root / "convert/converted/variants.json")
    quantized.write(root / "quantize/quantized/variants.json")
    report.write(root / "benchmark/measurements/report.json")
    write_samples(root / "benchmark/measurements/samples.parquet", specs)
    selection.write(root / "select/selection")
    if selection.winner is None:
        return Run(root, specs, classes, manifest=None)
    evaluation.write(root / "evaluate/evaluation/evaluation.json")
    examples_of().write(root / "evaluate/evaluation" / EXAMPLES_FILE)
    materials = Materials(
        params=params, dataset=dataset, verdict=verdict, training=summary, card_sha256=sha256("card"),
        variants={v.name: PlacedVariant(variant=v, folder=root) for v in (*converted.variants, *quantized.variants)},
        calibration=quantized.calibration, report=report, selection=selection, evaluation=evaluation,
    )  # fmt: skip
    manifest = manifest_of(materials, name="digits", code=digest_of("code"), run=run_body())
    write_manifest(root / "register/bundle/lineage.yaml", manifest)
    return Run(root, specs, classes, manifest)


def data_of(classes: tuple[str, ...]) -> tuple[DatasetCard, Profile, Verdict]:
    counts = {"train": 1257, "val": 179, "test": 361}
    digests = {split: digest_of([split, *classes]) for split in counts}
    dataset = DatasetCard(source="digits", name="digits", classes=classes, counts=counts, digests=digests, unreadable=1)
    per_class = {split: {c: n // len(classes) + k % 3 for k, c in enumerate(classes)} for split, n in counts.items()}
    feature = ColumnStatistics(
        name="mean", kind="float", count=1257, nulls=0, minimum=10.0, maximum=200.0, mean=80.5, m2=1257 * 20.25**2,
        quantiles={"0.05": 20.0, "0.5": 80.0, "0.95": 150.0}, edges=(50.0, 100.0), counts=(300, 700, 257),
    )  # fmt: skip
    reference = TableStatistics(rows=1257, groups=(), columns=(feature,))
    profile = Profile(samples=1797, unreadable=1, counts=per_class, modes={"L": 1257}, reference=reference)
    expectations = (
        ExpectationResult(
            name="expect_column_values_to_be_in_set", column="readable", severity="critical", status="pass",
            says="every picture can be decoded", expected={"value_set": [True]},
        ),
        ExpectationResult(
            name="expect_column_values_to_be_between", column="sharpness", severity="warning", status="fail",
            says="no picture is blurred", expected={"min_value": 4.0}, failing=3, first_ids=(f"{classes[0]}/a", "b"),
        ),
        ExpectationResult(
            name="expect_column_max_to_be_between", column="width", severity="info", status="could not check",
            reason="the column is empty",
        ),
    )  # fmt: skip
    verdict = Verdict(
        status="pass", reason="1 of 1 critical checks met", on_fault="quarantine", worst="warning",
        suite=SuiteRecord(name="images", sha256=sha256("suite")), expectations=expectations, samples=1797,
        quarantined=3, accepted=counts, digests=digests,
    )  # fmt: skip
    return dataset, profile, verdict


def metrics_of(classes: tuple[str, ...], samples: int) -> dict[str, object]:
    """What the classification says of answers of which about one in fifty is wrong."""
    generator = np.random.default_rng(0)
    targets = np.arange(samples) % len(classes)
    outputs = generator.normal(size=(samples, len(classes))).astype(np.float32)
    outputs[np.arange(samples), targets] += 4.5
    return classification.metrics(outputs, targets, card_of(classes))


def summary_of(classes: tuple[str, ...]) -> TrainingSummary:
    metrics = metrics_of(classes, 179)
    check = Check(name="min_metric", status="pass", value=float(metrics["accuracy"]), limit=0.9)
    return TrainingSummary(
        metric="accuracy", metrics=metrics, checks=(check,), train_loss=0.0177, val_loss=0.0138, epochs=30,
        best_epoch=24, steps=600, samples={"train": 1257, "val": 179}, seed=0, threads=2,
        cpu_features={"architecture": "x86_64", "flags": ["avx2", "fma"]}, torch_version="2.13.0",
        weights_sha256=sha256("torch-fp32"),
    )  # fmt: skip


def card_of(classes: tuple[str, ...]) -> ModelCard:
    image = ImageInput(height=8, width=8, mode="L")
    return ModelCard(
        task="classification", architecture="cnn", classes=classes, parameters=53_362,
        preprocessing=Preprocessing(image=image, mean=(0.3,), std=(0.37,)),
    )  # fmt: skip


def write_history(folder: Path, classes: tuple[str, ...]) -> None:
    rows = ["epoch,train_loss,val_loss,val_accuracy,learning_rate"]
    rows += [f"{e},{2 / e},{1.6 / e + 0.01},{1 - 0.3 / e},{0.003}" for e in range(1, 31)]
    write_text(folder / "history.csv", "\n".join(rows) + "\n")
    pairs = "".join(f'"{quoted}","{quoted}"\n' for quoted in (c.replace('"', '""') for c in classes))
    write_text(folder / "confusion.csv", f"actual,predicted\n{pairs}")
    Cost(wall_s=6.2, cpu_s=11.9, peak_memory_bytes=618_000_000).write(folder / "cost.json")


def variants_of(specs: tuple[Spec, ...]) -> tuple[VariantSet, VariantSet]:
    """Those of the candidates, and one that quantize refused."""
    names = dict.fromkeys(spec.variant for spec in specs)
    floats = tuple(variant_of(name) for name in names if name.endswith("fp32"))
    quantized = [variant_of(name) for name in names if not name.endswith("fp32")]
    lost = Check(name="accuracy_drop", status="fail", value=0.2, limit=0.01, reason="accuracy lost on 179 samples")
    refused = variant_of("onnx-int2").model_copy(update={"checks": (lost,)})
    calibration = {"digest": digest_of("calibration"), "samples": 256, "method": "minmax"}
    return VariantSet(variants=floats), VariantSet(variants=(*quantized, refused), calibration=calibration)


def variant_of(name: str) -> Variant:
    form, _, precision = name.partition("-")
    known = precision if precision in ("fp32", "int8") else "int8"
    check = Check(name="parity_logits", status="pass", value=3.8e-7, limit=1e-3, reason="on 64 samples of val")
    return Variant(
        name=name, format=form, precision=known, file=f"{name}.bin", sha256=sha256(name),
        size_bytes=216_000 if known == "fp32" else 62_000, made_by=Tool(name=form, version="1.0", options={"n": 20}),
        made_from=None if name == "torch-fp32" else "torch-fp32" if known == "fp32" else "onnx-fp32",
        checks=() if name == "torch-fp32" else (check,), details={"parity": [{"output": "logits", "sqnr_db": 120.0}]},
    )  # fmt: skip


def latencies_ns(spec: Spec) -> np.ndarray:
    generator = np.random.default_rng(len(spec.name))
    assert spec.p50_ms is not None
    return spec.p50_ms * 1e6 * (0.97 + generator.lognormal(mean=-3.5, sigma=0.9, size=800))


def report_of(specs: tuple[Spec, ...]) -> BenchmarkReport:
    environment = {"soc": "a CPU", "cores": 2, "load_1m": 0.5, "governor": None}
    return BenchmarkReport(
        protocol={"name": "quick", "rounds": 10},
        reference="torch-fp32",
        metric="accuracy",
        environments={"local": {"before": environment, "after": {**environment, "load_1m": 1.25}}},
        rows=tuple(row_of(spec) for spec in specs),
    )


def row_of(spec: Spec) -> CandidateRow:
    measured = spec.p50_ms is not None
    return CandidateRow(
        candidate=spec.name, variant=spec.variant, target=spec.target, status=spec.status, reason=spec.reason,
        profile="quick", size_bytes=variant_of(spec.variant).size_bytes, accuracy=spec.accuracy,
        accuracy_reason="" if measured else "no outputs were taken", energy_reason="no sensor on this device",
        latency=summarised(latencies_ns(spec)) if measured else None, load_ms=47.3 if measured else None,
        first_ms=0.4 if measured else None, agreement=0.99 if measured else None,
        peak_memory_bytes=76_200_000 if measured else None, contention=0.99 if measured else None,
        runtime_version="1.31.1" if measured else None, block=1 if measured else None, rounds_kept=10 * measured,
    )  # fmt: skip


def write_samples(path: Path, specs: tuple[Spec, ...]) -> None:
    measured = [spec for spec in specs if spec.p50_ms is not None]
    names = [spec.name for spec in measured for _ in latencies_ns(spec)]
    values = np.concatenate([latencies_ns(spec) for spec in measured]) if measured else []
    columns = {"candidate": pa.array(names, pa.string()), "latency_ns": pa.array(values, pa.float64())}
    table = pa.table({**columns, "kept": pa.array([True] * len(names), pa.bool_())})
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path)


def evaluation_of(classes: tuple[str, ...], candidate: str, variant: str) -> Evaluation:
    metrics = metrics_of(classes, 361)
    check = Check(name="min_metric", status="pass", value=float(metrics["accuracy"]), limit=0.9)
    return Evaluation(
        candidate=candidate, variant=variant, runtime="onnxruntime", samples=361, classes=classes,
        metric="accuracy", metrics=metrics, corruptions=sweep_of(), checks=(check,),
    )  # fmt: skip


def sweep_of() -> Sweep:
    """Two variants that both fall, one of them a little more, and nothing is known of its worst."""
    at = [(CLEAN, 0), *((corruption, k) for corruption in ("noise", "blur") for k in (1, 2, 3))]
    lost = [(0.05 * k, 0.002 * k, "onnx-fp32", "onnx-int8") for _, k in at]
    cells = [
        SweepCell(variant=v, corruption=c, strength=k, metric=m, drop=d)
        for (c, k), (fall, drop, one, other) in zip(at, lost, strict=True)
        for v, m, d in (
            (one, 0.99 - fall, None), (other, None if k == 3 else 0.99 - fall - drop, None if k == 3 else drop),
        )
    ]  # fmt: skip
    return Sweep(
        samples=200, seed=0, reference="onnx-fp32", cells=tuple(cells),
        variants={"onnx-fp32": "onnxruntime", "onnx-int8": "onnxruntime"},
        left_out={"torch-fp32": "computes what onnx-fp32 computes"},
        described={"noise": "deviation <0.1>", "blur": "1, 2, 3 px"},
    )  # fmt: skip


def examples_of() -> Examples:
    one = Example(
        id="digits/0001", picture="AAAA", media="png", width=8, height=8, told="8, taken for 3 (0.72)",
        importance=((0.1, -0.2), (0.3, 0.0)),
    )  # fmt: skip
    return Examples(worst_by="log-loss", certainty="probability", examples=(one,))


def run_body() -> RunBody:
    return RunBody(
        engine="kfp.local", edgeloop_version="0.1.0", python_version="3.11.7", host="bench",
        registered_at="2026-01-02T03:04:05+00:00", commit=None, dirty=None, run_ids={"train": "0123456789abcdef"},
    )  # fmt: skip
