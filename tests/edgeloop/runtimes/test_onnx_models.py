"""What every runtime that reads ONNX files does with those that are not ours."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeloop import plugins
from edgeloop.errors import ModelFault


@pytest.fixture(params=["onnxruntime", "openvino"])
def runtime(request):
    return plugins.load("runtimes", request.param)


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd", "link.bin", "sub/../../secret.bin"])
def test_weights_outside_the_folder_are_refused(
    runtime, onnx_file, outside_tensor, tmp_path: Path, location: str
) -> None:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret.bin").write_bytes(np.ones(4, np.float32).tobytes())
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    path = onnx_file(
        folder / "m.onnx",
        [helper.make_node("Add", ["input", "w"], ["logits"])],
        ["input"],
        weights=(outside_tensor(location),),
    )
    with pytest.raises(ModelFault, match=r"m\.onnx"):
        runtime.open(path, threads=1)


def test_an_unknown_operator_is_a_model_fault(runtime, onnx_file, tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "m.onnx", [helper.make_node("Evil", ["input"], ["logits"])], ["input"])
    with pytest.raises(ModelFault):
        runtime.open(path, threads=1)


def test_a_model_of_two_inputs_is_refused(runtime, onnx_file, tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "m.onnx", [helper.make_node("Add", ["a", "b"], ["logits"])], ["a", "b"])
    with pytest.raises(ModelFault, match="takes "):
        runtime.open(path, threads=1)


def test_a_model_of_doubles_is_refused(runtime, onnx_file, tmp_path: Path) -> None:
    path = onnx_file(
        tmp_path / "m.onnx", [helper.make_node("Neg", ["input"], ["logits"])], ["input"], kind=TensorProto.DOUBLE
    )
    with pytest.raises(ModelFault, match=r"double|f64"):
        runtime.open(path, threads=1)


def test_a_failure_leaves_stdout_and_stderr_to_the_caller(
    runtime, onnx_file, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"rubbish")
    with pytest.raises(ModelFault):
        runtime.open(path, threads=1)
    session = runtime.open(onnx_file(path, [helper.make_node("Neg", ["input"], ["logits"])], ["input"]), threads=1)
    with pytest.raises(ModelFault):
        session.run(np.zeros((2, 5), dtype=np.float32))
    assert capfd.readouterr() == ("", "")
