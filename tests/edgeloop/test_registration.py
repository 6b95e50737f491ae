import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from edgeloop import keys, signing
from edgeloop.benchmarking import BenchmarkReport, CandidateRow, Target
from edgeloop.bundle import Bundle, verify
from edgeloop.canonical import sha256_of_bytes, sha256_of_file
from edgeloop.contract import Contract
from edgeloop.data.dataset import DatasetCard, Sample, write_index
from edgeloop.data.verdict import SuiteRecord, Verdict
from edgeloop.errors import GateRefused, InputFault, ModelFault, ServerFault
from edgeloop.evaluation import Evaluation
from edgeloop.evaluation.sweep import Sweep, SweepCell
from edgeloop.files import write_json, write_text
from edgeloop.lineage.assembly import deciding_params
from edgeloop.lineage.evidence import (
    EvaluationEvidence,
    Promotion,
    RunEvidence,
    SelectionEvidence,
    TrainingEvidence,
    Trigger,
)
from edgeloop.lineage.example import CARD
from edgeloop.params import Params
from edgeloop.registration import RegisterParams, Registration, register
from edgeloop.registries.folder import FolderRegistry, plugin
from edgeloop.selection import Judged, Selection, SelectLimits
from edgeloop.tracking import TrackingRecord
from edgeloop.training.cost import Cost, PartCost
from edgeloop.training.summary import TrainingSummary
from edgeloop.variants import Check, Tool, Variant, VariantSet

PARAMS = RegisterParams(registry="folder", model_name="digits", create_key=True)
WEIGHTS, EXPORTED, QUANTIZED, REFUSED = b"weights", b"exported", b"quantized", b"refused"
PASS = Check(name="min_metric", status="pass", value=0.98, limit=0.97)
FAIL = Check(name="min_metric", status="fail", value=0.91, limit=0.97)


def variant(name: str, content: bytes, **more: Any) -> Variant:
    precision = name.rpartition("-")[2]
    return Variant(
        name=name, format=name.partition("-")[0], precision=precision, file=f"{name}.bin",
        sha256=sha256_of_bytes(content), size_bytes=len(content), made_by=Tool(name="maker", version="1"), **more,
    )  # fmt: skip


def variant_set(folder: Path, files: dict[str, bytes], variants: list[Variant], **more: Any) -> None:
    folder.mkdir()
    CARD.write(folder / "model.json")
    VariantSet(variants=tuple(variants), **more).write(folder / "variants.json")
    for name, content in files.items():
        (folder / f"{name}.bin").write_bytes(content)


def row(variant_name: str) -> CandidateRow:
    target = Target(runtime="onnxruntime")
    return CandidateRow(
        candidate=f"{variant_name}@{target.name}", variant=variant_name, target=target, status="pass",
        profile="quick", size_bytes=1, accuracy=0.98, runtime_version="1.31.1", runtime_sha256="0" * 64,
    )  # fmt: skip


