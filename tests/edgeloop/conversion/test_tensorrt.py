"""Without TensorRT, as everywhere it is not installed; and with the played one."""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from edgeloop.__main__ import app
from edgeloop.benchmarking import BenchmarkReport
from edgeloop.conversion import Converted, ConvertParams, NotMade, convert
from edgeloop.conversion.tensorrt import plugin as converter
from edgeloop.errors import ModelFault
from edgeloop.own_files.conversion import UnmadeFile, convert_file
from edgeloop.selection import SelectParams, chosen
from edgeloop.variants import UnmadeVariant, VariantSet


@pytest.fixture
def source(tmp_path: Path) -> Path:
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 4]) for name in ("input", "logits")]
    values = numpy_helper.from_array(np.eye(4, dtype=np.float32), "w")
    nodes = [helper.make_node("MatMul", ["input", "w"], ["logits"], name="product")]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], [values])
    path = tmp_path / "mine.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def absent(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)


def made(source: Path, **changes) -> Converted | NotMade:
    params = ConvertParams(**changes)
    return converter.convert(source.parent, source, target=source.with_suffix(".engine"), params=params)


def test_without_tensorrt_nothing_is_made_and_what_can_be_judged_is(absent, source: Path) -> None:
    found = made(source)
    assert isinstance(found, NotMade)
    assert found.reason.startswith("the package 'tensorrt' is not installed; install TensorRT 10 or 11")
    assert {check.name: check.status for check in found.checks} == {
        "tensorrt_opset": "pass",
        "tensorrt_operators": "pass",
    }
    assert [path.name for path in source.parent.iterdir()] == ["mine.onnx"]


@pytest.mark.parametrize("branch", [10, 11])
def test_with_tensorrt_the_file_is_the_engine_and_the_record_tells_the_gpu(tensorrt_played, source, branch) -> None:
    tensorrt_played(branch)
    found = made(source, tensorrt={"largest_batch": 4})
    assert isinstance(found, Converted)
    assert source.with_suffix(".engine").read_bytes().startswith(b"PLAYED ENGINE")
    told = found.tool.options
    assert (told["branch"], told["gpu"], told["compute_capability"], told["largest_batch"]) == (
        branch,
        "Orin",
        "8.7",
        4,
    )


def test_what_breaks_a_rule_never_meets_the_builder(tensorrt_played, source: Path) -> None:
    script = tensorrt_played(11)
    model = onnx.load(source)
    model.graph.node[0].op_type = "MatMulInteger"
    source.write_bytes(model.SerializeToString())
    with pytest.raises(ModelFault, match="no parser for: MatMulInteger"):
        made(source)
    assert not script.calls


def test_the_step_goes_on_and_records_the_format_as_not_evaluated(absent, folders, tmp_path: Path) -> None:
    params = ConvertParams(formats=("tensorrt",), parity_samples=8)
    found = convert(
        params, model=folders.model, dataset=folders.dataset, validation=folders.validation, converted=tmp_path / "c"
    )
    assert [variant.name for variant in found.variants] == ["torch-fp32", "onnx-fp32"]
    ((unmade,)) = (found.unmade,)
    assert (unmade[0].name, unmade[0].made_from) == ("tensorrt-fp32", "onnx-fp32")
    assert "not installed" in unmade[0].reason
    assert VariantSet.of(tmp_path / "c") == found


@pytest.mark.slow
def test_with_tensorrt_the_engine_is_compared_with_the_trained_model(tensorrt_played, folders, tmp_path) -> None:
    tensorrt_played(10)
    params = ConvertParams(formats=("tensorrt",), parity_samples=8)
    found = convert(
        params, model=folders.model, dataset=folders.dataset, validation=folders.validation, converted=tmp_path / "c"
    )
    engine = found.variants[-1]
    assert (engine.name, engine.file, engine.accepted) == ("tensorrt-fp32", "tensorrt-fp32.engine", True)
    assert {check.name for check in engine.checks} == {"tensorrt_opset", "tensorrt_operators", "parity_logits"}


def test_a_file_of_the_users_own_is_not_evaluated_and_nothing_is_written(source: Path) -> None:
    """In a process of its own, where nothing is played."""
    found = convert_file(source, to="tensorrt")
    if not isinstance(found, UnmadeFile):
        pytest.skip("TensorRT is installed here")
    assert found.status == "not evaluated"
    assert {check.name for check in found.checks} == {"tensorrt_opset", "tensorrt_operators"}
    assert [path.name for path in source.parent.iterdir()] == ["mine.onnx"]


def test_the_command_tells_what_was_judged_without(source: Path) -> None:
    ended = CliRunner().invoke(app, ["convert", str(source), "--to", "tensorrt", "--json"])
    told = json.loads(ended.stdout)
    if "file" in told:
        pytest.skip("TensorRT is installed here")
    assert (ended.exit_code, told["status"]) == (0, "not evaluated")
    assert "install TensorRT 10 or 11" in told["reason"]


def test_selection_rejects_what_was_not_made_as_not_evaluated() -> None:
    unmade = UnmadeVariant(
        name="tensorrt-fp32", format="tensorrt", precision="fp32", made_from="onnx-fp32", reason="no GPU"
    )
    report = BenchmarkReport(protocol={}, reference="r", metric="m", environments={}, rows=(), unmade=(unmade,))
    (judged,) = chosen(report, [], SelectParams()).candidates
    assert (judged.candidate, judged.rejected, judged.reasons) == ("tensorrt-fp32", True, ("not evaluated: no GPU",))
    assert [(check.name, check.status) for check in judged.checks] == [("made", "not evaluated")]
