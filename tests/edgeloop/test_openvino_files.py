import zipfile
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeloop import plugins
from edgeloop.errors import ModelFault
from edgeloop.openvino_files import TOPOLOGY, WEIGHTS, compute_type, read_ir, read_onnx, write_ir

INPUTS = np.random.default_rng(0).standard_normal((3, 4), dtype=np.float32)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """N, 4 to N, 64 by a product."""
    values = numpy_helper.from_array(np.random.default_rng(0).standard_normal((4, 64)).astype(np.float32), "w")
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", k]) for n, k in (("input", 4), ("logits", 64))]
    nodes = [helper.make_node("MatMul", ["input", "w"], ["logits"])]
    model = helper.make_model(helper.make_graph(nodes, "g", ports[:1], ports[1:], [values]), ir_version=9)
    path = tmp_path_factory.mktemp("onnx") / "m.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def archive(source: Path, tmp_path: Path) -> Path:
    write_ir(read_onnx(source), tmp_path / "m.openvino")
    return tmp_path / "m.openvino"


def answered(path: Path) -> np.ndarray:
    return plugins.load("runtimes", "openvino").open(path, threads=1).run(INPUTS)["logits"]


def test_it_answers_as_the_onnx_file_does(source: Path, archive: Path) -> None:
    np.testing.assert_array_equal(answered(archive), answered(source))


def test_the_archive_holds_the_two_files_as_openvino_writes_them(archive: Path, tmp_path: Path) -> None:
    import openvino

    zipfile.ZipFile(archive).extractall(tmp_path / "ir")
    assert [port.get_any_name() for port in openvino.Core().read_model(tmp_path / "ir" / TOPOLOGY).inputs] == ["input"]


def test_a_model_written_after_others_has_the_same_bytes(source: Path, archive: Path, tmp_path: Path) -> None:
    write_ir(read_onnx(source), tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == archive.read_bytes()


def test_halved_weights_take_half_the_place(source: Path, archive: Path, tmp_path: Path) -> None:
    write_ir(read_onnx(source), tmp_path / "half.openvino", half=True)
    sizes = [zipfile.ZipFile(path).getinfo(WEIGHTS).file_size for path in (archive, tmp_path / "half.openvino")]
    assert sizes[1] <= sizes[0] / 2 + 64


def test_what_it_is_to_be_computed_in_travels_with_the_file(source: Path, archive: Path, tmp_path: Path) -> None:
    write_ir(read_onnx(source), tmp_path / "bf16", compute="bf16")
    assert [compute_type(read_ir(path)) for path in (archive, tmp_path / "bf16")] == ["f32", "bf16"]


def test_a_packed_archive_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.openvino", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(TOPOLOGY, b"\0" * 10_000_000)
        file.writestr(WEIGHTS, b"")
    with pytest.raises(ModelFault, match="stored"):
        answered(tmp_path / "bomb.openvino")


def test_an_archive_of_other_files_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.openvino", "w") as file:
        file.writestr("../../model.xml", b"")
    with pytest.raises(ModelFault, match=TOPOLOGY):
        answered(tmp_path / "m.openvino")


def test_a_changed_weight_is_refused(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[content.index(b"model.bin") + 20] ^= 1
    archive.write_bytes(content)
    with pytest.raises(ModelFault, match="no whole archive"):
        answered(archive)
