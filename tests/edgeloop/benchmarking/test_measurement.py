"""The whole of `benchmark`, on scripted devices."""

import itertools
import json
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as parquet
import pytest

from edgeloop.benchmarking import BenchmarkReport, CandidateRow, Target, resident
from edgeloop.benchmarking.environment import Environment, read_environment
from edgeloop.benchmarking.measurement import reference_of
from edgeloop.benchmarking.profiles import PROFILES
from edgeloop.errors import DataFault, EnvironmentFault, InputFault, ModelFault
from edgeloop.variants import Check, UnmadeVariant

STEADY = "latency_us=6000"  # ten queries fill a round of the quick profile
Project = Any  # the class lives in conftest.py, which tests cannot import


def row(report: BenchmarkReport, precision: str, device: str = "board") -> CandidateRow:
    return next(r for r in report.rows if r.variant == f"fake-{precision}" and r.target.device == device)


def test_a_steady_device_passes_with_the_scripted_latency(project: Project) -> None:
    found = row(project.measured(project.device("board", STEADY)), "fp32")
    assert (found.status, found.reason) == ("pass", "")
    assert found.latency is not None
    assert found.latency.p50.value_ms == pytest.approx(6.0, rel=1e-3)


def test_load_and_first_are_told_apart_from_steady(project: Project) -> None:
    found = row(project.measured(project.device("board", "latency_us=9000,6000&load_us=70000")), "fp32")
    assert found.load_ms == pytest.approx(70, rel=0.01)
    assert found.first_ms == pytest.approx(9, rel=0.01)


def test_the_tail_is_in_the_upper_quantiles(project: Project) -> None:
    script = "latency_us=" + ",".join(["2000"] * 19 + ["5000"])
    latency = row(project.measured(project.device("board", script)), "fp32").latency
    assert latency is not None
    assert latency.p90.value_ms == pytest.approx(2.0, rel=1e-3)
    assert latency.p99.value_ms == pytest.approx(5.0, rel=1e-3)


def test_the_ratio_is_against_the_float_candidate_of_the_same_target(project: Project) -> None:
    report = project.measured(project.device("board", "latency_us=5000&latency_us.fake-int8.json=2000"))
    assert row(report, "int8").latency_ratio == pytest.approx(0.4, rel=1e-3)


def test_every_candidate_has_one_row_on_every_device(project: Project) -> None:
    report = project.measured(project.device("board", STEADY), project.device("gone", "fault=lost&at=environment"))
    assert sorted(r.candidate for r in report.rows) == [
        "fake-fp32@board-fake-1t", "fake-fp32@gone-fake-1t", "fake-int8@board-fake-1t", "fake-int8@gone-fake-1t",
    ]  # fmt: skip


@pytest.mark.parametrize("at", ["environment", "load", "warm_up", "time", "outputs", "peak"])
def test_a_lost_device_is_a_row_wherever_it_was_lost(project: Project, at: str) -> None:
    found = row(project.measured(project.device("board", f"{STEADY}&fault=lost&at={at}")), "fp32")
    assert found.status == "invalid"
    assert found.reason.startswith("lost: ")


@pytest.mark.parametrize("fault", ["rubbish", "strange", "silent"])
def test_a_worker_that_does_not_speak_the_protocol_is_lost(project: Project, fault: str) -> None:
    found = row(project.measured(project.device("board", f"{STEADY}&fault={fault}&at=time&after=3")), "fp32")
    assert found.status == "invalid"
    assert found.reason.startswith("lost: ")


def test_a_model_that_a_runtime_refuses_is_invalid_and_not_lost(project: Project) -> None:
    found = row(project.measured(project.device("board", f"{STEADY}&fault=refused&at=load")), "fp32")
    assert found.status == "invalid"
    assert "an operator is unknown" in found.reason and "lost" not in found.reason


def test_a_lost_device_does_not_disturb_another(project: Project) -> None:
    report = project.measured(project.device("gone", "fault=lost&at=load"), project.device("board", STEADY))
    assert row(report, "fp32", "board").status == "pass"


def test_a_contended_device_is_invalid(project: Project) -> None:
    found = row(project.measured(project.device("board", f"{STEADY}&cpu_share=0.6")), "fp32")
    assert found.status == "invalid"
    assert found.reason.startswith("contended: in 0 of 40 rounds")
    assert found.contention == pytest.approx(0.6, rel=0.01)