def write_steps(folder: Path) -> dict[str, Path]:
    """What the steps before register write, as small as it can be, and the arguments of `register`."""
    folder.mkdir(parents=True)
    train, splits = (
        folder / "train",
        {"train": "sha256:" + "1" * 64, "val": "sha256:" + "2" * 64, "test": "sha256:" + "5" * 64},
    )
    Params().write(folder / "params")
    DatasetCard(
        source="digits", name="digits", classes=CARD.classes, counts={"train": 2}, digests=splits, unreadable=0
    ).write(folder / "dataset" / "dataset.json")
    write_json(folder / "profile", {"samples": 2})
    (folder / "dataset" / "reference.parquet").write_bytes(b"PAR1")
    samples = [Sample(id="0", uri="0.png", sha256="6" * 64, split="train", label="a")]
    write_index(samples, folder / "dataset")
    Verdict(
        status="pass", reason="all passed", on_fault="stop", suite=SuiteRecord(name="images", sha256="3" * 64),
        worst=None, expectations=(), samples=2, quarantined=0, accepted={"train": 2}, digests=splits,
    ).write(folder / "validation" / "verdict.json")  # fmt: skip
    parquet.write_table(pa.table({"id": ["0"]}), folder / "validation" / "accepted.parquet")
    TrainingSummary(
        metric="accuracy", metrics={"accuracy": 0.98, "samples": 2, "confusion": [[1, 0], [0, 1]], "none": None},
        checks=(PASS,), train_loss=0.1, val_loss=0.1, epochs=1, best_epoch=1, steps=1, samples={"train": 2}, seed=0,
        threads=2, cpu_features={"capability": "AVX2"}, torch_version="2.13.0",
        weights_sha256=sha256_of_bytes(WEIGHTS),
    ).write(train / "training.json")  # fmt: skip
    TrackingRecord(uri_scheme="sqlite", run_id="a" * 32, experiment="edgeloop").write(
        folder / "history" / "tracking.json"
    )
    variant_set(
        folder / "converted",
        {"torch-fp32": WEIGHTS, "onnx-fp32": EXPORTED},
        [variant("torch-fp32", WEIGHTS), variant("onnx-fp32", EXPORTED, made_from="torch-fp32")],
    )
    variant_set(
        folder / "quantized",
        {"onnx-int8": QUANTIZED, "tflite-int8": REFUSED},
        [
            variant("onnx-int8", QUANTIZED, made_from="onnx-fp32", checks=(PASS,)),
            variant("tflite-int8", REFUSED, made_from="onnx-fp32", checks=(FAIL,)),
        ],
        calibration={"digest": "sha256:" + "4" * 64, "ids": ["a"]},
    )
    rows = (row("torch-fp32"), row("onnx-fp32"), row("onnx-int8"))
    BenchmarkReport(
        protocol={}, reference="torch-fp32", metric="accuracy", environments={"local": {"class": "laptop"}}, rows=rows
    ).write(folder / "benchmark" / "report.json")
    Selection(
        winner=rows[2].candidate, variant="onnx-int8", prefer="latency", limits=SelectLimits(),
        reason="it is the fastest",
        candidates=(
            Judged(candidate=rows[0].candidate, variant="torch-fp32", checks=(FAIL,), rejected=True, reasons=("slow",)),
            Judged(candidate=rows[2].candidate, variant="onnx-int8", checks=(PASS,), rejected=False, on_front=True),
        ),
    ).write(folder / "selection")  # fmt: skip
    write_evaluation(folder)
    names = ("params", "dataset", "profile", "validation", "history", "converted", "quantized", "benchmark",
             "selection", "evaluation")  # fmt: skip
    arguments = {name: folder / name for name in names} | {"model": train, "bundle": folder / "bundle"}
    return {"params_file": arguments.pop("params"), **arguments}


def write_evaluation(folder: Path, **changes: Any) -> None:
    values = {
        "candidate": row("onnx-int8").candidate, "variant": "onnx-int8", "runtime": "onnxruntime", "samples": 2,
        "classes": CARD.classes, "metric": "accuracy", "metrics": {"accuracy": 0.975, "per_class": []},
        "checks": (PASS,),
    }  # fmt: skip
    Evaluation(**{**values, **changes}).write(folder / "evaluation" / "evaluation.json")
    (folder / "evaluation" / "confusion.png").write_bytes(b"\x89PNG")


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EDGELOOP_REGISTRY_FOLDER", raising=False)
    return write_steps(tmp_path / "steps")


def edited(path: Path, kind: type[Contract], **changes: Any) -> None:
    kind.model_validate({**kind.read(path).values(), **changes}).write(path)


def subject_digest(steps: dict[str, Path]) -> str:
    return register(PARAMS, **steps).subject_digest


