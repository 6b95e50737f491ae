"""Against the played TensorRT and GPU: no engine was ever run here by the real ones."""

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from edgeloop import plugins
from edgeloop.errors import DeviceFault, ModelFault
from edgeloop.runtimes.tensorrt import plugin as runtime
from edgeloop.tensorrt_engines import EngineOptions
from edgeloop.tensorrt_engines.building import built
from edgeloop.tensorrt_engines.installation import installed


@pytest.fixture
def model(tmp_path: Path, onnx_file) -> Path:
    """N, 4 to N, 4 by a product and a rectifier."""
    weights = numpy_helper.from_array(np.random.default_rng(0).standard_normal((4, 4)).astype(np.float32), "w")
    nodes = [helper.make_node("MatMul", ["input", "w"], ["h"]), helper.make_node("Relu", ["h"], ["logits"])]
    return onnx_file(tmp_path / "m.onnx", nodes, ["input"], weights=(weights,))


@pytest.fixture(params=[10, 11])
def script(request, tensorrt_played):
    return tensorrt_played(request.param)


def engine(model: Path, **options) -> Path:
    path = model.with_suffix(".engine")
    path.write_bytes(built(model.read_bytes(), EngineOptions(**options), where=model, here=installed()))
    return path


def test_without_tensorrt_the_state_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    state = runtime.state()
    assert not state.available
    assert state.reason.startswith("the package 'tensorrt' is not installed; install TensorRT 10 or 11")


def test_without_tensorrt_opening_is_a_device_fault(model: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(DeviceFault, match="tensorrt: the package 'tensorrt' is not installed"):
        runtime.open(model, threads=1)


def test_the_state_names_version_and_gpu(script) -> None:
    state = runtime.state()
    assert (state.available, state.version) == (True, script.module.__version__)
    assert state.providers == ("Orin, compute capability 8.7",)


@pytest.mark.parametrize("batch", [1, 3, 70])
def test_it_answers_as_onnx_runtime_does(script, model: Path, batch: int) -> None:
    inputs = np.random.default_rng(batch).standard_normal((batch, 4), dtype=np.float32)
    answers = [r.open(model, threads=1).run(inputs) for r in (runtime, plugins.load("runtimes", "onnxruntime"))]
    np.testing.assert_allclose(answers[0]["logits"], answers[1]["logits"], rtol=1e-5, atol=1e-6)


def test_an_engine_is_opened_without_a_builder(script, model: Path) -> None:
    path = engine(model)
    script.calls.clear()
    runtime.open(path, threads=1)
    assert not script.called("build_serialized_network")


def test_a_batch_below_the_engines_is_refused(script, model: Path) -> None:
    session = runtime.open(engine(model, least_batch=2, usual_batch=2, largest_batch=4), threads=1)
    assert session.run(np.zeros((6, 4), np.float32))["logits"].shape == (6, 4)
    with pytest.raises(ModelFault, match="it takes float32 of 2 to 4"):
        session.run(np.zeros((5, 4), np.float32))


def test_an_engine_of_one_batch_size_answers_any_batch_in_parts(script, model: Path) -> None:
    fixed = onnx.load(model)
    for value in (*fixed.graph.input, *fixed.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 2
    model.write_bytes(fixed.SerializeToString())
    session = runtime.open(model, threads=1)
    assert session.run(np.zeros((6, 4), np.float32))["logits"].shape == (6, 4)
    with pytest.raises(ModelFault, match="it takes float32 of 2 to 2"):
        session.run(np.zeros((1, 4), np.float32))


def test_closing_gives_the_gpu_its_memory_back(script, model: Path) -> None:
    session = runtime.open(model, threads=1)
    assert script.gpu.memory
    session.close()
    session.close()
    assert not script.gpu.memory


def test_a_refused_engine_leaves_no_memory(script, model: Path) -> None:
    path = model.with_suffix(".engine")
    path.write_bytes(b"rubbish")
    with pytest.raises(ModelFault, match="is no engine"):
        runtime.open(path, threads=1)
    assert script.gpu.calls.count("cuDevicePrimaryCtxRelease_v2") == 1


def test_a_model_of_other_types_is_refused(script, tmp_path: Path, onnx_file) -> None:
    path = onnx_file(tmp_path / "m.onnx", [helper.make_node("Neg", ["input"], ["logits"])], ["input"], kind=7)
    with pytest.raises(ModelFault, match="takes and gives input: INT64"):
        runtime.open(path, threads=1)


def test_where_the_layers_compute_is_told(script, model: Path) -> None:
    script.layers = [{"Name": "product", "LayerType": "MatrixMultiply", "Inputs": [{"DataType": "Float"}]}]
    session = runtime.open(model, threads=1)
    assert session.placement(np.zeros((1, 4), np.float32)).precisions == {"float32": 1}