def test_contended_rounds_are_taken_again_a_bounded_number_of_times(project: Project) -> None:
    project.measured(project.device("board", f"{STEADY}&cpu_share=0.6"))
    quick = PROFILES["quick"]
    rounds = parquet.read_table(project.folder / "benchmark/samples.parquet")["round"].to_pylist()
    assert max(rounds) + 1 == quick.rounds + quick.extra_rounds


def test_waiting_for_a_calm_machine_grows_and_is_bounded(project: Project) -> None:
    pauses: list[float] = []
    project.measured(project.device("board", f"{STEADY}&cpu_share=0.6"), sleep=pauses.append)
    assert pauses == sorted(pauses)
    assert max(pauses) <= 0.5


def test_a_calm_device_is_never_waited_for(project: Project) -> None:
    pauses: list[float] = []
    project.measured(project.device("board", STEADY), sleep=pauses.append)
    assert pauses == []


def test_an_emulated_device_never_passes(project: Project) -> None:
    found = row(project.measured(project.device("board", STEADY, emulated=True)), "fp32")
    assert found.status == "not evaluated"
    assert found.latency is not None


def test_a_runtime_that_the_device_does_not_list_is_not_evaluated(project: Project) -> None:
    found = row(project.measured(project.device("board", STEADY, runtimes=["torch"])), "fp32")
    assert (found.status, found.reason) == ("not evaluated", "fake is not among the runtimes of board")


def test_accuracy_is_that_of_the_file_on_accepted_samples(project: Project) -> None:
    found = row(project.measured(project.device("board", STEADY)), "fp32")
    assert (found.accuracy, found.agreement, found.max_relative_error) == (1.0, 1.0, 0.0)


def test_parity_of_the_smaller_variant_is_against_the_reference(project: Project) -> None:
    report = project.measured(project.device("board", STEADY))
    assert report.reference == "fake-fp32"
    error = row(report, "int8").max_relative_error
    assert error is not None and 0 < error <= 0.001


@pytest.mark.parametrize(
    ("measured", "reference"),
    [({"torch-fp32", "onnx-fp32"}, "torch-fp32"), ({"onnx-fp32", "onnx-int8"}, "onnx-fp32"), (set(), "torch-fp32")],
)
def test_the_reference_is_the_first_float_file_that_is_measured(measured: set[str], reference: str) -> None:
    converted = SimpleNamespace(variants=[SimpleNamespace(name=name) for name in ("torch-fp32", "onnx-fp32")])
    records = [
        SimpleNamespace(candidate=SimpleNamespace(placed=SimpleNamespace(variant=SimpleNamespace(name=name))))
        for name in measured
    ]
    assert reference_of(converted, records) == reference


def test_the_preprocessing_is_timed_on_the_device(project: Project) -> None:
    found = row(project.measured(project.device("board", STEADY)), "fp32")
    assert found.preprocess_ms is not None and found.preprocess_ms > 0


def test_energy_without_a_sensor_is_null_with_the_reason(project: Project) -> None:
    found = row(project.measured(project.device("board", STEADY)), "fp32")
    assert found.energy_mj is None and found.energy_reason


def test_raw_samples_of_dropped_rounds_are_kept_with_a_flag(project: Project) -> None:
    project.measured(project.device("board", f"{STEADY}&cpu_share=0.6"))
    table = parquet.read_table(project.folder / "benchmark/samples.parquet")
    assert table.column_names == ["candidate", "restart", "round", "kept", "latency_ns", "block"]
    assert len(table) > 0 and not any(table["kept"].to_pylist())


def test_the_figures_follow_from_the_raw_samples(project: Project) -> None:
    found = row(project.measured(project.device("board", "latency_us=5000,6000,7000")), "fp32")
    table = parquet.read_table(project.folder / "benchmark/samples.parquet").to_pylist()
    raw = [r["latency_ns"] for r in table if r["kept"] and r["candidate"] == found.candidate]
    assert found.latency is not None
    assert (found.latency.samples, found.latency.maximum_ms) == (len(raw), max(raw) / 1e6)


def test_the_report_is_the_one_that_was_written(project: Project) -> None:
    report = project.measured(project.device("board", STEADY))
    assert BenchmarkReport.read(project.folder / "benchmark/report.json") == report


