"""`bench_file`: one file on this machine, in real processes."""

import json
from pathlib import Path

import numpy as np
import pytest

from edgeloop.benchmarking.profiles import PROFILES
from edgeloop.benchmarking.single import bench_file
from edgeloop.devices import LOCAL, Device
from edgeloop.errors import InputFault, ModelFault, PluginFault

INPUTS = np.zeros((4, 1, 4, 4), np.float32)
SIMULATED = Device(name="sim", device_class="board", transport="fake", address="latency_us=6000")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.fake"
    path.write_text(json.dumps({"outputs": {"logits": 3}}))
    return path


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds of a moment, for tests that do not look at the timing."""
    moment = {"rounds": 2, "extra_rounds": 0, "round_ms": 1, "warm_up_ms": 1, "warm_up_limit_ms": 1}
    monkeypatch.setitem(PROFILES, "quick", PROFILES["quick"].model_copy(update=moment))


def test_a_file_that_stands_alone_is_measured(model: Path) -> None:
    row, environment = bench_file(model, device=SIMULATED, runtime="fake", inputs=INPUTS)
    assert (row.status, row.candidate) == ("pass", "model@sim-fake-1t")
    assert row.latency is not None and row.latency.p50.value_ms == pytest.approx(6, rel=0.01)
    assert environment["before"]["kernel"]


def test_there_is_no_accuracy_without_labels_and_the_reason_is_told(model: Path) -> None:
    row, _ = bench_file(model, device=SIMULATED, runtime="fake", inputs=INPUTS)
    assert (row.accuracy, row.accuracy_reason) == (None, "measured without labelled samples")


def test_a_process_of_this_machine_tells_its_peak_memory(tmp_path: Path, short: None) -> None:
    peaks = []
    for held_bytes in (0, 64 << 20):
        path = tmp_path / f"model-{held_bytes}.fake"
        path.write_text(json.dumps({"outputs": {"logits": 3}, "memory_bytes": held_bytes}))
        row, _ = bench_file(path, device=LOCAL, runtime="fake", inputs=INPUTS, sleep=lambda _: None)
        peaks.append(row.peak_memory_bytes)
    assert peaks[0] is not None and peaks[1] is not None
    assert peaks[1] - peaks[0] == pytest.approx(64 << 20, rel=0.1)


def test_a_model_that_takes_the_core_from_itself_is_contended(tmp_path: Path, short: None) -> None:
    path = tmp_path / "sleepy.fake"
    path.write_text(json.dumps({"outputs": {"logits": 3}, "latencies_ms": [5.0], "busy": False}))
    row, _ = bench_file(path, device=LOCAL, runtime="fake", inputs=INPUTS, sleep=lambda _: None)
    assert row.status == "invalid" and row.reason.startswith("contended")


def test_a_file_that_the_runtime_cannot_load_is_an_invalid_row(tmp_path: Path, short: None) -> None:
    path = tmp_path / "broken.fake"
    path.write_text("rubbish")
    row, _ = bench_file(path, device=LOCAL, runtime="fake", inputs=INPUTS)
    assert row.status == "invalid" and "is not JSON" in row.reason


def test_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFault, match="does not exist"):
        bench_file(tmp_path / "gone.onnx", device=LOCAL)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFault, match="is a folder"):
        bench_file(tmp_path, device=LOCAL)


def test_an_unknown_runtime_is_refused(model: Path) -> None:
    with pytest.raises(PluginFault, match="did you mean onnxruntime"):
        bench_file(model, device=LOCAL, runtime="onnxruntim")


def test_a_format_of_another_runtime_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"rubbish")
    with pytest.raises(InputFault, match="torch does not load onnx; use onnxruntime"):
        bench_file(tmp_path / "model.onnx", device=LOCAL, runtime="torch")


def test_a_single_file_has_no_ratio(model: Path) -> None:
    assert bench_file(model, device=SIMULATED, runtime="fake", inputs=INPUTS)[0].latency_ratio is None


def test_a_complaint_names_the_file_and_not_where_it_was_copied_to(tmp_path: Path, short: None) -> None:
    path = tmp_path / "broken.fake"
    path.write_text("rubbish")
    assert bench_file(path, device=LOCAL, runtime="fake", inputs=INPUTS)[0].reason.startswith("broken.fake: ")


def test_a_file_whose_input_shape_nobody_knows_is_refused(model: Path) -> None:
    with pytest.raises(InputFault, match=r"put model\.json beside it"):
        bench_file(model, device=LOCAL, runtime="fake")


def test_what_only_is_called_onnx_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"rubbish")
    with pytest.raises(ModelFault, match="is no ONNX model"):
        bench_file(path, device=LOCAL)


@pytest.mark.slow
def test_an_onnx_file_is_measured_by_onnx_runtime(tmp_path: Path, short: None) -> None:
    import onnx
    from onnx import TensorProto, helper

    weights = np.ones((300, 300), np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 300, 300])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 300, 300])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, tmp_path / "m.onnx")
    row, _ = bench_file(tmp_path / "m.onnx", device=LOCAL, sleep=lambda _: None)
    assert row.status == "pass" or row.reason.startswith("contended"), row.reason
    assert row.runtime_version and row.load_ms and row.peak_memory_bytes
