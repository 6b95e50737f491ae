"""Bias correction against what it stands for: the mean that rounded weights take from the outputs."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeloop.optimization.biases import STEPS, InputMeans, correct_biases
from edgeloop.optimization.sessions import session_of

RNG = np.random.default_rng(0)
LAYERS = ("Conv", "Gemm")


def model(kind: str) -> onnx.ModelProto:
    """One layer with weights that int8 rounds badly: one large value a row."""
    if kind == "Gemm":
        weights, shape, attributes = RNG.normal(size=(5, 6)), [1, 6], {"transB": 1}
    else:
        groups = 3 if kind == "grouped" else 1
        weights, shape, attributes = RNG.normal(size=(6, 6 // groups, 1, 1)), [1, 6, 4, 4], {"group": groups}
    weights.reshape(len(weights), -1)[:, 0] = 40
    nodes = [helper.make_node("Gemm" if kind == "Gemm" else "Conv", ["x", "w", "b"], ["y"], name="l", **attributes)]
    values = [
        numpy_helper.from_array(weights.astype(np.float32), "w"),
        numpy_helper.from_array(RNG.normal(size=len(weights)).astype(np.float32), "b"),
    ]
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    outputs = [helper.make_empty_tensor_value_info("y")]
    outputs[0].type.tensor_type.elem_type = TensorProto.FLOAT
    graph = helper.make_graph(nodes, "g", ports, outputs, values)
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)])


def with_rounded_weights(float_model: onnx.ModelProto) -> onnx.ModelProto:
    rounded = onnx.ModelProto()
    rounded.CopyFrom(float_model)
    tensor = next(tensor for tensor in rounded.graph.initializer if tensor.name == "w")
    weights = numpy_helper.to_array(tensor)
    rows = weights.reshape(len(weights), -1)
    step = np.abs(rows).max(axis=1, keepdims=True) / STEPS
    tensor.CopyFrom(numpy_helper.from_array((np.round(rows / step) * step).reshape(weights.shape), "w"))
    return rounded


@pytest.mark.parametrize("kind", ["Gemm", "plain", "grouped"])
def test_the_mean_of_the_outputs_is_that_of_float(kind: str) -> None:
    network = model(kind)
    shape = [dimension.dim_value for dimension in network.graph.input[0].type.tensor_type.shape.dim]
    inputs = [RNG.uniform(1, 2, size=shape).astype(np.float32) for _ in range(20)]
    means = InputMeans(network, LAYERS)
    for one in inputs:
        means.add(one)

    def mean_output(candidate: onnx.ModelProto) -> np.ndarray:
        session = session_of(candidate.SerializeToString())
        found = np.mean([session.run(None, {"x": one})[0] for one in inputs], axis=0)
        return found.mean(axis=tuple(range(2, found.ndim)))

    apart = np.abs(mean_output(with_rounded_weights(network)) - mean_output(network)).max()
    left = np.abs(mean_output(with_rounded_weights(correct_biases(network, means))) - mean_output(network)).max()
    assert apart > 0.05
    assert left < 1e-4


def test_the_model_is_left_as_it_was() -> None:
    network = model("plain")
    before = network.SerializeToString()
    means = InputMeans(network, LAYERS)
    means.add(np.ones((1, 6, 4, 4), np.float32))
    correct_biases(network, means)
    assert network.SerializeToString() == before
