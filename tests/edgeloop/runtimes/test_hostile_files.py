"""Hostile files of the formats that are not ONNX, each a fixture of its name: a fault of one line, nothing followed."""

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeloop import plugins
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import ModelFault
from edgeloop.models import CARD_FILE, ModelCard
from edgeloop.openvino_files import TOPOLOGY, WEIGHTS, read_ir, read_onnx, write_ir


@pytest.fixture(scope="module")
def ir(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    """Topology and weights of N, 4 to N, 64 by a product."""
    pytest.importorskip("openvino")
    folder = tmp_path_factory.mktemp("ir")
    values = numpy_helper.from_array(np.ones((4, 64), np.float32), "w")
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", k]) for n, k in (("input", 4), ("logits", 64))]
    nodes = [helper.make_node("MatMul", ["input", "w"], ["logits"])]
    model = helper.make_model(helper.make_graph(nodes, "g", ports[:1], ports[1:], [values]), ir_version=9)
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    write_ir(read_onnx(folder / "m.onnx"), folder / "m.openvino")
    with zipfile.ZipFile(folder / "m.openvino") as archive:
        return archive.read(TOPOLOGY).decode(), archive.read(WEIGHTS)


def declared(text: str) -> Callable[[str], str]:
    """The topology behind a declaration of its own."""
    return lambda topology: topology.replace("<net ", f"{text}<net ", 1).replace('name="input"', 'name="&x;"')


LAUGHS = "".join(f'<!ENTITY {b} "{f"&{a};" * 100}">' for a, b in zip("abcdefgh", "bcdefghx", strict=True))
TOPOLOGIES: dict[str, Callable[[str], str]] = {
    "unknown_operator": lambda topology: topology.replace('type="MatMul"', 'type="Exec"'),
    "operator_of_an_extension": lambda topology: topology.replace('version="opset1"', 'version="../evil.so"'),
    "values_behind_the_end": lambda topology: topology.replace('size="1024"', 'size="99999999999"'),
    "values_from_behind_the_end": lambda topology: topology.replace('offset="0"', 'offset="99999999999"'),
    "absurd_dimensions": lambda topology: topology.replace('shape="4, 64"', 'shape="4611686018427387904, 64"'),
    "negative_dimensions": lambda topology: topology.replace('shape="4, 64"', 'shape="-4, -64"'),
    "cycle": lambda topology: topology.replace('from-layer="0"', 'from-layer="2"'),
    "truncated": lambda topology: topology[: len(topology) // 2],
}


@pytest.mark.parametrize("name", sorted(TOPOLOGIES))
def test_a_hostile_topology_is_a_fault_of_one_line(name: str, ir: tuple[str, bytes], tmp_path: Path) -> None:
    changed = TOPOLOGIES[name](ir[0])
    assert changed != ir[0]
    refused(archived(tmp_path, changed, ir[1]), "openvino")


@pytest.mark.parametrize(
    "text",
    [f'<!DOCTYPE net [<!ENTITY a "ha">{LAUGHS}]>', '<!DOCTYPE net [<!ENTITY x SYSTEM "file:///etc/passwd">]>'],
    ids=["entities_without_end", "entity_of_a_file"],
)
def test_entities_are_not_followed(text: str, ir: tuple[str, bytes], tmp_path: Path) -> None:
    model = read_ir(archived(tmp_path, declared(text)(ir[0]), ir[1]))
    assert model.inputs[0].get_node().get_friendly_name() == "&x;"


def test_an_archive_that_is_longer_on_paper_is_a_fault_of_one_line(ir: tuple[str, bytes], tmp_path: Path) -> None:
    path = archived(tmp_path, *ir)
    content = path.read_bytes()
    wide = content.replace(struct.pack("<I", len(ir[1])), struct.pack("<I", 0x7FFFFFFF))
    assert wide != content
    path.write_bytes(wide)
    refused(path, "openvino")


def archived(folder: Path, topology: str, weights: bytes) -> Path:
    with zipfile.ZipFile(folder / "m.openvino", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(TOPOLOGY, topology)
        archive.writestr(WEIGHTS, weights)
    return folder / "m.openvino"


def refused(path: Path, runtime: str) -> None:
    with pytest.raises(ModelFault) as caught:
        plugins.load("runtimes", runtime).open(path, threads=1)
    assert f"{path.name}: " in caught.value.line() and "\n" not in caught.value.line()


def header(**tensors: object) -> bytes:
    text = json.dumps(tensors).encode()
    return struct.pack("<Q", len(text)) + text + b"\0" * 64


def tensor(shape: list[int], begin: int, end: int) -> dict[str, object]:
    return {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}


WEIGHT_FILES = {
    "header_without_end": struct.pack("<Q", 1 << 62) + b"{}",
    "header_that_is_no_text": struct.pack("<Q", 8) + b"\xff" * 64,
    "absurd_dimensions": header(w=tensor([1 << 40, 1 << 40], 0, 64)),
    "negative_dimensions": header(w=tensor([-4, -4], 0, 64)),
    "values_behind_the_end": header(w=tensor([4, 4], 1 << 40, (1 << 40) + 64)),
    "values_of_each_other": header(v=tensor([4, 4], 0, 64), w=tensor([4, 4], 0, 64)),
    "type_that_is_none": header(w={**tensor([4, 4], 0, 64), "dtype": "EXEC"}),
    "nothing_of_the_network": header(w=tensor([4, 4], 0, 64)),
}


@pytest.mark.parametrize("name", sorted(WEIGHT_FILES))
def test_hostile_weights_are_a_fault_of_one_line(name: str, tmp_path: Path) -> None:
    ModelCard(
        task="classification",
        architecture="cnn",
        options={"width": 4},
        classes=("a", "b"),
        preprocessing=Preprocessing(image=ImageInput(height=8, width=8), mean=(0.5,), std=(0.5,)),
        parameters=1,
    ).write(tmp_path / CARD_FILE)
    path = tmp_path / "m.safetensors"
    path.write_bytes(WEIGHT_FILES[name])
    refused(path, "torch")


TFLITE = Path(__file__).parent / "models" / "beyond_xnnpack.tflite"


def renamed(content: bytes) -> bytes:
    """An operator of the file's own in the place of CUMSUM, by the name that its code has from now on."""
    from ai_edge_litert.schema_py_generated import BuiltinOperator
    from ai_edge_litert.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    for code in model.operatorCodes:
        if code.builtinCode == BuiltinOperator.CUMSUM:
            code.builtinCode, code.deprecatedBuiltinCode, code.customCode = BuiltinOperator.CUSTOM, 32, b"Exec"
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def shaped(*sizes: int) -> Callable[[bytes], bytes]:
    """The input has that shape."""

    def change(content: bytes) -> bytes:
        from ai_edge_litert.tools import flatbuffer_utils

        model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
        graph = model.subgraphs[0]
        graph.tensors[graph.inputs[0]].shape = np.array(sizes, np.int32)
        return bytes(flatbuffer_utils.convert_object_to_bytearray(model))

    return change


TFLITE_FILES: dict[str, Callable[[bytes], bytes]] = {
    "custom_operator": renamed,
    "absurd_dimensions": shaped(2**31 - 1, 2**31 - 1),
    "negative_dimensions": shaped(-5, -4),
    "truncated": lambda content: content[: len(content) // 2],
}


@pytest.mark.parametrize("name", sorted(TFLITE_FILES))
def test_a_hostile_tflite_file_is_a_fault_of_one_line(name: str, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    path = tmp_path / "m.tflite"
    path.write_bytes(TFLITE_FILES[name](TFLITE.read_bytes()))
    refused(path, "litert")
