"""`edgeloop convert`: a file of the user's own."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from edgeloop.__main__ import app
from edgeloop.errors import InputFault, ModelFault
from edgeloop.own_files.conversion import convert_file, random_inputs

FLOAT = TensorProto.FLOAT


def model_of(nodes: list[onnx.NodeProto], shape: list, values: tuple = ()) -> onnx.ModelProto:
    ports = [helper.make_tensor_value_info(name, FLOAT, shape) for name in ("input", "logits")]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    values = numpy_helper.from_array(np.eye(4, dtype=np.float32), "w")
    path = tmp_path / "mine.onnx"
    path.write_bytes(
        model_of([helper.make_node("MatMul", ["input", "w"], ["logits"])], ["N", 4], (values,)).SerializeToString()
    )
    return path


def test_the_command_writes_the_file_and_tells_how_near_it_is(source: Path) -> None:
    ended = CliRunner().invoke(app, ["convert", str(source), "--to", "openvino", "--json"])
    told = json.loads(ended.stdout)
    assert ended.exit_code == 0
    assert told["file"] == str(source.with_suffix(".openvino")) and source.with_suffix(".openvino").is_file()
    assert {check["name"]: check["status"] for check in told["checks"]} == {"parity_logits": "pass"}


def test_a_format_that_is_not_made_of_onnx_says_so(source: Path) -> None:
    with pytest.raises(InputFault, match="onnx is made of torch, not of ONNX; use one of: openvino"):
        convert_file(source, to="onnx")


def test_a_refused_file_leaves_nothing(source: Path) -> None:
    source.write_bytes(source.read_bytes()[:-9])
    with pytest.raises(ModelFault, match=r"mine\.onnx: is no whole ONNX file"):
        convert_file(source, to="openvino")
    assert [path.name for path in source.parent.iterdir()] == ["mine.onnx"]


def test_a_file_that_makes_much_of_little_is_stopped_at_the_limit(tmp_path: Path) -> None:
    """A constant of 64 GB that is written as two numbers."""
    sizes = numpy_helper.from_array(np.array([1 << 17, 1 << 17], np.int64), "sizes")
    nodes = [
        helper.make_node("ConstantOfShape", ["sizes"], ["much"]),
        helper.make_node("ReduceSum", ["much"], ["one"], keepdims=0),
        helper.make_node("Add", ["input", "one"], ["logits"]),
    ]
    path = tmp_path / "hog.onnx"
    path.write_bytes(model_of(nodes, ["N", 4], (sizes,)).SerializeToString())
    with pytest.raises(ModelFault, match=r"hog\.onnx"):
        convert_file(path, to="openvino", memory_bytes=4 << 30)
    assert [path.name for path in tmp_path.iterdir()] == ["hog.onnx"]


@pytest.mark.parametrize(
    ("shape", "expected"), [(["N", 3, 2], (4, 3, 2)), ([1, 3], (1, 3)), (["N", "F"], None), ([], None)]
)
def test_random_inputs_have_the_shape_of_the_model(shape: list, expected: tuple | None) -> None:
    inputs = random_inputs(model_of([helper.make_node("Relu", ["input"], ["logits"])], shape), 4)
    assert (None if inputs is None else inputs.shape) == expected
