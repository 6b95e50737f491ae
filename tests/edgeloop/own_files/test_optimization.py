"""`edgeloop optimize` of a file of the user's own, on a board whose speed is scripted."""

import json
import shutil
from pathlib import Path
from typing import Any

import onnx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from edgeloop.__main__ import app
from edgeloop.data.dataset import read_index
from edgeloop.errors import DataFault, InputFault, ModelFault
from edgeloop.models import CARD_FILE
from edgeloop.own_files.guessing import guessed_card
from edgeloop.own_files.open_batch import with_open_batch
from edgeloop.own_files.targets import parsed_target

BOARD = """\
name: board
class: raspberry-pi-5
transport: fake
address: latency_us=200&latency_us.onnx-int8.onnx=90&latency_us.openvino-bf16.openvino=150
"""
RUNTIMES = ("--target", "board:onnxruntime", "--target", "board:openvino")


@pytest.fixture
def folder(made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder: `mine.onnx`, and `pictures` with a folder a class."""
    devices = tmp_path / "manifests" / "devices"
    devices.mkdir(parents=True)
    (devices / "board.yaml").write_text(BOARD)
    shutil.copyfile(made.model.with_name("converted") / "onnx-fp32.onnx", tmp_path / "mine.onnx")
    for sample in read_index(made.dataset):
        place = tmp_path / "pictures" / str(sample.label) / Path(sample.uri).name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made.dataset / sample.uri, place)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*given: str, model: str = "mine.onnx") -> Result:
    return CliRunner().invoke(app, ["optimize", model, "--json", *given])


def test_with_data_the_fastest_file_within_the_limits_is_chosen(made: Any, folder: Path) -> None:
    shutil.copyfile(made.model / CARD_FILE, folder / CARD_FILE)
    ended = run("--data", "pictures", "--target", "board:onnxruntime", "--max-accuracy-drop", "0.05")
    told = json.loads(ended.stdout)
    assert ended.exit_code == 0, ended.stderr
    assert (told["variant"], told["target"]) == ("onnx-int8", "board-onnxruntime-1t")
    assert sorted(path.name for path in (folder / "mine-optimized").iterdir()) == [
        "model.json", "onnx-int8.onnx", "optimize.json",
    ]  # fmt: skip
    assert {row["variant"]: row["accuracy"] is not None for row in told["report"]["rows"]} == {
        "onnx-fp32": True, "onnx-int8": True,
    }  # fmt: skip


def test_without_data_only_fp32_and_bf16_may_be_chosen_and_it_says_so(folder: Path) -> None:
    ended = run(*RUNTIMES)
    told = json.loads(ended.stdout)
    assert told["variant"] == "openvino-bf16"
    assert {variant["precision"] for variant in told["variants"]["variants"]} == {"fp32", "bf16"}
    assert "no data was given: int8 was not made, and only fp32 and bf16 may be chosen" in told["notes"]


def test_without_a_card_what_is_guessed_is_said(folder: Path) -> None:
    limits = ("--max-accuracy-drop", "1", "--trials", "1")
    ended = run(
        "--data", "pictures", "--mean", "0.3", "--std", "0.25", "--target", "board:onnxruntime", *limits
    )  # fmt: skip
    told = json.loads(ended.stdout)
    assert "pictures are taken as 8 x 8 L in 0..1, minus (0.3,), over (0.25,)" in told["notes"][-1]
    assert "outputs as bar, blob, cross" in told["notes"][-1]
    assert told["report"]["rows"][0]["accuracy"] > 0.9


def test_no_size_is_too_large_unless_asked(folder: Path) -> None:
    limits = ("--data", "pictures", "--target", "board:onnxruntime", "--max-accuracy-drop", "1", "--trials", "1")
    told = [json.loads(run(*limits, *asked).stdout) for asked in ([], ["--max-size-ratio", "0.9"])]
    names = [{check["name"] for one in each["variants"]["variants"] for check in one["checks"]} for each in told]
    assert ["size_ratio" in found for found in names] == [False, True]


def test_a_trained_folder_is_converted_first(made: Any, folder: Path) -> None:
    shutil.copytree(made.model, folder / "model")
    ended = run("--data", "pictures", *RUNTIMES[:2], "--max-accuracy-drop", "0.05", "--samples", "40", model="model")
    told = json.loads(ended.stdout)
    assert ended.exit_code == 0, ended.stderr
    assert (told["variant"], told["file"]) == ("onnx-int8", str(folder / "model-optimized" / "onnx-int8.onnx"))
    assert {one["name"] for one in told["variants"]["variants"]} == {"torch-fp32", "onnx-fp32", "onnx-int8"}
    assert any(note.startswith("quantize asks 40 of ") for note in told["notes"])


def test_a_trained_folder_without_data_is_one_line(made: Any, folder: Path) -> None:
    shutil.copytree(made.model, folder / "model")
    ended = run(model="model")
    assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
    assert "give --data, or the ONNX file" in ended.stderr


def test_a_folder_that_was_not_trained_is_one_line(folder: Path) -> None:
    ended = run("--data", "pictures", model="pictures")
    assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
    assert "holds no weights.safetensors and no model.json" in ended.stderr


def test_a_hostile_file_is_one_line(folder: Path) -> None:
    (folder / "mine.onnx").write_bytes(b"\x80\x04rubbish")
    ended = run()
    assert ended.exit_code == 2
    assert ended.stderr.count("\n") == 1 and "mine.onnx: is no" in ended.stderr


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("openvino", "local-openvino-1t"),
        ("openvino:2", "local-openvino-2t"),
        ("board:openvino", "board-openvino-1t"),
        ("board:openvino:4", "board-openvino-4t"),
    ],
)
def test_a_target_is_device_runtime_and_threads(text: str, name: str) -> None:
    assert parsed_target(text).name == name


@pytest.mark.parametrize("text", ["", "openvino:0", "a:b:c:d", "board:openvino:x"])
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(InputFault):
        parsed_target(text)


def fixed(made: Any) -> onnx.ModelProto:
    model = onnx.load(made.model.with_name("converted") / "onnx-fp32.onnx")
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_value = 1
    return model


def test_a_batch_of_one_in_the_file_is_opened(made: Any) -> None:
    opened = with_open_batch(fixed(made), where="m")
    assert opened.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"


def test_a_model_that_mixes_the_samples_of_a_batch_is_refused(made: Any) -> None:
    model = fixed(made)
    output = model.graph.output[0].name
    last = next(node for node in model.graph.node if output in node.output)
    last.output[0] = "apart"
    model.graph.node.append(onnx.helper.make_node("Softmax", ["apart"], [output], axis=0))
    with pytest.raises(ModelFault, match="answers a batch otherwise"):
        with_open_batch(model, where="m")


def test_a_model_of_another_number_of_classes_is_refused(made: Any) -> None:
    path = made.model.with_name("converted") / "onnx-fp32.onnx"
    with pytest.raises(DataFault, match=r"has 2 classes, and the model answers with \(3,\)"):
        guessed_card(path, ("a", "b"), mean=(0.0,), std=(1.0,))
