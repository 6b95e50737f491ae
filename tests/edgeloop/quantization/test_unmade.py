"""What cannot be made on this machine is named with its reason, and the rest is made."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeloop.conversion import ConvertParams, convert
from edgeloop.conversion.litert import PYTHON_VARIABLE
from edgeloop.optimization.variants import quantize
from edgeloop.quantization import QuantizeLimits, QuantizeParams
from edgeloop.variants import VariantSet

SAID = "litert: the converter's environment is not there"
LIMITS = QuantizeLimits(max_accuracy_drop=1, max_group_drop=1)


@pytest.fixture
def converted(made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """By a machine without the environment of LiteRT's converter."""
    monkeypatch.setenv(PYTHON_VARIABLE, str(tmp_path / "none"))
    convert(
        ConvertParams(formats=("onnx", "litert"), parity_samples=8),
        model=made.model,
        dataset=made.dataset,
        validation=made.validation,
        converted=tmp_path / "converted",
    )
    return tmp_path / "converted"


def quantized(made: Any, converted: Path, *schemes: str) -> VariantSet:
    return quantize(
        QuantizeParams(schemes=schemes, calibration_samples=20, limits=LIMITS),
        converted=converted,
        dataset=made.dataset,
        validation=made.validation,
        quantized=converted.with_name("quantized"),
    )


def test_a_format_whose_converter_is_not_installed_is_named_with_its_reason(converted: Path) -> None:
    found = VariantSet.of(converted)
    assert [variant.name for variant in found.variants] == ["torch-fp32", "onnx-fp32"]
    ((name, reason),) = ((one.name, one.reason) for one in found.unmade)
    assert name == "litert-fp32" and reason.startswith(SAID) and "make litert" in reason


def test_what_would_be_made_of_it_says_so_too(made: Any, converted: Path) -> None:
    found = quantized(made, converted, "onnxruntime_static", "litert_static")
    assert [variant.name for variant in found.variants] == ["onnx-int8"]
    ((name, reason),) = ((one.name, one.reason) for one in found.unmade)
    assert name == "litert-int8" and reason.startswith(f"litert-fp32, which it is made of, was not made: {SAID}")


def test_a_scheme_whose_package_is_not_installed_is_named_with_what_to_install(
    made: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    found = quantized(made, copied(made, tmp_path), "nncf", "onnxruntime_static")
    assert [variant.name for variant in found.variants] == ["onnx-int8"]
    ((name, reason),) = ((one.name, one.reason) for one in found.unmade)
    assert name == "openvino-int8" and "pip install 'edgeloop[nncf]'" in reason


def test_a_scheme_that_cannot_quantize_the_model_is_named_and_the_others_are_made(
    made: Any, unknown_to_openvino: Callable[[Path], Path], tmp_path: Path
) -> None:
    convert(
        ConvertParams(parity_samples=8),
        model=unknown_to_openvino(made.model),
        dataset=made.dataset,
        validation=made.validation,
        converted=tmp_path / "converted",
    )
    found = quantized(made, tmp_path / "converted", "nncf", "onnxruntime_static")
    assert [variant.name for variant in found.variants] == ["onnx-int8"]
    ((name, reason),) = ((one.name, one.reason) for one in found.unmade)
    assert name == "openvino-int8" and "Det" in reason and str(tmp_path) not in reason
    assert reason.endswith("; remove the scheme or change the model")
    files = sorted(path.name for path in (tmp_path / "quantized").iterdir())
    assert files == ["model.json", "onnx-int8.onnx", "variants.json"]


def test_no_file_is_left_of_what_was_not_made(made: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    quantized(made, copied(made, tmp_path), "nncf")
    assert sorted(path.name for path in (tmp_path / "quantized").iterdir()) == ["model.json", "variants.json"]


def copied(made: Any, folder: Path) -> Path:
    import shutil

    return Path(shutil.copytree(made.model.with_name("converted"), folder / "converted"))


RULES = {
    "tensorrt_opset", "tensorrt_operators", "qdq_types", "qdq_zero_points", "qdq_scales", "qdq_axes", "qdq_pairs",
    "qdq_biases",
}  # fmt: skip


def test_the_file_for_tensorrt_is_checked_by_its_rules(made: Any, tmp_path: Path) -> None:
    (variant,) = quantized(made, copied(made, tmp_path), "onnxruntime_symmetric").variants
    assert {check.name: check.status for check in variant.checks if check.name in RULES} == dict.fromkeys(RULES, "pass")


def test_a_file_for_other_runtimes_is_not(made: Any, tmp_path: Path) -> None:
    (variant,) = quantized(made, copied(made, tmp_path), "onnxruntime_static").variants
    assert not RULES & {check.name for check in variant.checks}


def test_an_opset_that_an_older_tensorrt_does_not_take_is_not_evaluated(made: Any, tmp_path: Path) -> None:
    convert(
        ConvertParams(opset=21, parity_samples=8),
        model=made.model, dataset=made.dataset, validation=made.validation, converted=tmp_path / "converted",
    )  # fmt: skip
    (variant,) = quantized(made, tmp_path / "converted", "onnxruntime_symmetric").variants
    assert not variant.accepted
    assert variant.details["fallback"].endswith("tensorrt_opset not evaluated (21, limit 20)")
