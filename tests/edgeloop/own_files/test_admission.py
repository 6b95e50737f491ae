"""Hostile ONNX files, each a fixture of its name: refused by one clear line, nothing executed, nothing read outside."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgeloop.errors import InputFault, ModelFault
from edgeloop.own_files.admission import admitted

FLOAT = TensorProto.FLOAT
VALUES = np.arange(4, dtype=np.float32)


def built(nodes: list[NodeProto], *, values: tuple[TensorProto, ...] = (), shape: tuple = ("N", 4)) -> ModelProto:
    ports = [helper.make_tensor_value_info(name, FLOAT, list(shape)) for name in ("input", "logits")]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def adding(tensor: TensorProto) -> ModelProto:
    return built([helper.make_node("Add", ["input", "w"], ["logits"])], values=(tensor,))


def outside(location: str) -> TensorProto:
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", "0"), ("length", "16")):
        tensor.external_data.add(key=key, value=value)
    return tensor


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The model's folder, with a file of values beside it and one outside of it."""
    found = tmp_path / "model"
    (found / "sub").mkdir(parents=True)
    for file in (tmp_path / "secret.bin", found / "values.bin"):
        file.write_bytes(VALUES.tobytes())
    (found / "link.bin").symlink_to(tmp_path / "secret.bin")
    return found


def written(model: ModelProto, folder: Path) -> Path:
    path = folder / "m.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def wide_tensor(*sizes: int) -> TensorProto:
    return TensorProto(name="w", data_type=FLOAT, dims=sizes, raw_data=VALUES.tobytes())


def cyclic() -> ModelProto:
    return built([helper.make_node("Add", ["input", "logits"], ["h"]), helper.make_node("Relu", ["h"], ["logits"])])


def cyclic_inside() -> ModelProto:
    """The cycle lies in the branch of a condition."""
    nodes = [helper.make_node("Add", ["a", "b"], ["a"], name="inner"), helper.make_node("Relu", ["a"], ["b"])]
    branch = GraphProto(name="branch", node=nodes)
    branch.output.append(helper.make_tensor_value_info("b", FLOAT, [1]))
    node = helper.make_node("If", ["input"], ["logits"])
    node.attribute.extend(
        AttributeProto(name=name, type=AttributeProto.GRAPH, g=branch) for name in ("then_branch", "else_branch")
    )
    return built([node])


def custom_operator() -> ModelProto:
    model = built([helper.make_node("Exec", ["input"], ["logits"], domain="my.kernels")])
    model.opset_import.append(helper.make_opsetid("my.kernels", 1))
    return model


HOSTILE: dict[str, tuple[Callable[[], ModelProto], str]] = {
    "external_data_above": (lambda: adding(outside("../secret.bin")), "outside its folder"),
    "external_data_absolute": (lambda: adding(outside("/etc/passwd")), "outside its folder"),
    "external_data_by_link": (lambda: adding(outside("link.bin")), "outside its folder"),
    "external_data_by_detour": (lambda: adding(outside("sub/../../secret.bin")), "outside its folder"),
    "external_data_missing": (lambda: adding(outside("none.bin")), "there is no such file"),
    "external_data_folder": (lambda: adding(outside("sub")), "there is no such file"),
    "external_data_nowhere": (lambda: adding(outside("")), "outside its folder"),
    "huge_initialiser": (lambda: adding(wide_tensor(1 << 20, 1 << 20)), "as no model has"),
    "negative_initialiser": (lambda: adding(wide_tensor(-4, -1)), "as no model has"),
    "empty_handed_initialiser": (lambda: adding(wide_tensor(1000)), "and it holds others"),
    "unknown_type": (
        lambda: adding(TensorProto(name="w", data_type=99, dims=[4], raw_data=VALUES.tobytes())), "unknown type"
    ),
    "absurd_dimensions": (
        lambda: built([helper.make_node("Relu", ["input"], ["logits"])], shape=(1, 1 << 40)), "as no model has"
    ),
    "cycle": (cyclic, "has a cycle"),
    "cycle_in_a_branch": (cyclic_inside, "has a cycle: 'inner'"),
    "custom_operator": (custom_operator, "'Exec' of my.kernels"),
    "misspelt_operator": (lambda: built([helper.make_node("Reluu", ["input"], ["logits"])]), "'Reluu' of ONNX"),
    "empty": (ModelProto, "holds no node"),
    "without_output": (
        lambda: helper.make_model(helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [], [])),
        "holds no node or no output",
    ),
    "undefined_input": (lambda: built([helper.make_node("Relu", ["none"], ["logits"])]), "is not valid ONNX"),
}  # fmt: skip


@pytest.fixture(params=sorted(HOSTILE))
def hostile(request: pytest.FixtureRequest, folder: Path) -> tuple[Path, str]:
    make, why = HOSTILE[request.param]
    return written(make(), folder), why


def test_a_hostile_file_is_refused_by_one_line_that_says_why(hostile: tuple[Path, str]) -> None:
    path, why = hostile
    with pytest.raises(ModelFault) as caught:
        admitted(path)
    assert why in caught.value.line()
    assert "m.onnx" in caught.value.line() and "\n" not in caught.value.line()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_truncated_protobuf_is_refused(folder: Path, share: float) -> None:
    path = written(adding(numpy_helper.from_array(VALUES, "w")), folder)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ModelFault, match="ONNX"):
        admitted(path)


def test_a_pickle_is_refused_and_not_executed(folder: Path) -> None:
    trap = folder / "executed"

    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (trap,)

    (folder / "m.onnx").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ModelFault, match="ONNX"):
        admitted(folder / "m.onnx")
    assert not trap.exists()


def test_graphs_nested_without_end_are_refused(folder: Path) -> None:
    """Written by hand: the library cannot build what it does not read."""
    content = b""
    for _ in range(500):
        for field in (6, 5, 1):  # a graph in an attribute in a node of a graph
            content = field_of(field, content)
    (folder / "m.onnx").write_bytes(field_of(7, content))
    with pytest.raises(ModelFault, match="is no whole ONNX file"):
        admitted(folder / "m.onnx")


def field_of(number: int, content: bytes) -> bytes:
    """A length-delimited field of protobuf."""
    length, size = b"", len(content)
    while size > 127:
        length += bytes([size % 128 + 128])
        size //= 128
    return bytes([number * 8 + 2]) + length + bytes([size]) + content


def test_a_missing_file_is_an_input_fault(tmp_path: Path) -> None:
    with pytest.raises(InputFault, match="does not exist"):
        admitted(tmp_path / "none.onnx")


def test_values_beside_the_model_are_taken_in(folder: Path) -> None:
    model = admitted(written(adding(outside("values.bin")), folder))
    (tensor,) = model.graph.initializer
    np.testing.assert_array_equal(numpy_helper.to_array(tensor), VALUES)
    assert tensor.data_location == TensorProto.DEFAULT


def test_a_function_of_the_model_s_own_is_no_custom_operator(folder: Path) -> None:
    model = built([helper.make_node("Twice", ["input"], ["logits"], domain="own")])
    model.opset_import.append(helper.make_opsetid("own", 1))
    body = [helper.make_node("Add", ["x", "x"], ["y"])]
    model.functions.append(
        helper.make_function("own", "Twice", ["x"], ["y"], body, [helper.make_opsetid("", 18)])
    )  # fmt: skip
    assert isinstance(admitted(written(model, folder)), onnx.ModelProto)
