from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

FLOAT = TensorProto.FLOAT


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


@pytest.fixture
def onnx_file():
    """Writes an ONNX file of nodes that make `logits`: path, nodes, names of the inputs, element type, weights."""
    return write


@pytest.fixture
def outside_tensor():
    """A tensor `w` whose values lie in the file of that name."""
    return outside
