import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import helper, numpy_helper

from edgeloop.canonical import sha256_of_file
from edgeloop.errors import DeviceFault
from edgeloop.runtimes.onnxruntime import plugin as runtime


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_pool_has_the_threads_that_were_asked_for(tmp_path: Path, onnx_file, threads: int) -> None:
    path = onnx_file(tmp_path / "m.onnx", [helper.make_node("Neg", ["input"], ["logits"])], ["input"])
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


def test_what_computes_in_float_between_int8_operators_is_named(tmp_path: Path, onnx_file) -> None:
    """A product in int8, then a softmax that ONNX Runtime has in float only."""
    values = [
        numpy_helper.from_array(np.float32(0.1), "s"),
        numpy_helper.from_array(np.int8(0), "z"),
        numpy_helper.from_array(np.eye(4, dtype=np.int8), "w"),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", ["input", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["x"]),
        helper.make_node("DequantizeLinear", ["w", "s", "z"], ["wf"]),
        helper.make_node("MatMul", ["x", "wf"], ["h"], name="product"),
        helper.make_node("QuantizeLinear", ["h", "s", "z"], ["hq"]),
        helper.make_node("DequantizeLinear", ["hq", "s", "z"], ["hf"]),
        helper.make_node("Erf", ["hf"], ["logits"], name="curve"),
    ]
    path = onnx_file(tmp_path / "m.onnx", nodes, ["input"], weights=tuple(values))
    found = runtime.open(path, threads=1).placement(np.zeros((1, 4), np.float32))
    assert set(found.providers) == {"CPUExecutionProvider"}
    assert found.precisions in ({"float32": 1, "int8": 1}, {"float32": 1, "uint8": 1})  # x86 shifts int8 to uint8
    assert found.fell_back == ("Erf curve: float32",)


def test_telling_leaves_no_file(tmp_path: Path, onnx_file, monkeypatch) -> None:
    path = onnx_file(tmp_path / "m.onnx", [helper.make_node("Neg", ["input"], ["logits"])], ["input"])
    monkeypatch.chdir(tmp_path)
    runtime.open(path, threads=1).placement(np.zeros((1, 4), np.float32))
    assert [left.name for left in tmp_path.iterdir()] == ["m.onnx"]
