from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def constant(values, kind, name: str) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, kind), name)


def float_model(shape: tuple = ("N", 4)) -> onnx.ModelProto:
    ports = [helper.make_tensor_value_info(name, FLOAT, list(shape)) for name in ("input", "logits")]
    nodes = [
        helper.make_node("MatMul", ["input", "w"], ["h"], name="product"),
        helper.make_node("Relu", ["h"], ["logits"], name="rectifier"),
    ]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], [constant(np.eye(4), "f", "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def quantized_model(
    *, scale=0.1, zero_point=0, kind=np.int8, weight_scales=(0.1,) * 3, axis: int = 0, bias: bool = False
) -> onnx.ModelProto:
    """N, 2, 4, 4 → N, 3, 4, 4 by one convolution between Q and DQ."""
    values = [
        constant(scale, "f", "s"), constant(zero_point, kind, "z"), constant(weight_scales, "f", "ws"),
        constant(np.zeros(len(weight_scales)), np.int8, "wz"), constant(np.ones((3, 2, 1, 1)), np.int8, "w"),
    ]  # fmt: skip
    nodes = [
        helper.make_node("QuantizeLinear", ["input", "s", "z"], ["q"], name="q"),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["x"], name="dq"),
        helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["wf"], name="wdq", axis=axis),
        helper.make_node("Conv", ["x", "wf", *(["bf"] if bias else [])], ["logits"], name="conv"),
    ]
    if bias:
        values += [constant(np.ones(3), np.int8, "b")]
        nodes.insert(3, helper.make_node("DequantizeLinear", ["b", "s", "z"], ["bf"], name="bdq"))
    ports = [
        helper.make_tensor_value_info("input", FLOAT, ["N", 2, 4, 4]),
        helper.make_tensor_value_info("logits", FLOAT, ["N", 3, 4, 4]),
    ]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


@pytest.fixture
def floats() -> onnx.ModelProto:
    """N, 4 → N, 4 by a product and a rectifier."""
    return float_model()


@pytest.fixture
def model_of():
    """A float model of that shape."""
    return float_model


@pytest.fixture
def quantized():
    """A quantized model, sound unless something is passed."""
    return quantized_model


@pytest.fixture
def source() -> Path:
    """The name of a file in errors."""
    return Path("mine.onnx")
