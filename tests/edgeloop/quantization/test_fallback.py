"""What `quantize` does when the first file fails: a planted cliff, and models that nothing saves."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from edgeloop.canonical import sha256_of_file
from edgeloop.optimization.variants import quantize
from edgeloop.quantization import QuantizeLimits, QuantizeParams
from edgeloop.variants import VARIANTS_FILE, Variant, VariantSet

FACTOR = 300
CHANNEL = 2


def steepened(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same function with a depthwise layer, one channel of it x 300, undone in the layer behind it."""
    graph = model.graph
    values = {tensor.name: tensor for tensor in graph.initializer}
    following = [node for node in graph.node if node.op_type == "Conv"][1]
    weights = numpy_helper.to_array(values[following.input[1]]).copy()
    channels = weights.shape[1]
    wide = np.ones((channels, 1, 1, 1), np.float32)
    wide[CHANNEL] = FACTOR
    weights[:, CHANNEL] /= FACTOR
    values[following.input[1]].CopyFrom(numpy_helper.from_array(weights, following.input[1]))
    graph.initializer.append(numpy_helper.from_array(wide, "wide"))
    place = list(graph.node).index(following)
    graph.node.insert(
        place, helper.make_node("Conv", [following.input[0], "wide"], ["widened"], name="depthwise", group=channels)
    )
    graph.node[place + 1].input[0] = "widened"
    return model


def edited(made: Any, folder: Path, edit: Callable[[onnx.ModelProto], onnx.ModelProto]) -> Path:
    """The converted set with another ONNX file in it."""
    shutil.copytree(made.model.with_name("converted"), folder)
    path = folder / "onnx-fp32.onnx"
    path.write_bytes(edit(onnx.load(path)).SerializeToString())
    text = json.loads((folder / VARIANTS_FILE).read_text())
    text["variants"][1] |= {"sha256": sha256_of_file(path), "size_bytes": path.stat().st_size}
    (folder / VARIANTS_FILE).write_text(json.dumps(text))
    return folder


def run(made: Any, converted: Path, folder: Path, **params: Any) -> VariantSet:
    return quantize(
        QuantizeParams(calibration_samples=60, **params),
        converted=converted,
        dataset=made.dataset,
        validation=made.validation,
        quantized=folder,
    )


@pytest.fixture(scope="module")
def cliff(made: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return edited(made, tmp_path_factory.mktemp("cliff") / "converted", steepened)


LIMITS = QuantizeLimits(max_accuracy_drop=0.05, min_agreement=0.95, max_size_ratio=10)
"""A topology of XML is larger than the weights of a network this small."""


@pytest.fixture(scope="module", params=["onnxruntime_static", "onnxruntime_symmetric", "nncf"])
def recovered(request: pytest.FixtureRequest, made: Any, cliff: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if request.param == "nncf":
        pytest.importorskip("nncf")
    folder = tmp_path_factory.mktemp("out") / "quantized"
    (variant,) = run(made, cliff, folder, schemes=(request.param,), limits=LIMITS).variants
    return variant


def test_the_steep_model_answers_as_the_one_it_was_made_from(made: Any, cliff: Path) -> None:
    from edgeloop import plugins

    runtime = plugins.load("runtimes", "onnxruntime")
    inputs = np.random.default_rng(0).standard_normal((8, 1, 8, 8), dtype=np.float32)
    flat, steep = (
        runtime.open(folder / "onnx-fp32.onnx", threads=1).run(inputs)["logits"]
        for folder in (made.model.with_name("converted"), cliff)
    )
    np.testing.assert_allclose(flat, steep, rtol=1e-3, atol=1e-3)


def test_plain_quantization_falls_off_the_cliff(recovered: Variant) -> None:
    plain = recovered.details["trials"][0]
    assert plain["rung"] == "plain" and "accuracy_drop" in plain["failed"]


def test_mixed_precision_brings_it_back(recovered: Variant) -> None:
    assert recovered.accepted
    assert recovered.details["trials"][-1]["rung"] == "mixed precision"


def test_the_most_sensitive_layer_lies_at_the_cliff_and_stays_float(recovered: Variant, cliff: Path) -> None:
    """NNCF rounds what goes into a layer, ONNX Runtime what comes out as well."""
    nodes = [node.name for node in onnx.load(cliff / "onnx-fp32.onnx").graph.node if node.op_type == "Conv"]
    worst = recovered.details["sensitivity"][0]["layer"]
    assert worst.removesuffix("/WithoutBiases") in nodes[1:3]
    assert worst in recovered.made_by.options["kept_float"]


def test_everything_that_was_tried_stands_in_the_record_of_the_tool(recovered: Variant) -> None:
    assert [trial["rung"] for trial in recovered.made_by.options["tried"]] == [
        trial["rung"] for trial in recovered.details["trials"]
    ]


def test_only_the_chosen_file_is_left(made: Any, cliff: Path, tmp_path: Path) -> None:
    run(made, cliff, tmp_path / "quantized", limits=LIMITS)
    assert sorted(path.name for path in (tmp_path / "quantized").iterdir()) == [
        "model.json", "onnx-int8.onnx", "variants.json",
    ]  # fmt: skip


def test_two_searches_end_with_the_same_bytes(made: Any, cliff: Path, tmp_path: Path) -> None:
    sets = [run(made, cliff, tmp_path / name, limits=LIMITS) for name in ("one", "other")]
    assert sets[0] == sets[1]


def test_where_nothing_helps_float_is_kept_with_the_reason(made: Any, cliff: Path, tmp_path: Path) -> None:
    limits = QuantizeLimits(min_sqnr_db=150, max_size_ratio=1.0)
    (variant,) = run(made, cliff, tmp_path / "quantized", limits=limits).variants
    assert not variant.accepted
    assert variant.details["fallback"].startswith("float is kept: none of 8 trials")
    assert {trial["rung"] for trial in variant.details["trials"]} == {
        "plain", "mixed precision", "calibration", "bias correction", "quantization-aware training",
    }  # fmt: skip


def test_no_more_files_are_made_than_there_are_trials(made: Any, cliff: Path, tmp_path: Path) -> None:
    limits = QuantizeLimits(min_sqnr_db=150)
    (variant,) = run(made, cliff, tmp_path / "quantized", limits=limits, trials=2).variants
    assert len(variant.details["trials"]) == 2


def test_a_file_that_is_only_too_large_is_not_tried_again(made: Any, tmp_path: Path) -> None:
    converted = made.model.with_name("converted")
    limits = QuantizeLimits(max_size_ratio=0.001)
    (variant,) = run(made, converted, tmp_path / "quantized", limits=limits).variants
    assert "trials" not in variant.details
    assert "size_ratio fail" in variant.details["fallback"]


def test_half_the_size_is_judged_as_int8_is(made: Any, tmp_path: Path) -> None:
    converted = made.model.with_name("converted")
    found = run(
        made, converted, tmp_path / "quantized", schemes=("openvino_fp16", "openvino_bf16"), limits=LIMITS
    ).variants
    assert [(v.name, v.format, v.precision, v.accepted) for v in found] == [
        ("openvino-fp16", "openvino", "fp16", True),
        ("openvino-bf16", "openvino", "bf16", True),
    ]


def test_a_method_that_a_scheme_does_not_know_is_refused_before_anything_runs() -> None:
    with pytest.raises(ValueError, match="nncf knows minmax, percentile"):
        QuantizeParams(schemes=("onnxruntime_static", "nncf"), calibration_method="entropy")
