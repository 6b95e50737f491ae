"""On a small network that the converter made: 1, 8, 8, 1 → four layers → 1, 3."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeloop import plugins
from edgeloop.errors import MissingExtra
from edgeloop.litert_files import Graph, channels_last, corrected
from edgeloop.optimization.recipes import Recipe
from edgeloop.quantization import QuantizeParams
from edgeloop.quantization.litert_static import plugin as scheme

TESTS = Path(__file__).parents[2]
MODEL = TESTS / "contracts" / "models" / "cnn.tflite"
TWO_HEADS = TESTS / "edgeloop" / "runtimes" / "models" / "two_heads.tflite"
INPUTS = np.random.default_rng(0).standard_normal((32, 1, 8, 8), dtype=np.float32)
PLAIN = Recipe()


@pytest.fixture(autouse=True)
def _installed(request: pytest.FixtureRequest) -> None:
    if "missing" not in request.node.name:
        pytest.importorskip("litert_quantizer")


def quantized(tmp_path: Path, inputs: np.ndarray = INPUTS, recipe: Recipe = PLAIN, source: Path = MODEL) -> Path:
    target = tmp_path / "m.tflite"
    scheme.quantize(source, [inputs], target=target, recipe=recipe)
    return target


def answered(path: Path, inputs: np.ndarray = INPUTS) -> dict[str, np.ndarray]:
    return plugins.load("runtimes", "litert").open(path, threads=1).run(inputs)


def tensors(path: Path, kind: str) -> Iterator[Any]:
    """What the operators of that kind read and give, as the format's own objects."""
    graph = Graph(path.read_bytes())
    for node in graph.nodes:
        if node.kind == kind:
            yield [graph.tensors[index] for index in (*node.inputs, *node.outputs)]


def test_without_its_package_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "litert_quantizer", None)
    with pytest.raises(MissingExtra, match=r"pip install 'edgeloop\[litert_static\]'"):
        scheme.layers(MODEL)


def test_layers_are_the_operators_of_a_weight() -> None:
    assert scheme.layers(MODEL) == ("DEPTHWISE_CONV_2D.0", "CONV_2D.2", "CONV_2D.3", "FULLY_CONNECTED.5")


def test_activations_and_weights_are_int8_and_weights_symmetric_per_channel(tmp_path: Path) -> None:
    from ai_edge_litert.schema_py_generated import TensorType

    for given, weights, bias, result in tensors(quantized(tmp_path), "CONV_2D"):
        assert (given.type, weights.type, bias.type, result.type) == (
            TensorType.INT8, TensorType.INT8, TensorType.INT32, TensorType.INT8,
        )  # fmt: skip
        assert len(weights.quantization.scale) == weights.shape[0]
        assert not np.any(weights.quantization.zeroPoint)


def test_input_and_output_stay_float_behind_a_conversion(tmp_path: Path) -> None:
    kinds = [node.kind for node in Graph(quantized(tmp_path).read_bytes()).nodes]
    assert (kinds[0], kinds[-1]) == ("QUANTIZE", "DEQUANTIZE")
    assert answered(quantized(tmp_path))["logits"].dtype == np.float32


def test_a_kept_layer_has_float_weights_and_the_others_have_not(tmp_path: Path) -> None:
    from ai_edge_litert.schema_py_generated import TensorType

    path = quantized(tmp_path, recipe=Recipe(kept_float=("CONV_2D.3",)))
    kinds = [weights.type for _, weights, *_ in tensors(path, "CONV_2D")]
    assert kinds == [TensorType.INT8, TensorType.FLOAT32]


def test_with_all_layers_kept_no_value_is_rounded(tmp_path: Path) -> None:
    path = quantized(tmp_path, recipe=Recipe(kept_float=scheme.layers(MODEL)))
    assert answered(path)["logits"].tobytes() == answered(MODEL)["logits"].tobytes()


def test_percentile_leaves_an_outlier_out_of_the_range(tmp_path: Path) -> None:
    wild = INPUTS.copy()
    wild[0, 0, 0, 0] = 1000
    errors = {}
    for method in ("minmax", "percentile"):
        path = quantized(tmp_path, wild, Recipe(method=method))
        errors[method] = np.abs(answered(path)["logits"] - answered(MODEL)["logits"]).mean()
    assert errors["percentile"] < errors["minmax"] / 3


@pytest.mark.parametrize("method", ["minmax", "percentile"])
def test_an_infinity_is_in_no_range(tmp_path: Path, method: Any) -> None:
    padded = INPUTS.copy()
    padded[3, 0, 0, 0] = -np.inf
    path = quantized(tmp_path, padded, Recipe(method=method))
    (_, rounded), *_ = tensors(path, "QUANTIZE")
    assert np.isfinite(answered(path)["logits"]).all()
    assert rounded.quantization.scale[0] < np.ptp(INPUTS) / 200