def test_metrics_hold_what_dvc_compares(project: Project) -> None:
    project.measured(project.device("board", STEADY))
    metrics = json.loads((project.folder / "benchmark/metrics.json").read_text())
    assert set(metrics["fake-int8@board-fake-1t"]) == {"accuracy", "p90_upper_ms", "size_bytes"}


def test_the_environment_is_recorded_before_and_after(project: Project) -> None:
    found = project.measured(project.device("board", STEADY)).environments["board"]
    assert found["before"]["kernel"] == found["after"]["kernel"]


def test_standard_starts_every_candidate_three_times(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    shorter = PROFILES["quick"].model_copy(update={"restarts": 3, "rounds": 5})
    monkeypatch.setitem(PROFILES, "quick", shorter)
    found = row(project.measured(project.device("board", STEADY)), "fp32")
    assert len(found.restart_p50_ms) == 3


def test_a_refused_variant_is_not_measured(project: Project) -> None:
    path = project.folder / "quantized/variants.json"
    variants = json.loads(path.read_text())
    variants["variants"][0]["checks"] = [Check(name="min_agreement", status="fail").values()]
    path.write_text(json.dumps(variants))
    report = project.measured(project.device("board", STEADY))
    assert [r.variant for r in report.rows] == ["fake-fp32"]


def test_a_target_without_a_fitting_variant_is_a_check(project: Project) -> None:
    report = project.measured(project.device("board", STEADY), Target(runtime="onnxruntime"))
    assert [(check.name, check.status) for check in report.checks] == [("target local-onnxruntime-1t", "not evaluated")]


def test_no_fitting_target_at_all_is_refused(project: Project) -> None:
    with pytest.raises(InputFault, match="no variant is in a format that onnxruntime loads"):
        project.measured(Target(runtime="onnxruntime"))


def test_an_undeclared_device_is_refused(project: Project) -> None:
    with pytest.raises(InputFault, match="no device named 'nowhere'"):
        project.measured(Target(device="nowhere", runtime="fake"))


def test_a_changed_model_file_is_refused(project: Project) -> None:
    with (project.folder / "quantized/fake-int8.json").open("a") as file:
        file.write(" ")
    with pytest.raises(ModelFault, match="not the file that was recorded"):
        project.measured(project.device("board", STEADY))


def test_a_changed_sample_is_refused(project: Project) -> None:
    (project.folder / "dataset/03.png").write_bytes(b"another")
    with pytest.raises(DataFault, match="has changed since prepare_data"):
        project.measured(project.device("board", STEADY))


def test_no_accepted_sample_of_val_is_refused(project: Project) -> None:
    import pyarrow as pa

    parquet.write_table(pa.table({"id": pa.array([], pa.string())}), project.folder / "validation/accepted.parquet")
    with pytest.raises(DataFault, match="no accepted sample in val"):
        project.measured(project.device("board", STEADY))


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_measured(project: Project) -> None:
    (project.folder / "benchmark").mkdir()
    (project.folder / ".benchmark.partial").write_text("a file in the way")
    asked: list[float] = []
    with pytest.raises(EnvironmentFault):
        project.measured(project.device("board", f"{STEADY}&cpu_share=0.6"), sleep=asked.append)
    assert asked == []


def test_a_throttled_device_is_invalid(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = itertools.count()
    cool = read_environment()

    def hotter() -> Environment:
        return cool.model_copy(update={"throttle_count": next(counts)})

    monkeypatch.setattr(resident, "read_environment", hotter)
    found = row(project.measured(project.device("board", STEADY)), "fp32")
    assert found.status == "invalid" and found.reason.startswith("throttled")


def test_a_device_that_is_lost_while_it_tells_of_operators_keeps_its_measurements(project: Project) -> None:
    found = row(project.measured(project.device("board", f"{STEADY}&fault=lost&at=placement")), "fp32")
    assert found.placement is None
    assert found.latency is not None


def test_a_variant_that_could_not_be_made_is_in_the_report(project: Project) -> None:
    path = project.folder / "converted/variants.json"
    variants = json.loads(path.read_text())
    unmade = UnmadeVariant(name="x-fp32", format="x", precision="fp32", made_from="fake-fp32", reason="no GPU")
    variants["unmade"] = [unmade.values()]
    path.write_text(json.dumps(variants))
    assert project.measured(project.device("board", STEADY)).unmade == (unmade,)
