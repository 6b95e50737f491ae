import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import helper, numpy_helper

from edgeloop import plugins
from edgeloop.canonical import sha256_of_file
from edgeloop.errors import DeviceFault
from edgeloop.openvino_files import convert_onnx
from edgeloop.runtimes.openvino import plugin as runtime


@pytest.fixture
def model(tmp_path: Path, onnx_file) -> Path:
    """N, 4 to N, 4 by a product and a rectifier."""
    weights = numpy_helper.from_array(np.random.default_rng(0).standard_normal((4, 4)).astype(np.float32), "w")
    nodes = [helper.make_node("MatMul", ["input", "w"], ["h"]), helper.make_node("Relu", ["h"], ["logits"])]
    return onnx_file(tmp_path / "m.onnx", nodes, ["input"], weights=(weights,))


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_it_answers_as_onnx_runtime_does(model: Path, batch: int) -> None:
    inputs = np.random.default_rng(batch).standard_normal((batch, 4), dtype=np.float32)
    answers = [r.open(model, threads=1).run(inputs) for r in (runtime, plugins.load("runtimes", "onnxruntime"))]
    np.testing.assert_allclose(answers[0]["logits"], answers[1]["logits"], rtol=1e-5, atol=1e-6)


def test_an_answer_is_not_overwritten_by_the_next(model: Path) -> None:
    session = runtime.open(model, threads=1)
    first = session.run(np.ones((1, 4), np.float32))["logits"]
    kept = first.copy()
    session.run(np.zeros((1, 4), np.float32))
    np.testing.assert_array_equal(first, kept)


def test_an_input_may_be_read_only_and_need_not_lie_in_one_piece(model: Path) -> None:
    session = runtime.open(model, threads=1)
    inputs = np.random.default_rng(0).standard_normal((3, 4), dtype=np.float32)
    expected = session.run(inputs)["logits"]
    locked = inputs.copy()
    locked.flags.writeable = False
    for given in (locked, np.asfortranarray(inputs)):
        np.testing.assert_array_equal(session.run(given)["logits"], expected)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the mapped files in /proc")
def test_the_library_of_the_state_is_one_that_is_loaded() -> None:
    state = runtime.state()
    mapped = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libopenvino.so" in line}
    assert state.library_sha256 in {sha256_of_file(Path(p)) for p in mapped}


def test_without_openvino_the_state_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    state = runtime.state()
    assert not state.available
    assert "pip install 'edgeloop[openvino]'" in state.reason


def test_without_openvino_opening_is_a_device_fault(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(DeviceFault, match="pip install"):
        runtime.open(model, threads=1)


def test_a_float_model_computes_in_float_and_nothing_fell_back(model: Path) -> None:
    found = runtime.open(model, threads=1).placement(np.zeros((3, 4), np.float32))
    assert set(found.precisions) == {"float32"}
    assert found.fell_back == ()


def test_a_model_that_asks_for_bfloat16_tells_where_it_got_float32(tmp_path: Path, model: Path) -> None:
    convert_onnx(model, tmp_path / "m.openvino", compute="bf16")
    found = runtime.open(tmp_path / "m.openvino", threads=1).placement(np.zeros((1, 4), np.float32))
    product = found.precisions.get("bfloat16", 0)
    assert product >= 1 or found.fell_back, "neither done nor told"