def test_a_registration_says_where_the_model_is(steps: dict[str, Path], tmp_path: Path) -> None:
    assert register(PARAMS, **steps) == Registration(
        uri=(tmp_path / ".edgeloop/registry/digits/1").as_uri(),
        name="digits",
        version="1",
        subject_digest=Bundle.open(steps["bundle"]).manifest.subject_digest,
        promotion=Promotion(
            alias="champion-laptop", promoted=True, reason="the first of its device class", champion=""
        ),
        run_id="a" * 32,
        stored=True,
    )


def test_the_bundle_is_whole(steps: dict[str, Path]) -> None:
    register(PARAMS, **steps)
    assert verify(steps["bundle"]) == []


def test_the_bundle_holds_everything_that_the_lineage_names(steps: dict[str, Path]) -> None:
    register(PARAMS, **steps)
    assert set(Bundle.open(steps["bundle"]).manifest.files) == {
        "model_card.md", "selection.json", "benchmark/report.json", "data/dataset.json", "data/verdict.json",
        "evaluation/confusion.png", "evaluation/evaluation.json", "models/model.json", "models/onnx-fp32.bin",
        "models/onnx-int8.bin", "models/torch-fp32.bin", "models/variants.json", "profile/profile.json",
        "profile/reference.parquet", "data/samples.parquet", "training/training.json",
    }  # fmt: skip


def test_models_are_copied_byte_for_byte(steps: dict[str, Path]) -> None:
    register(PARAMS, **steps)
    assert (steps["bundle"] / "models/onnx-int8.bin").read_bytes() == QUANTIZED
    assert (steps["bundle"] / "models/torch-fp32.bin").read_bytes() == WEIGHTS


def test_a_variant_that_was_not_accepted_is_in_the_lineage_but_not_in_the_bundle(steps: dict[str, Path]) -> None:
    register(PARAMS, **steps)
    bundle = Bundle.open(steps["bundle"])
    assert bundle.manifest.subject.variants["tflite-int8"].sha256 == sha256_of_bytes(REFUSED)
    with pytest.raises(ModelFault, match="holds no variant 'tflite-int8'"):
        bundle.variant("tflite-int8")


def test_the_registry_has_the_very_bundle(steps: dict[str, Path], tmp_path: Path) -> None:
    register(PARAMS, **steps)
    fetched = plugin.fetch("digits", "champion-laptop", tmp_path / "fetched")
    assert sha256_of_file(fetched.folder / "lineage.yaml") == sha256_of_file(steps["bundle"] / "lineage.yaml")


def test_the_version_is_tagged_with_what_was_chosen(steps: dict[str, Path]) -> None:
    register(PARAMS, **steps)
    (version,) = plugin.versions("digits")
    assert version.tags == {
        "device": "local", "runtime": "onnxruntime", "test_accuracy": "0.975", "training_run_id": "a" * 32,
        "variant": "onnx-int8", "device_class": "laptop",
        "promotion": "champion-laptop: yes, the first of its device class",
    }  # fmt: skip


