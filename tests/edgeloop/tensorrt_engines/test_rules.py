import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeloop import plugins
from edgeloop.optimization.recipes import Recipe
from edgeloop.tensorrt_engines.rules import checks_of, read_model


def statuses(model: onnx.ModelProto, version: str | None = None) -> dict[str, str]:
    return {check.name: check.status for check in checks_of(model, version=version)}


def broken(model: onnx.ModelProto) -> list[str]:
    return [name for name, status in statuses(model).items() if status != "pass"]


def test_a_float_file_is_judged_by_opset_and_operators_alone(floats) -> None:
    assert statuses(floats) == {"tensorrt_opset": "pass", "tensorrt_operators": "pass"}


def test_a_sound_quantized_file_passes_every_rule(quantized) -> None:
    assert not broken(quantized())
    assert len(statuses(quantized())) == 8


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"zero_point": 3}, ["qdq_zero_points"]),
        ({"kind": np.uint8}, ["qdq_types"]),
        ({"kind": np.uint8, "zero_point": 128}, ["qdq_types", "qdq_zero_points"]),
        ({"scale": 0.0}, ["qdq_scales"]),
        ({"scale": -0.1}, ["qdq_scales"]),
        ({"scale": float("inf")}, ["qdq_scales"]),
        ({"weight_scales": (0.1, 0.1), "axis": 1}, ["qdq_axes"]),
        ({"bias": True}, ["qdq_biases"]),
    ],
)
def test_what_tensorrt_does_not_take_fails_by_name(quantized, change: dict, rule: list[str]) -> None:
    assert broken(quantized(**change)) == rule


def test_the_file_of_the_scheme_for_other_runtimes_is_told_apart(quantized) -> None:
    (check,) = (c for c in checks_of(quantized(kind=np.uint8)) if c.name == "qdq_types")
    assert check.reason == "not int8: q, dq"


def test_a_quantizer_that_nothing_dequantizes_fails(quantized) -> None:
    model = quantized()
    model.graph.node[1].op_type, model.graph.node[1].input[:] = "Cast", ["q"]
    model.graph.node[1].attribute.append(helper.make_attribute("to", 1))
    assert "qdq_pairs" in broken(model)


def test_scales_that_are_computed_fail(quantized) -> None:
    model = quantized()
    model.graph.node[0].input[1] = "x"
    assert "qdq_scales" in broken(model)


def test_an_operator_that_is_on_no_list_is_named(floats) -> None:
    floats.graph.node[1].op_type = "Det"
    (check,) = (c for c in checks_of(floats) if c.status == "fail")
    assert (check.name, check.reason) == ("tensorrt_operators", "no parser for: Det")


def test_an_operator_of_onnx_runtimes_own_is_named_with_its_domain(floats) -> None:
    floats.graph.node[1].domain = "com.microsoft"
    (check,) = (c for c in checks_of(floats) if c.status == "fail")
    assert check.reason == "no parser for: com.microsoft.Relu"


@pytest.mark.parametrize(
    ("opset", "version", "status"),
    [
        (20, None, "pass"), (22, None, "not evaluated"), (26, None, "fail"), (8, None, "fail"),
        (20, "10.3.0", "pass"), (21, "10.3.0", "fail"), (24, "10.15.1", "pass"), (25, "11.4.0.106", "fail"),
        (25, "11.5.0", "pass"),
    ],
)  # fmt: skip
def test_the_opset_is_judged_for_the_version_and_without_one_for_all(floats, opset, version, status) -> None:
    floats.opset_import[0].version = opset
    assert statuses(floats, version)["tensorrt_opset"] == status


@pytest.mark.parametrize(
    ("scheme", "missed"), [("onnxruntime_symmetric", []), ("onnxruntime_static", ["qdq_types", "qdq_zero_points"])]
)
def test_of_the_schemes_the_symmetric_one_makes_what_tensorrt_takes(tmp_path, scheme: str, missed: list[str]) -> None:
    """A convolution, a mean and a product with biases, as the classifiers have them."""
    rng = np.random.default_rng(0)
    values = [
        numpy_helper.from_array(rng.standard_normal(shape, dtype=np.float32), name)
        for name, shape in (("w", (4, 1, 3, 3)), ("b", (4,)), ("fc", (3, 4)), ("fb", (3,)))
    ]
    nodes = [
        helper.make_node("Conv", ["input", "w", "b"], ["c"], name="conv"),
        helper.make_node("Relu", ["c"], ["r"], name="relu"),
        helper.make_node("GlobalAveragePool", ["r"], ["m"], name="mean"),
        helper.make_node("Flatten", ["m"], ["f"], name="flat"),
        helper.make_node("Gemm", ["f", "fc", "fb"], ["logits"], name="product", transB=1),
    ]
    ports = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("input", ["N", 1, 8, 8]), ("logits", ["N", 3]))
    ]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], values)
    source = tmp_path / "float.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), source)
    target = tmp_path / "int8.onnx"
    inputs = [rng.standard_normal((8, 1, 8, 8), dtype=np.float32)]
    plugins.load("quantization", scheme).quantize(source, inputs, target=target, recipe=Recipe(method="minmax"))
    found = broken(read_model(target))
    assert [rule for rule in found if rule != "qdq_biases"] == missed
    assert ("qdq_biases" in found) == bool(missed)
