import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgeloop.canonical import sha256_of_file
from edgeloop.errors import DeviceFault, ModelFault
from edgeloop.runtimes.onnxruntime import plugin as runtime

FLOAT, DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE


def tensor(name: str, kind: int = FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, ["N", 4])


def write(
    path: Path, nodes: list[onnx.NodeProto], inputs: list[str], *, kind: int = FLOAT, weights: tuple = ()
) -> Path:
    graph = helper.make_graph(nodes, "g", [tensor(name, kind) for name in inputs], [tensor("logits", kind)], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


def outside(location: str) -> onnx.TensorProto:
    """A tensor whose values lie in another file."""
    weights = TensorProto(name="w", data_type=FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", "0"), ("length", "16")):
        weights.external_data.add(key=key, value=value)
    return weights


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd", "link.bin", "sub/../../secret.bin"])
def test_weights_outside_the_folder_are_refused(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret.bin").write_bytes(np.ones(4, np.float32).tobytes())
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    path = write(
        folder / "m.onnx",
        [helper.make_node("Add", ["input", "w"], ["logits"])],
        ["input"],
        weights=(outside(location),),
    )
    with pytest.raises(ModelFault, match=r"m\.onnx"):
        runtime.open(path, threads=1)


def test_an_unknown_operator_is_a_model_fault(tmp_path: Path) -> None:
    path = write(tmp_path / "m.onnx", [helper.make_node("Evil", ["input"], ["logits"])], ["input"])
    with pytest.raises(ModelFault):
        runtime.open(path, threads=1)


def test_a_model_of_two_inputs_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "m.onnx", [helper.make_node("Add", ["a", "b"], ["logits"])], ["a", "b"])
    with pytest.raises(ModelFault, match="takes tensor"):
        runtime.open(path, threads=1)


def test_a_model_of_doubles_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "m.onnx", [helper.make_node("Neg", ["input"], ["logits"])], ["input"], kind=DOUBLE)
    with pytest.raises(ModelFault, match="double"):
        runtime.open(path, threads=1)


def test_a_failure_leaves_stdout_and_stderr_to_the_caller(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"rubbish")
    with pytest.raises(ModelFault):
        runtime.open(path, threads=1)
    session = runtime.open(write(path, [helper.make_node("Neg", ["input"], ["logits"])], ["input"]), threads=1)
    with pytest.raises(ModelFault):
        session.run(np.zeros((2, 5), dtype=np.float32))
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_pool_has_the_threads_that_were_asked_for(tmp_path: Path, threads: int) -> None:
    path = write(tmp_path / "m.onnx", [helper.make_node("Neg", ["input"], ["logits"])], ["input"])
    before = len(list(Path("/proc/self/task").iterdir()))
    session = runtime.open(path, threads=threads)
    assert len(list(Path("/proc/self/task").iterdir())) - before == threads - 1  # the caller computes too
    session.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads the mapped files in /proc")
def test_the_library_of_the_state_is_one_that_is_loaded() -> None:
    state = runtime.state()
    mapped = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if ".so" in line}
    assert state.library_sha256 in {sha256_of_file(Path(p)) for p in mapped if "onnxruntime" in p}


def test_the_state_offers_the_cpu_only() -> None:
    assert runtime.state().providers == ("CPUExecutionProvider",)


def test_without_onnxruntime_the_state_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    state = runtime.state()
    assert not state.available
    assert "pip install 'edgeloop[onnxruntime]'" in state.reason


def test_without_onnxruntime_opening_is_a_device_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DeviceFault, match="pip install"):
        runtime.open(tmp_path / "m.onnx", threads=1)
