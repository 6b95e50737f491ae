"""A file that `litert_torch.convert` made of the network below; that package cannot be installed beside the others."""

import random
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import DeviceFault, ModelFault
from edgeloop.models import CARD_FILE, ModelCard
from edgeloop.runtimes.litert import _placed
from edgeloop.runtimes.litert import plugin as runtime

MODEL = Path(__file__).parents[2] / "contracts" / "models" / "litert.tflite"


@pytest.mark.parametrize("count", [1, 5])
def test_it_answers_as_the_network_that_the_file_was_made_of(count: int) -> None:
    pytest.importorskip("ai_edge_litert")
    import torch
    from torch import nn

    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    ).eval()  # fmt: skip
    inputs = np.random.default_rng(0).standard_normal((count, 1, 8, 8), dtype=np.float32)
    (found,) = runtime.open(MODEL, threads=1).run(inputs).values()
    with torch.inference_mode():
        np.testing.assert_allclose(found, network(torch.from_numpy(inputs)).numpy(), rtol=1e-4, atol=1e-5)


def test_without_litert_the_state_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    assert "pip install 'edgeloop[litert]'" in runtime.state().reason


def test_without_litert_opening_is_a_device_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(DeviceFault, match="pip install"):
        runtime.open(MODEL, threads=1)


def test_what_does_not_begin_as_a_model_is_never_given_to_the_library(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    (tmp_path / "m.tflite").write_bytes(b"\x1c\0\0\0TFL2" + MODEL.read_bytes()[8:])
    with pytest.raises(ModelFault, match="does not begin as one"):
        runtime.open(tmp_path / "m.tflite", threads=1)


@pytest.mark.parametrize("seed", range(40))
def test_a_file_with_changed_bytes_answers_or_is_a_fault_of_one_line(tmp_path: Path, seed: int) -> None:
    """Indices beyond the tensors, names that are no text, sizes that nothing has: whatever a byte may mean."""
    pytest.importorskip("ai_edge_litert")
    draw, content = random.Random(seed), bytearray(TWO_HEADS.read_bytes())
    for _ in range(2):
        content[draw.randrange(8, len(content))] = draw.randrange(256)
    (tmp_path / "m.tflite").write_bytes(content)
    said = "m.tflite: answered"
    try:
        session = runtime.open(tmp_path / "m.tflite", threads=1)
        session.placement(np.zeros((1, 2, 4, 6), np.float32))
    except ModelFault as fault:
        said = fault.line()
    assert "m.tflite: " in said and "\n" not in said


TWO_HEADS = Path(__file__).parent / "models" / "two_heads.tflite"
"""What the converter makes of 1, 2, 4, 6 → `zebra`: 1, 3, 4, 6 and `ant`: 1, 1, 4, 6; it takes 1, 4, 6, 2."""


def two_heads(inputs: np.ndarray) -> dict[str, np.ndarray]:
    import torch
    from torch import nn

    torch.manual_seed(0)
    zebra, ant = nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(2, 1, 1)
    with torch.inference_mode():
        return {"zebra": zebra(torch.from_numpy(inputs)).numpy(), "ant": ant(torch.from_numpy(inputs)).numpy()}


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((3, 2, 4, 6), dtype=np.float32)


def test_a_file_that_takes_the_channels_last_is_given_them_so(pictures: np.ndarray) -> None:
    pytest.importorskip("ai_edge_litert")
    found = runtime.open(TWO_HEADS, threads=1).run(pictures)
    for name, expected in two_heads(pictures).items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-5)


def test_without_a_card_the_names_are_those_of_the_signature() -> None:
    pytest.importorskip("ai_edge_litert")
    assert set(runtime.open(TWO_HEADS, threads=1).run(np.zeros((1, 2, 4, 6), np.float32))) == {"zebra", "ant"}


