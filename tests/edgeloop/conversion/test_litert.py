"""What needs no `.venv-litert` is fast; what converts is long, and skipped where `make litert` was not run."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeloop import plugins
from edgeloop.conversion import ConvertParams, convert
from edgeloop.conversion import litert as module
from edgeloop.conversion.litert import PYTHON_VARIABLE, convert_here, litert_python
from edgeloop.conversion.litert import plugin as converter
from edgeloop.data.inputs import WindowInput, WindowPreprocessing
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import EnvironmentFault, InputFault, MissingExtra, ModelFault
from edgeloop.models import CARD_FILE, WEIGHTS_FILE, ModelCard, write_weights
from edgeloop.optimization.variants import quantize
from edgeloop.own_files.conversion import convert_file
from edgeloop.quantization import QuantizeParams
from edgeloop.variants import placed_variants


@pytest.fixture
def interpreter() -> Path:
    """The converter's environment."""
    try:
        return litert_python(os.environ)
    except MissingExtra as missing:
        pytest.skip(missing.line())


def run(folders: Any, target: Path) -> Any:
    return converter.convert(folders.model, folders.model / WEIGHTS_FILE, target=target, params=ConvertParams())


def test_without_its_environment_one_line_says_what_to_run(
    folders: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PYTHON_VARIABLE, str(tmp_path / "none" / "python"))
    with pytest.raises(MissingExtra, match="run: make litert") as caught:
        run(folders, tmp_path / "m.tflite")
    assert "\n" not in caught.value.line()
    assert list(tmp_path.iterdir()) == []


def test_the_environment_lies_beside_the_project_unless_it_is_named(root: Path, tmp_path: Path) -> None:
    assert root / ".venv-litert" / "bin" / "python" == module.DEFAULT_PYTHON
    (tmp_path / "python").touch()
    assert litert_python({PYTHON_VARIABLE: str(tmp_path / "python")}) == tmp_path / "python"


