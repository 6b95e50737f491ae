import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeloop.errors import DataFault, DeviceFault, InputFault, ModelFault
from edgeloop.lineage.example import CARD, example_bundle
from edgeloop.prediction import Prediction, predict
from edgeloop.runtimes.fake import FakeRuntime


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return example_bundle(tmp_path / "bundle").folder


def drawn(path: Path, *, seed: int = 0, size: int = 8) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_each_input_gets_one_answer_in_the_order_given(folder: Path, tmp_path: Path) -> None:
    inputs = [drawn(tmp_path / f"{name}.png", seed=seed) for seed, name in enumerate("cab")]
    assert [answer.input for answer in predict(folder, inputs)] == list(map(str, inputs))


def test_an_answer_does_not_depend_on_the_other_inputs(folder: Path, tmp_path: Path) -> None:
    inputs = [drawn(tmp_path / f"{seed}.png", seed=seed) for seed in range(4)]
    assert predict(folder, inputs) == [predict(folder, [path])[0] for path in inputs]


def test_an_answer_is_that_of_the_models_own_runtime(folder: Path, tmp_path: Path) -> None:
    picture = drawn(tmp_path / "a.png")
    (answer,) = predict(folder, [picture])
    session = FakeRuntime().open(folder / "models/fake-int8.json", threads=1)
    logits = session.run(CARD.preprocessing.apply(picture.read_bytes())[None])["logits"]
    assert answer.answer["label"] == CARD.classes[int(logits.argmax())]
    assert (answer.variant, answer.runtime) == ("fake-int8", "fake")


def test_another_variant_answers_when_it_is_named(folder: Path, tmp_path: Path) -> None:
    (answer,) = predict(folder, [drawn(tmp_path / "a.png")], variant="fake-fp32")
    assert answer.variant == "fake-fp32"


def test_a_picture_of_another_size_and_mode_is_brought_to_that_of_the_model(folder: Path, tmp_path: Path) -> None:
    Image.new("RGBA", (640, 480), (10, 200, 30, 255)).save(tmp_path / "a.png")
    assert len(predict(folder, [tmp_path / "a.png"])) == 1


def test_no_inputs_have_no_answers(folder: Path) -> None:
    assert predict(folder, []) == []


def test_an_answer_is_plain_json(folder: Path, tmp_path: Path) -> None:
    (answer,) = predict(folder, [drawn(tmp_path / "a.png")])
    assert Prediction.model_validate_json(answer.model_dump_json()) == answer


def test_a_bundle_that_was_changed_answers_nothing(folder: Path, tmp_path: Path) -> None:
    (folder / "models/fake-int8.json").write_text("{}")
    with pytest.raises(ModelFault, match=r"fake-int8\.json"):
        predict(folder, [drawn(tmp_path / "a.png")])


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "image"), (b"not an image", "image"), (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "image")],
    ids=["empty", "text", "broken"],
)
def test_what_is_no_picture_is_named(folder: Path, tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "odd.png").write_bytes(content)
    with pytest.raises(DataFault, match=reason) as caught:
        predict(folder, [tmp_path / "odd.png"])
    assert str(tmp_path / "odd.png") in caught.value.line()


def test_a_missing_input_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputFault, match=r"gone\.png: does not exist"):
        predict(folder, [tmp_path / "gone.png"])


def test_an_unknown_variant_is_refused(folder: Path) -> None:
    with pytest.raises(ModelFault, match="holds no variant 'onnx-int4'"):
        predict(folder, [], variant="onnx-int4")


def test_a_number_of_threads_that_no_runtime_takes_is_refused(folder: Path) -> None:
    with pytest.raises(DeviceFault, match="0 threads"):
        predict(folder, [], threads=0)


def test_nothing_but_the_runtime_numpy_and_pillow_is_imported(folder: Path, tmp_path: Path, root: Path) -> None:
    picture = drawn(tmp_path / "a.png")
    code = (
        f"import sys; sys.path.insert(0, {str(root)!r})\n"
        "from pathlib import Path; from edgeloop.prediction import predict\n"
        f"predict(Path({str(folder)!r}), [Path({str(picture)!r})])\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"torch", "mlflow", "pyarrow", "pandas", "sklearn", "onnx", "onnxruntime", "matplotlib", "scipy", "kfp"}
    assert not heavy & set(output)
    assert {"numpy", "PIL", "edgeloop"} <= set(output)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Away from the project, whose trust folder would ask for a signature."""
    monkeypatch.chdir(tmp_path)