@pytest.mark.parametrize("names", [("ant", "zebra"), ("zebra", "ant")])
def test_outputs_come_by_their_names_in_the_order_of_the_card(
    tmp_path: Path, pictures: np.ndarray, names: tuple[str, ...]
) -> None:
    pytest.importorskip("ai_edge_litert")
    found = runtime.open(beside_card(tmp_path, names), threads=1).run(pictures)
    assert list(found) == list(names)
    np.testing.assert_allclose(found["ant"], two_heads(pictures)["ant"], rtol=1e-4, atol=1e-5)


def test_a_card_with_another_number_of_outputs_is_a_model_fault(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    with pytest.raises(ModelFault, match="gives 2 outputs, not 3"):
        runtime.open(beside_card(tmp_path, ("a", "b", "c")), threads=1)


def test_neither_order_of_the_axes_fits_another_shape() -> None:
    pytest.importorskip("ai_edge_litert")
    with pytest.raises(ModelFault, match=r"of shape \(1, 4, 2, 6\), it takes \(1, 4, 6, 2\)"):
        runtime.open(TWO_HEADS, threads=1).run(np.zeros((1, 4, 2, 6), np.float32))


def beside_card(folder: Path, names: tuple[str, ...]) -> Path:
    ModelCard(
        task="detection",
        architecture="yolo_tiny",
        classes=("a",),
        preprocessing=Preprocessing(image=ImageInput(height=4, width=6, mode="RGB"), mean=(0,) * 3, std=(1,) * 3),
        output_names=names,
        parameters=1,
    ).write(folder / CARD_FILE)
    (folder / "m.tflite").write_bytes(TWO_HEADS.read_bytes())
    return folder / "m.tflite"


def test_a_file_that_xnnpack_takes_whole_fell_back_nowhere() -> None:
    pytest.importorskip("ai_edge_litert")
    found = runtime.open(MODEL, threads=1).placement(np.zeros((1, 1, 8, 8), np.float32))
    assert (found.providers, found.precisions, found.fell_back) == ({"xnnpack": 4}, {"float32": 3}, ())


WIDE = Path(__file__).parent / "models" / "beyond_xnnpack.tflite"
"""x → |x| → cumulative sum → x · 2: XNNPACK has no kernel for the second."""


def test_an_operator_that_xnnpack_does_not_take_is_told() -> None:
    pytest.importorskip("ai_edge_litert")
    found = runtime.open(WIDE, threads=1).placement(np.zeros((1, 4), np.float32))
    assert found.providers == {"xnnpack": 2, "builtin kernels": 1}
    assert found.fell_back == ("CUMSUM.1: builtin kernels",)


def operator(index: int, name: str, inputs: list[int], outputs: list[int]) -> dict:
    return {"index": index, "op_name": name, "inputs": inputs, "outputs": outputs}


def test_an_operator_in_a_wider_type_than_the_others_is_told() -> None:
    listed = [
        operator(0, "QUANTIZE", [0], [1]),
        operator(1, "CONV_2D", [1, 7, 8], [2]),
        operator(2, "DEQUANTIZE", [2], [3]),
        operator(3, "LEAKY_RELU", [3], [4]),
        operator(4, "DELEGATE", [0, 7, 8], [4]),
    ]
    found = _placed(listed, {0: "float32", 1: "int8", 2: "int8", 3: "float32", 4: "float32"})
    assert found.providers == {"xnnpack": 4}
    assert found.fell_back == ("LEAKY_RELU.3: float32",)


def test_what_stands_between_two_parts_is_in_neither() -> None:
    listed = [
        operator(0, "CONV_2D", [0], [1]),
        operator(1, "HARD_SWISH", [1], [2]),
        operator(2, "ADD", [2, 1], [3]),
        operator(3, "DELEGATE", [0], [1]),
        operator(4, "DELEGATE", [1, 2], [3]),
    ]
    assert _placed(listed, dict.fromkeys(range(4), "int8")).fell_back == ("HARD_SWISH.1: builtin kernels",)
