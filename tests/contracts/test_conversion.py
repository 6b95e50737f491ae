"""Every converter keeps the promises of `edgeloop.conversion`."""

import contextlib
from pathlib import Path

import numpy as np
import pytest

from edgeloop import plugins
from edgeloop.conversion import Converter, ConvertParams
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import EdgeloopError, InputFault, MissingExtra
from edgeloop.models import CARD_FILE, WEIGHTS_FILE, ModelCard, write_weights

OPTIONS = {"width": 4}
ELSEWHERE = ("litert",)
"""Converters that start a process which imports torch."""

PLAYED = ("tensorrt",)
"""Converters for hardware that is seldom there: without it a played library and a played device take its place."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `train` leaves it."""
    import torch

    folder = tmp_path_factory.mktemp("model")
    image = Preprocessing(image=ImageInput(height=8, width=8, mode="RGB"), mean=(0.5,) * 3, std=(0.5,) * 3)
    card = ModelCard(
        task="classification",
        architecture="cnn",
        options=OPTIONS,
        classes=("a", "b", "c"),
        preprocessing=image,
        parameters=1,
    )
    card.write(folder / CARD_FILE)
    torch.manual_seed(0)
    write_weights(folder / WEIGHTS_FILE, plugins.load("models", "cnn").build(image.shape, 3, OPTIONS).state_dict())
    return folder


@pytest.fixture(
    params=[
        pytest.param(name, marks=pytest.mark.long if name in ELSEWHERE else ()) for name in plugins.names("conversion")
    ]
)
def converter(request: pytest.FixtureRequest, model: Path, tmp_path: Path) -> Converter:
    converter: Converter = plugins.load("conversion", request.param)
    if request.param in PLAYED and not plugins.load("runtimes", converter.runtime).state().available:
        request.getfixturevalue("tensorrt_played")(11)
    try:
        with contextlib.suppress(InputFault):
            converter.convert(model, tmp_path / "none", target=tmp_path / "m", params=ConvertParams())
    except MissingExtra as missing:
        pytest.skip(missing.line())
    return converter


@pytest.fixture
def source(converter: Converter, model: Path) -> Path:
    """The file that the converter reads."""
    if converter.source == "torch":
        return model / WEIGHTS_FILE
    first = plugins.load("conversion", converter.source)
    path = model / f"source{first.suffix}"
    if not path.exists():
        first.convert(model, model / WEIGHTS_FILE, target=path, params=ConvertParams())
    return path


@pytest.fixture
def target(converter: Converter, model: Path, source: Path, tmp_path: Path) -> Path:
    """A converted file beside its card."""
    (tmp_path / CARD_FILE).write_bytes((model / CARD_FILE).read_bytes())
    path = tmp_path / f"model{converter.suffix}"
    converter.convert(model, source, target=path, params=ConvertParams())
    return path


@pytest.mark.parametrize("count", [1, 7])
def test_the_file_answers_a_batch_of_any_size_as_the_trained_model(
    converter: Converter, model: Path, target: Path, count: int
) -> None:
    inputs = np.random.default_rng(0).standard_normal((count, 3, 8, 8), dtype=np.float32)
    expected = plugins.load("runtimes", "torch").open(model / WEIGHTS_FILE, threads=1).run(inputs)
    answered = plugins.load("runtimes", converter.runtime).open(target, threads=1).run(inputs)
    assert list(answered) == list(expected)
    np.testing.assert_allclose(answered["logits"], expected["logits"], rtol=1e-3, atol=1e-4)


def test_the_runtime_loads_the_format_of_the_plug_ins_name(
    request: pytest.FixtureRequest, converter: Converter
) -> None:
    name = request.node.callspec.params["converter"]
    assert name in plugins.load("runtimes", converter.runtime).formats


def test_a_second_conversion_writes_the_same_bytes(
    converter: Converter, model: Path, source: Path, target: Path, tmp_path: Path
) -> None:
    again = tmp_path / "another folder" / "another name"
    converter.convert(model, source, target=again, params=ConvertParams())
    assert again.read_bytes() == target.read_bytes()


def test_the_tool_has_name_and_version(converter: Converter, model: Path, source: Path, tmp_path: Path) -> None:
    made = converter.convert(model, source, target=tmp_path / "m", params=ConvertParams())
    assert made.tool.name and made.tool.version


def test_the_file_is_all_that_is_written(converter: Converter, target: Path) -> None:
    assert {path.name for path in target.parent.iterdir()} == {CARD_FILE, target.name}


@pytest.mark.parametrize("content", [b"", b"rubbish"])
def test_a_broken_source_is_a_fault_of_one_line_and_leave_no_file(
    converter: Converter, model: Path, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(EdgeloopError) as caught:
        converter.convert(model, tmp_path / "w", target=tmp_path / "m", params=ConvertParams())
    assert "\n" not in caught.value.line()
    assert not (tmp_path / "m").exists()
