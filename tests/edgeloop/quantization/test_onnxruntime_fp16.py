"""ONNX in float16: what is particular to that scheme."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeloop import plugins
from edgeloop.optimization.recipes import Recipe
from edgeloop.parity import sqnr_db

INPUTS = np.random.default_rng(0).standard_normal((3, 2, 4, 4), dtype=np.float32)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A convolution, enlarged twice by the same scales."""
    weights = np.random.default_rng(0).standard_normal((4, 2, 3, 3)).astype(np.float32)
    values = [
        numpy_helper.from_array(weights, "w"),
        numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales"),
    ]
    nodes = [
        helper.make_node("Conv", ["input", "w"], ["c"], pads=[1] * 4, name="conv"),
        helper.make_node("Identity", ["scales"], ["s"], name="same"),
        helper.make_node("Resize", ["c", "", "s"], ["r"], name="first"),
        helper.make_node("Resize", ["r", "", "s"], ["logits"], name="second"),
    ]
    ports = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", *sizes])
        for n, sizes in (("input", (2, 4, 4)), ("logits", (4, 16, 16)))
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "g", ports[:1], ports[1:], values),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    return tmp_path / "m.onnx"


@pytest.fixture
def made(source: Path, tmp_path: Path) -> Path:
    scheme = plugins.load("quantization", "onnxruntime_fp16")
    scheme.quantize(source, (), target=tmp_path / "half.onnx", recipe=Recipe(method=None))
    return tmp_path / "half.onnx"


def test_what_two_operators_share_is_converted_once(source: Path, made: Path) -> None:
    runtime = plugins.load("runtimes", "onnxruntime")
    whole, half = (runtime.open(path, threads=1).run(INPUTS)["logits"] for path in (source, made))
    noise_db = sqnr_db(whole, half)
    assert noise_db is not None and noise_db > 50


def test_weights_are_float16_and_both_ends_float32(made: Path) -> None:
    graph = onnx.load(made).graph
    (weights,) = (tensor for tensor in graph.initializer if tensor.name == "w")
    assert weights.data_type == TensorProto.FLOAT16
    assert {port.type.tensor_type.elem_type for port in (*graph.input, *graph.output)} == {TensorProto.FLOAT}


def test_tensorrt_s_rules_are_checked(made: Path) -> None:
    checks = plugins.load("quantization", "onnxruntime_fp16").checks(made)
    assert {check.name: check.status for check in checks} == {"tensorrt_opset": "pass", "tensorrt_operators": "pass"}