def test_two_folders_give_one_subject_and_the_same_models(steps: dict[str, Path], tmp_path: Path) -> None:
    other = write_steps(tmp_path / "quite" / "elsewhere")
    edited(other["params_file"], Params, prepare_data={"source": "image_folder", "path": "/data/a"})
    edited(steps["params_file"], Params, prepare_data={"source": "image_folder", "path": "/home/b"})
    assert subject_digest(steps) == subject_digest(other)
    for file in sorted((steps["bundle"] / "models").iterdir()):
        assert file.read_bytes() == (other["bundle"] / "models" / file.name).read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda s: edited(s["params_file"], Params, register={"model_name": "other", "alias": "candidate"}),
        lambda s: edited(s["benchmark"] / "report.json", BenchmarkReport, environments={"local": {"host": "x"}}),
        lambda s: edited(s["history"] / "tracking.json", TrackingRecord, run_id=None),
        lambda s: write_evaluation(s["evaluation"].parent, metrics={"accuracy": 0.99}),
    ],
    ids=["name in the registry", "measurement", "run", "test metrics"],
)
def test_what_a_clock_a_device_or_a_name_decides_is_not_in_the_subject(
    steps: dict[str, Path], change: Callable[[dict[str, Path]], None]
) -> None:
    before = subject_digest(steps)
    change(steps)
    assert subject_digest(steps) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda s: edited(s["params_file"], Params, train={"epochs": 3}),
        lambda s: edited(s["params_file"], Params, select={"prefer": "size"}),
        lambda s: edited(
            s["validation"] / "verdict.json",
            Verdict,
            digests={"train": "sha256:" + "9" * 64, "test": "sha256:" + "5" * 64},
        ),
        lambda s: edited(s["validation"] / "verdict.json", Verdict, suite={"name": "images", "sha256": "9" * 64}),
        lambda s: edited(s["model"] / "training.json", TrainingSummary, threads=1),
        lambda s: edited(s["quantized"] / "variants.json", VariantSet, calibration={"digest": "sha256:" + "9" * 64}),
    ],
    ids=["params", "limits", "data", "suite", "threads", "calibration"],
)
def test_what_decides_the_result_is_in_the_subject(
    steps: dict[str, Path], change: Callable[[dict[str, Path]], None]
) -> None:
    before = subject_digest(steps)
    change(steps)
    assert subject_digest(steps) != before


def test_the_parameters_of_the_subject_hold_no_path() -> None:
    values = json.dumps(deciding_params(Params(validate_data={"suite": "/somewhere/suite.json"})))
    assert "somewhere" not in values and "model_name" not in values and '"epochs"' in values


def test_every_rejected_candidate_is_kept_with_its_reason(steps: dict[str, Path]) -> None:
    register(PARAMS, **steps)
    (piece,) = Bundle.open(steps["bundle"]).manifest.pieces(SelectionEvidence)
    assert piece.body.others["torch-fp32@local-onnxruntime-1t"].reasons == ("slow",)
    assert piece.body.winner.runtime_version == "1.31.1"


def test_the_sweep_over_corruptions_is_evidence_by_variant_and_strength(steps: dict[str, Path]) -> None:
    cells = [
        SweepCell(variant=v, corruption=c, strength=k, metric=m)
        for v in ("onnx-fp32", "onnx-int8")
        for c, k, m in (("clean", 0, 0.9), ("noise", 1, 0.8), ("noise", 2, None))
    ]
    sweep = Sweep(
        samples=9, seed=1, reference="onnx-fp32", left_out={}, described={"noise": "more"}, cells=tuple(cells),
        variants={"onnx-fp32": "onnxruntime", "onnx-int8": "onnxruntime"},
    )  # fmt: skip
    write_evaluation(steps["evaluation"].parent, corruptions=sweep)
    register(PARAMS, **steps)
    (piece,) = Bundle.open(steps["bundle"]).manifest.pieces(EvaluationEvidence)
    assert piece.body.corruptions is not None and piece.body.corruptions.samples == 9
    assert piece.body.corruptions.metrics["onnx-int8"] == {"clean": (0.9,), "noise": (0.8, None)}


