from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from edgeloop.onnx_files import fault_of, write_clean

PATH = "/home/somebody/secret/train.py"


def model() -> onnx.ModelProto:
    weights = numpy_helper.from_array(np.ones(4, np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("Add", ["input", "w"], ["logits"], name="add")],
        "g",
        [helper.make_tensor_value_info("input", 1, ["N", 4])],
        [helper.make_tensor_value_info("logits", 1, ["N", 4])],
        [weights],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10, producer_name="x")


def soiled() -> onnx.ModelProto:
    """The same model, with noise at every level."""
    found = model()
    branch = helper.make_graph([], "branch", [], [])
    branch.doc_string = PATH
    found.graph.node[0].attribute.append(helper.make_attribute("body", branch, doc_string=PATH))
    function = found.functions.add(name="f", domain="d", doc_string=PATH)
    function.node.add(op_type="Neg", doc_string=PATH)
    graph = found.graph
    for part in (found, graph, graph.node[0], graph.input[0], graph.initializer[0], function, function.node[0], branch):
        part.metadata_props.add(key="pkg.torch.onnx.stack_trace", value=PATH) if hasattr(
            part, "metadata_props"
        ) else None
        part.doc_string = PATH
    found.producer_version = PATH
    found.domain = PATH
    return found


def test_noise_is_cleared_at_every_level(tmp_path: Path) -> None:
    write_clean(soiled(), tmp_path / "m.onnx")
    assert PATH.encode() not in (tmp_path / "m.onnx").read_bytes()


def test_only_noise_is_cleared(tmp_path: Path) -> None:
    write_clean(model(), tmp_path / "m.onnx")
    written = onnx.load(tmp_path / "m.onnx")
    assert written.graph.node == model().graph.node
    assert written.graph.initializer == model().graph.initializer
    assert (written.ir_version, written.opset_import[0].version, written.producer_name) == (10, 18, "edgeloop")


def test_a_valid_model_has_no_fault() -> None:
    assert fault_of(model()) == ""


def test_a_model_of_wrong_shapes_has_a_fault_of_one_line() -> None:
    broken = model()
    broken.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 5
    assert fault_of(broken)
    assert "\n" not in fault_of(broken)