def test_ranges_are_those_of_all_samples_in_any_order(tmp_path: Path) -> None:
    assert quantized(tmp_path).read_bytes() == quantized(tmp_path, INPUTS[::-1]).read_bytes()


def test_a_corrected_bias_holds_what_rounded_weights_take_from_the_mean() -> None:
    graph = Graph(MODEL.read_bytes())
    last = graph.layers[-1]
    mean = np.linspace(-1, 2, 32)
    after = Graph(corrected(MODEL.read_bytes(), {graph.name(last.inputs[0]): mean}))
    weights = graph.constant(last.inputs[1]).astype(np.float64)
    step = np.abs(weights).max(axis=1, keepdims=True) / 127
    lost = (weights - np.round(weights / step) * step) @ mean
    found = after.constant(after.layers[-1].inputs[2]) - graph.constant(last.inputs[2])
    np.testing.assert_allclose(found, lost, atol=1e-6)


def test_only_the_layer_that_is_named_gets_another_bias() -> None:
    graph = Graph(MODEL.read_bytes())
    before = [graph.constant(node.inputs[2]).tolist() for node in graph.layers]
    after = Graph(Graph(MODEL.read_bytes()).with_biases({"CONV_2D.2": np.ones(16, np.float32)}))
    assert [after.constant(node.inputs[2]).tolist() for node in after.layers] == [before[0], [1.0] * 16, *before[2:]]


def test_other_biases_make_the_file_no_larger_than_their_names() -> None:
    biases = {node.name: np.ones(node_channels(node), np.float32) for node in Graph(MODEL.read_bytes()).layers}
    changed = Graph(MODEL.read_bytes()).with_biases(biases)
    assert 0 <= len(changed) - len(Graph(MODEL.read_bytes()).with_biases({})) < 150 * len(biases)


def node_channels(node: Any) -> int:
    graph = Graph(MODEL.read_bytes())
    return int(graph.constant(node.inputs[2]).size)


def test_bias_correction_lessens_the_mean_error_of_coarse_weights(tmp_path: Path) -> None:
    """Of a network whose first layer has one weight that is far larger than the others of its channel."""
    graph = Graph(MODEL.read_bytes())
    coarse = graph.constant(graph.layers[0].inputs[1]).copy()
    coarse[:, 0, 0, :] *= 100
    buffer = graph.model.buffers[graph.tensors[graph.layers[0].inputs[1]].buffer]
    buffer.data = np.frombuffer(coarse.tobytes(), np.uint8)
    source = tmp_path / "coarse.tflite"
    source.write_bytes(graph.with_biases({}))
    inputs = np.abs(INPUTS)
    expected = answered(source, inputs)["logits"]
    errors = {}
    for how in ("none", "full"):
        path = quantized(tmp_path, inputs, Recipe(bias_correction=how), source)
        errors[how] = np.abs((answered(path, inputs)["logits"] - expected).mean(axis=0)).max()
    assert errors["full"] < errors["none"]


def test_inputs_are_turned_for_a_file_that_takes_the_channels_last(tmp_path: Path) -> None:
    inputs = np.random.default_rng(0).standard_normal((8, 2, 4, 6), dtype=np.float32)
    path = quantized(tmp_path, inputs, source=TWO_HEADS)
    expected, found = answered(TWO_HEADS, inputs), answered(path, inputs)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=0.05 * np.abs(values).max())


def test_the_heads_have_scales_of_their_own(tmp_path: Path) -> None:
    inputs = np.random.default_rng(0).standard_normal((8, 2, 4, 6), dtype=np.float32)
    outputs = [last[-1] for last in tensors(quantized(tmp_path, inputs, source=TWO_HEADS), "CONV_2D")]
    assert outputs[0].quantization.scale[0] != outputs[1].quantization.scale[0]


def test_it_says_nothing_on_stdout_and_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quantized(tmp_path)
    assert capsys.readouterr() == ("", "")


def test_a_shape_that_is_the_same_in_both_orders_is_not_turned() -> None:
    assert channels_last((8, 6, 3), (3, 8, 6))
    assert not channels_last((3, 3, 3), (3, 3, 3))
    assert not channels_last((16,), (16,))


def test_a_method_that_it_does_not_know_is_refused_with_those_it_knows() -> None:
    with pytest.raises(ValueError, match="litert_static knows minmax, percentile"):
        QuantizeParams(schemes=("litert_static",), calibration_method="entropy")
