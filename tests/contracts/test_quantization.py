"""Every scheme keeps the promises of `edgeloop.quantization`."""

from pathlib import Path

import numpy as np
import pytest

from edgeloop import plugins
from edgeloop.conversion import ConvertParams
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import EdgeloopError, MissingExtra
from edgeloop.models import CARD_FILE, WEIGHTS_FILE, ModelCard, write_weights
from edgeloop.optimization.recipes import Method, Recipe
from edgeloop.parity import sqnr_db
from edgeloop.quantization import Scheme

OPTIONS = {"width": 16}
INPUTS = np.random.default_rng(0).standard_normal((24, 1, 8, 8), dtype=np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `train` leaves it."""
    import torch

    folder = tmp_path_factory.mktemp("model")
    card = ModelCard(
        task="classification",
        architecture="cnn",
        options=OPTIONS,
        classes=("a", "b", "c"),
        preprocessing=Preprocessing(image=ImageInput(height=8, width=8), mean=(0.5,), std=(0.5,)),
        parameters=1,
    )
    card.write(folder / CARD_FILE)
    torch.manual_seed(0)
    write_weights(folder / WEIGHTS_FILE, plugins.load("models", "cnn").build((1, 8, 8), 3, OPTIONS).state_dict())
    return folder


@pytest.fixture(params=plugins.names("quantization"))
def scheme(request: pytest.FixtureRequest) -> Scheme:
    return plugins.load("quantization", request.param)


@pytest.fixture
def source(scheme: Scheme, model: Path) -> Path:
    """The float file that the scheme reads."""
    format_name = scheme.source.removesuffix("-fp32")
    path = model / scheme.source
    if (
        format_name == "litert"
    ):  # its converter stands in an environment of its own: a file that it made of such a model
        path.write_bytes((Path(__file__).parent / "models" / "cnn.tflite").read_bytes())
    elif not path.exists():
        converter = plugins.load("conversion", format_name)
        converter.convert(model, model / WEIGHTS_FILE, target=path, params=ConvertParams())
    return path


@pytest.fixture(autouse=True)
def _installed(scheme: Scheme, source: Path) -> None:
    try:
        scheme.layers(source)
    except MissingExtra as missing:
        pytest.skip(missing.line())


@pytest.fixture
def recipe(scheme: Scheme) -> Recipe:
    """The plain one."""
    return recipe_of(scheme, next(iter(scheme.methods), None))


def recipe_of(scheme: Scheme, method: Method | None) -> Recipe:
    return Recipe(method=method, bias_correction="full" if scheme.corrects_bias else "none")


def answered(scheme: Scheme, path: Path) -> np.ndarray:
    return plugins.load("runtimes", scheme.runtime).open(path, threads=1).run(INPUTS)["logits"]


def test_the_variant_is_named_by_format_and_precision(scheme: Scheme) -> None:
    assert f"{scheme.variant}-".startswith(f"{scheme.format}-{scheme.precision}-")


def test_the_runtime_that_judges_loads_the_format(scheme: Scheme) -> None:
    assert scheme.format in plugins.load("runtimes", scheme.runtime).formats


def test_the_file_answers_nearly_as_the_float_file(
    scheme: Scheme, source: Path, recipe: Recipe, tmp_path: Path
) -> None:
    target = tmp_path / "m"
    scheme.quantize(source, [INPUTS[:16], INPUTS[16:]], target=target, recipe=recipe)
    noise_db = sqnr_db(answered(scheme, source), answered(scheme, target))
    assert noise_db is not None and noise_db > 20


def test_the_file_is_smaller_and_all_that_is_written(
    scheme: Scheme, source: Path, recipe: Recipe, tmp_path: Path
) -> None:
    scheme.quantize(source, [INPUTS], target=tmp_path / "m", recipe=recipe)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    assert (tmp_path / "m").stat().st_size < source.stat().st_size


def test_the_float_file_is_left_as_it_was(scheme: Scheme, source: Path, recipe: Recipe, tmp_path: Path) -> None:
    before = source.read_bytes()
    scheme.quantize(source, [INPUTS], target=tmp_path / "m", recipe=recipe)
    assert source.read_bytes() == before


@pytest.mark.parametrize("method", ["minmax", "entropy", "percentile"])
def test_equal_inputs_write_equal_bytes_however_they_are_batched(
    scheme: Scheme, source: Path, tmp_path: Path, method: Method
) -> None:
    if scheme.methods and method not in scheme.methods:
        pytest.skip(f"it does not know {method}")
    recipe = recipe_of(scheme, method if scheme.methods else None)
    batched = ([INPUTS], [INPUTS[:5], INPUTS[5:]])
    for place, inputs in enumerate(batched):
        scheme.quantize(source, iter(inputs), target=tmp_path / f"m{place}", recipe=recipe)
    assert (tmp_path / "m0").read_bytes() == (tmp_path / "m1").read_bytes()


def test_the_layers_are_the_same_each_time(scheme: Scheme, source: Path) -> None:
    assert scheme.layers(source) == scheme.layers(source)


def test_kept_layers_bring_the_answers_nearer_to_float(
    scheme: Scheme, source: Path, recipe: Recipe, tmp_path: Path
) -> None:
    if not (layers := scheme.layers(source)):
        pytest.skip("it treats all layers alike")
    noises = []
    for kept in ((), layers[1:], layers):
        one = recipe.model_copy(update={"kept_float": tuple(sorted(kept))})
        scheme.quantize(source, [INPUTS], target=tmp_path / "m", recipe=one)
        noises.append(float(np.square(answered(scheme, tmp_path / "m") - answered(scheme, source)).sum()))
    assert noises[0] > noises[1] > noises[2]
    assert noises[2] == pytest.approx(0, abs=1e-6)


def test_the_tool_names_method_and_version(scheme: Scheme, source: Path, recipe: Recipe, tmp_path: Path) -> None:
    tool = scheme.quantize(source, [INPUTS], target=tmp_path / "m", recipe=recipe)
    assert tool.version and tool.options.get("method") == recipe.method


@pytest.mark.parametrize("content", [b"", b"rubbish"])
def test_a_broken_file_is_a_fault_of_one_line(
    scheme: Scheme, recipe: Recipe, tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes
) -> None:
    (tmp_path / "broken").write_bytes(content)
    with pytest.raises(EdgeloopError) as caught:
        scheme.quantize(tmp_path / "broken", [INPUTS], target=tmp_path / "m", recipe=recipe)
    assert "\n" not in caught.value.line()
    assert "broken" in caught.value.line()
    assert capfd.readouterr() == ("", "")


def test_no_calibration_input_is_a_fault(scheme: Scheme, source: Path, recipe: Recipe, tmp_path: Path) -> None:
    if not scheme.methods:
        pytest.skip("nothing is calibrated")
    with pytest.raises(EdgeloopError):
        scheme.quantize(source, [], target=tmp_path / "m", recipe=recipe)


def test_a_fault_of_the_inputs_is_passed_on_as_it_is(
    scheme: Scheme, source: Path, recipe: Recipe, tmp_path: Path
) -> None:
    if not scheme.methods:
        pytest.skip("nothing is calibrated")
    fault = EdgeloopError("has changed", where="sample 7")

    def failing() -> object:
        yield INPUTS
        raise fault

    with pytest.raises(EdgeloopError) as caught:
        scheme.quantize(source, failing(), target=tmp_path / "m", recipe=recipe)
    assert caught.value is fault