def test_the_engine_is_evidence(steps: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGELOOP_ENGINE", "dvc")
    register(PARAMS, **steps)
    (piece,) = Bundle.open(steps["bundle"]).manifest.pieces(RunEvidence)
    assert piece.body.engine == "dvc" and piece.body.run_ids == {"train": "a" * 32}


def test_the_same_subject_registered_twice_is_one_version(steps: dict[str, Path]) -> None:
    first = register(PARAMS, **steps)
    edited(steps["benchmark"] / "report.json", BenchmarkReport, environments={"local": {"load": 1}})
    second = register(PARAMS, **steps)
    assert (second.version, second.stored) == (first.version, False)
    assert len(plugin.versions("digits")) == 1


def test_the_alias_moves_last(steps: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    register(PARAMS, **steps)
    edited(steps["params_file"], Params, train={"epochs": 3})

    def gone(*_: Any, **__: Any) -> None:
        raise ServerFault("the registry does not answer")

    with monkeypatch.context() as cut:
        cut.setattr(FolderRegistry, "promote", gone)
        with pytest.raises(ServerFault):
            register(PARAMS, **steps)
    assert [version.aliases for version in plugin.versions("digits")] == [("champion-laptop",), ()]
    assert register(PARAMS, **steps).version == "2"
    assert [version.aliases for version in plugin.versions("digits")] == [(), ("champion-laptop",)]


def other_model(steps: dict[str, Path], accuracy: float) -> None:
    """Another subject, with its own accuracy on the same test split."""
    edited(steps["params_file"], Params, train={"epochs": 3})
    write_evaluation(steps["evaluation"].parent, metrics={"accuracy": accuracy})


def test_a_model_that_is_worse_than_the_champion_is_kept_but_not_promoted(steps: dict[str, Path]) -> None:
    register(PARAMS, **steps)
    other_model(steps, 0.97)
    found = register(PARAMS, **steps)
    assert (found.version, found.promotion.promoted, found.promotion.champion) == ("2", False, "1")
    assert found.promotion.reason == "accuracy on test 0.9700, that of version 1 0.9750"
    assert [version.aliases for version in plugin.versions("digits")] == [("champion-laptop",), ()]
    assert plugin.versions("digits")[1].tags["promotion"] == f"champion-laptop: no, {found.promotion.reason}"
    (run,) = Bundle.open(steps["bundle"]).manifest.pieces(RunEvidence)
    assert run.body.promotion == found.promotion


def test_how_much_worse_a_successor_may_be_is_a_parameter(steps: dict[str, Path]) -> None:
    register(PARAMS, **steps)
    other_model(steps, 0.97)
    assert register(PARAMS.model_copy(update={"max_metric_drop": 0.01}), **steps).promotion.promoted


def test_inside_a_dvc_experiment_no_alias_moves(steps: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "brave-boar")
    found = register(PARAMS, **steps)
    assert not found.promotion.promoted and "brave-boar" in found.promotion.reason
    assert [version.aliases for version in plugin.versions("digits")] == [()]


def test_an_alias_that_somebody_else_moved_meanwhile_is_left_alone(
    steps: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    register(PARAMS, **steps)
    other_model(steps, 0.97)
    register(PARAMS, **steps)
    edited(steps["params_file"], Params, train={"epochs": 4})
    write_evaluation(steps["evaluation"].parent, metrics={"accuracy": 0.99})
    push = FolderRegistry.push

    def pushed_while_somebody_promotes(self: FolderRegistry, *arguments: Any, **more: Any) -> Any:
        version = push(self, *arguments, **more)
        self.promote("digits", "champion-laptop", "2")
        return version

    monkeypatch.setattr(FolderRegistry, "push", pushed_while_somebody_promotes)
    with pytest.raises(GateRefused, match="points to version 2, not to 1"):
        register(PARAMS, **steps)


def test_a_prefix_keeps_teams_apart(steps: dict[str, Path]) -> None:
    register(PARAMS.model_copy(update={"prefix": "team-a."}), **steps)
    assert plugin.versions("digits") == ()
    assert [version.name for version in plugin.versions("team-a.digits")] == ["team-a.digits"]


def test_what_set_a_retraining_off_is_evidence_and_a_tag(steps: dict[str, Path]) -> None:
    trigger = Trigger(reason="drift", parent="digits 1", drift_report_sha256="0" * 64, window_digest="sha256:w")
    register(PARAMS, **steps, trigger=trigger)
    (run,) = Bundle.open(steps["bundle"]).manifest.pieces(RunEvidence)
    assert run.body.trigger == trigger
    (version,) = plugin.versions("digits")
    assert (version.tags["trigger"], version.tags["trigger_window"]) == ("drift", "sha256:w")


def test_every_bundle_is_signed_by_the_project(steps: dict[str, Path]) -> None:
    register(PARAMS, **steps)
    assert signing.verify(steps["bundle"], keys.trusted_keys()) == keys.TRUST / "signing.pem"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: write_evaluation(s["evaluation"].parent, checks=(FAIL,)), "evaluate: min_metric fail"),
        (lambda s: edited(s["model"] / "training.json", TrainingSummary, checks=[FAIL.values()]), "train: min_metric"),
        (lambda s: edited(s["validation"] / "verdict.json", Verdict, status="fail", reason="dark"), "dark"),
        (lambda s: edited(s["selection"], Selection, winner=None, reason="all too slow"), "all too slow"),
    ],
    ids=["evaluate", "train", "validate_data", "select"],
)
def test_what_a_gate_refused_is_not_registered(
    steps: dict[str, Path], change: Callable[[dict[str, Path]], None], reason: str
) -> None:
    change(steps)
    with pytest.raises(GateRefused, match=reason):
        register(PARAMS, **steps)
    assert plugin.versions("digits") == () and not steps["bundle"].exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: write_evaluation(s["evaluation"].parent, candidate="other"), "run again from evaluate"),
        (lambda s: edited(s["selection"], Selection, winner="x@y"), "was not measured"),
        (lambda s: (s["quantized"] / "onnx-int8.bin").write_bytes(b"newer"), "is not the file that was recorded"),
        (
            lambda s: edited(s["model"] / "training.json", TrainingSummary, weights_sha256="0" * 64),
            "run again from convert",
        ),
    ],
    ids=["evaluation", "selection", "variant", "weights"],
)
def test_outputs_of_different_runs_are_refused_with_the_step_to_repeat(
    steps: dict[str, Path], change: Callable[[dict[str, Path]], None], reason: str
) -> None:
    change(steps)
    with pytest.raises(ModelFault, match=reason):
        register(PARAMS, **steps)