def test_a_broken_environment_is_one_line_and_leaves_no_file(
    folders: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'libpython3.so: cannot open' >&2\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv(PYTHON_VARIABLE, str(broken))
    with pytest.raises(EnvironmentFault, match=r"cannot run edgeloop \(libpython3\.so: cannot open\).*make litert"):
        run(folders, tmp_path / "m.tflite")
    assert list(tmp_path.iterdir()) == [broken]


def test_an_environment_without_the_converter_is_a_missing_extra(
    folders: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "litert_torch", None)
    with pytest.raises(MissingExtra, match="'litert_torch' is not installed; run: make litert"):
        convert_here(model=str(folders.model), source=str(folders.model / WEIGHTS_FILE), target=str(tmp_path / "m"))


def test_the_other_formats_are_made_beside_an_environment_without_the_converter(
    folders: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PYTHON_VARIABLE, sys.executable)
    made = convert(
        ConvertParams(formats=("litert", "onnx"), parity_samples=8),
        model=folders.model,
        dataset=folders.dataset,
        validation=folders.validation,
        converted=tmp_path / "converted",
    )
    assert [variant.name for variant in made.variants] == ["torch-fp32", "onnx-fp32"]
    ((name, reason),) = ((one.name, one.reason) for one in made.unmade)
    assert name == "litert-fp32" and "'litert_torch' is not installed; run: make litert" in reason
    files = sorted(path.name for path in (tmp_path / "converted").iterdir())
    assert files == ["model.json", "onnx-fp32.onnx", "torch-fp32.safetensors", "variants.json"]


def test_a_missing_source_is_an_input_fault_before_any_process_starts(
    folders: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python").touch()
    monkeypatch.setenv(PYTHON_VARIABLE, str(tmp_path / "python"))
    with pytest.raises(InputFault, match="none"):
        converter.convert(folders.model, tmp_path / "none", target=tmp_path / "m", params=ConvertParams())


def test_an_onnx_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"")
    with pytest.raises(InputFault, match=r"litert is made of torch, not of ONNX; use one of: .*openvino"):
        convert_file(tmp_path / "m.onnx", to="litert")


def test_what_the_converter_raises_is_a_model_fault(
    folders: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        def to_channel_last_io(self, *_: object, **__: object) -> None:
            raise RuntimeError("failed to legalize operation 'aten.pow'\nand\nso on")

    monkeypatch.setitem(sys.modules, "litert_torch", Failing())
    with pytest.raises(ModelFault, match=r"cnn cannot be converted to LiteRT \(failed to legalize") as caught:
        convert_here(model=str(folders.model), source=str(folders.model / WEIGHTS_FILE), target=str(tmp_path / "m"))
    assert "\n" not in caught.value.line()


def test_every_line_of_its_lock_file_pins_one_version(root: Path) -> None:
    lines = (root / "requirements-litert.lock").read_text().splitlines()
    assert not [line for line in lines if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*==[0-9][0-9a-z.!]*", line)]


def test_its_lock_file_holds_what_this_package_needs_and_the_same_torch(root: Path) -> None:
    locked = {
        name: dict(line.split("==") for line in (root / name).read_text().splitlines())
        for name in ("requirements.lock", "requirements-litert.lock")
    }
    own = locked["requirements-litert.lock"]
    assert {"numpy", "pydantic", "pyyaml", "rich", "typer", "torch", "safetensors"} <= own.keys()
    assert own["torch"] == locked["requirements.lock"]["torch"]
    assert own["ai-edge-litert"] == locked["requirements.lock"]["ai-edge-litert"]


def test_make_env_and_ci_never_build_it(root: Path) -> None:
    recipe = subprocess.run(["make", "-Bn", "env"], cwd=root, capture_output=True, text=True, check=True).stdout
    assert "litert" not in recipe.replace("requirements.lock", "")
    assert "litert" not in (root / ".ci" / "run").read_text()


def test_make_litert_resolves_nothing(root: Path) -> None:
    recipe = subprocess.run(["make", "-Bn", "litert"], cwd=root, capture_output=True, text=True, check=True).stdout
    (install,) = [line for line in recipe.splitlines() if "pip install" in line]
    assert "--no-deps -r requirements-litert.lock" in install


FAMILIES = {
    "mlp": ((3, 8, 6), {"hidden": "32-16"}),
    "resnet": ((3, 32, 32), {"depth": 8}),
    "resnet-18": ((3, 32, 32), {"depth": 18}),
    "ds_cnn": ((1, 49, 10), {"width": 16}),
    "mobilenet_v2": ((3, 32, 32), {"width": 0.35}),
    "mobilenet_v3_small": ((3, 32, 32), {"width": 0.5}),
    "cnn_1d": ((2, 1024), {}),
    "autoencoder": ((3, 4, 6), {"hidden": "16-4-16"}),
    "alexnet": ((3, 64, 72), {"width": 0.1}),
    "yolo_tiny": ((3, 64, 96), {"width": 0.25}),
}


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_answers_as_it_was_trained(interpreter: Path, tmp_path: Path, family: str) -> None:
    """Statistics of batch norm are drawn, so that a layer that is left out or turned shows."""
    import torch

    shape, options = FAMILIES[family]
    architecture = plugins.load("models", family.removesuffix("-18"))
    card = ModelCard(
        task="detection" if architecture.answers == "heads" else "classification",
        architecture=family.removesuffix("-18"),
        options=options,
        classes=("a", "b", "c"),
        preprocessing=preprocessing(shape),
        output_names=architecture.output_names,
        parameters=1,
    )
    card.write(tmp_path / CARD_FILE)
    torch.manual_seed(0)
    network = architecture.build(shape, 3, options)
    for name, values in network.state_dict().items():
        if name.endswith(("running_mean", "running_var")):
            values.copy_(torch.rand_like(values) * 0.5 + (0.75 if name.endswith("var") else -0.25))
    write_weights(tmp_path / WEIGHTS_FILE, network.state_dict())
    converter.convert(tmp_path, tmp_path / WEIGHTS_FILE, target=tmp_path / "m.tflite", params=ConvertParams())
    inputs = np.random.default_rng(0).standard_normal((3, *shape), dtype=np.float32)
    expected = plugins.load("runtimes", "torch").open(tmp_path / WEIGHTS_FILE, threads=1).run(inputs)
    found = plugins.load("runtimes", "litert").open(tmp_path / "m.tflite", threads=1).run(inputs)
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-4 * np.abs(values).max())


def preprocessing(shape: tuple[int, ...]) -> Any:
    if len(shape) == 2:
        channels, length = shape
        zeros, ones = (0.0,) * channels, (1.0,) * channels
        return WindowPreprocessing(window=WindowInput(), channels=channels, length=length, mean=zeros, std=ones)
    channels, height, width = shape
    image = ImageInput(height=height, width=width, mode="RGB" if channels == 3 else "L")
    return Preprocessing(image=image, mean=(0.5,) * channels, std=(0.5,) * channels)


@pytest.mark.long
def test_another_hash_seed_and_another_number_of_cores_write_the_same_bytes(
    interpreter: Path, folders: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed, name in (("1", "here"), ("2", "there/and deeper")):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        monkeypatch.setenv("OMP_NUM_THREADS", seed)
        run(folders, tmp_path / name / "m.tflite")
    contents = [path.read_bytes() for path in sorted(tmp_path.rglob("*.tflite"))]
    assert contents[0] == contents[1]
    assert not [word for word in (str(tmp_path), str(folders.model), "site-packages") if word.encode() in contents[0]]


@pytest.mark.long
def test_the_two_steps_give_both_variants_and_record_the_tools(interpreter: Path, folders: Any, tmp_path: Path) -> None:
    pytest.importorskip("litert_quantizer")
    places = {"dataset": folders.dataset, "validation": folders.validation}
    params = ConvertParams(formats=("litert",))
    convert(params, model=folders.model, converted=tmp_path / "converted", **places)
    chosen = QuantizeParams(schemes=("litert_static",))
    quantize(chosen, converted=tmp_path / "converted", quantized=tmp_path / "quantized", **places)
    variants = placed_variants([tmp_path / "converted", tmp_path / "quantized"])
    for name in ("litert-fp32", "litert-int8"):
        assert variants[name].variant.accepted, variants[name].variant.checks
    assert variants["litert-fp32"].variant.made_by.version.startswith("0.10")
    assert {"litert-converter", "ai-edge-litert", "torch"} <= set(variants["litert-fp32"].variant.made_by.options)
    assert variants["litert-int8"].variant.details["metric_int8"] >= variants["litert-int8"].variant.details[
        "metric_fp32"
    ] - 0.03  # fmt: skip