@pytest.mark.parametrize("name", ["dataset", "validation", "model", "history", "converted", "benchmark", "evaluation"])
def test_a_missing_folder_is_named(steps: dict[str, Path], name: str) -> None:
    shutil.rmtree(steps[name])
    with pytest.raises(InputFault, match="does not exist") as caught:
        register(PARAMS, **steps)
    assert str(steps[name]) in caught.value.line()


def test_a_file_that_is_no_json_is_named(steps: dict[str, Path]) -> None:
    write_text(steps["selection"], "{")
    with pytest.raises(ModelFault, match="is not JSON"):
        register(PARAMS, **steps)


def test_the_model_card_tells_what_was_chosen_and_how_it_did(steps: dict[str, Path]) -> None:
    register(PARAMS, **steps)
    page = (steps["bundle"] / "model_card.md").read_text()
    assert "`onnx-int8` on onnxruntime 1.31.1, 1 thread, device local.\nWhy: it is the fastest." in page
    assert "| accuracy | 0.975 |" in page


def test_trials_are_of_the_subject_and_their_seconds_evidence(steps: dict[str, Path]) -> None:
    trials = [{"overrides": {"seed": 5}, "metric": 0.98, "epochs": 1, "steps": 1, "chosen": True}]
    edited(steps["model"] / "training.json", TrainingSummary, trials=trials, seed=5)
    parts = (PartCost(name="trial 1", wall_s=2.5, cpu_s=2),)
    Cost(wall_s=3, cpu_s=3, peak_memory_bytes=None, parts=parts).write(steps["history"] / "cost.json")
    register(PARAMS, **steps)
    manifest = Bundle.open(steps["bundle"]).manifest
    assert manifest.subject.training.trials[0].overrides == {"seed": 5}
    assert manifest.subject.seeds["train"] == 5
    assert manifest.pieces(TrainingEvidence)[0].body.parts["trial 1"].wall_s == 2.5
