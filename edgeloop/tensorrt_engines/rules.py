"""What can be said of an ONNX file for TensorRT before any builder sees it: opset, operators, and its Q/DQ nodes.

TensorRT takes a quantized file as it is: where a QuantizeLinear and a DequantizeLinear stand decides what computes in
int8. It takes signed, symmetric int8 only; activations have one scale, weights one for each output channel; biases stay
float. Each rule is one check. Sources: docs/tensorrt.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.errors import ModelFault, translated
from edgeloop.plugins import missing_extra
from edgeloop.variants import Check

LAST_OPSETS = (((10, 0), 20), ((10, 15), 24), ((11, 5), 25))
"""From this version on, the last opset of the parser: documented for 10.15 and 11.5; 20 is on the safe side before."""

FIRST_OPSET = 9

OPERATORS = frozenset(  # a page of quoted names is harder to compare with NVIDIA's list
    """
    Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization BlackmanWindow
    Cast CastLike Ceil Celu Clip Concat Constant ConstantOfShape Conv ConvTranspose Cos Cosh CumSum DeformConv
    DepthToSpace DequantizeLinear Div Dropout Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather
    GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample
    GroupNormalization HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity If ImageScaler
    InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop
    LpNormalization LpPool MatMul Max MaxPool Mean MeanVarianceNormalization Min Mish Mod Mul Neg NonMaxSuppression
    NonZero Not OneHot Or PRelu Pad ParametricSoftplus Pow QuantizeLinear RMSNormalization RNN RandomNormal
    RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
    ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence RoiAlign
    RotaryEmbedding Round STFT ScaledTanh Scan Scatter ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin
    Sinh Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tan Tanh TensorScatter
    ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Upsample Where Xor
    """.split()  # noqa: SIM905
)
"""Of the list for TensorRT 10.15. An older one may lack some, which its parser then tells."""

LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
MOST_NAMED = 3


def read_model(path: Path) -> Any:
    """The onnx.ModelProto in a file that holds all its values.

    Raises:
        InputFault: There is no such file.
        ModelFault: It is no ONNX model.
        MissingExtra: onnx is not installed.
    """
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise missing_extra(error, "onnx") from error
    with translated(path):
        content = path.read_bytes()
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except Exception as error:  # protobuf's own
        raise ModelFault("is no whole ONNX file", where=str(path), fix="convert it again") from error
    if not model.graph.node:
        raise ModelFault("is no ONNX model: it holds no node", where=str(path), fix="convert it again")
    return model


def checks_of(model: Any, *, version: str | None = None) -> tuple[Check, ...]:
    """The checks of an onnx.ModelProto.

    Args:
        model: Valid ONNX.
        version: Of TensorRT; where there is none, the file is judged for every known one.
    """
    found = (_opset(model, version), _operators(model))
    graph = _Graph.of(model.graph)
    return (*found, *_quantization(graph)) if graph.quantizers or graph.dequantizers else found


def _opset(model: Any, version: str | None) -> Check:
    name = "tensorrt_opset"
    opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)
    lasts = [last for _, last in LAST_OPSETS] if version is None else [_last_opset(version)]
    of = f"TensorRT {version}" if version else "TensorRT 10 and 11"
    if not FIRST_OPSET <= opset <= max(lasts):
        reason = f"the file is of opset {opset}; the parser takes {FIRST_OPSET} to {max(lasts)}"
        return Check(name=name, status="fail", value=opset, limit=max(lasts), reason=reason)
    if opset <= min(lasts):
        reason = f"the parser of {of} takes {FIRST_OPSET} to {min(lasts)}"
        return Check(name=name, status="pass", value=opset, limit=min(lasts), reason=reason)
    since = next(".".join(map(str, first)) for first, last in LAST_OPSETS if opset <= last)
    reason = f"needs TensorRT {since} or later, which is not here to ask; set convert.opset to {min(lasts)} for older"
    return Check(name=name, status="not evaluated", value=opset, limit=min(lasts), reason=reason)


def _last_opset(version: str) -> int:
    known = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    return max((last for first, last in LAST_OPSETS if first <= known), default=LAST_OPSETS[0][1])


def _operators(model: Any) -> Check:
    own = {(function.domain, function.name) for function in model.functions}
    nodes = [*_nodes(model.graph), *(node for function in model.functions for node in function.node)]
    strange = {
        f"{node.domain}.{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type
        for node in nodes
        if (node.domain, node.op_type) not in own
        and (node.domain not in ("", "ai.onnx") or node.op_type not in OPERATORS)
    }
    return _check("tensorrt_operators", sorted(strange), "no parser for", "all are on the list for TensorRT 10.15")


def _nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
                yield from _nodes(inner)


@dataclass(frozen=True)
class _Graph:
    """The main graph, by what its tensors come from and go to."""

    nodes: Sequence[Any]
    quantizers: Sequence[Any]
    dequantizers: Sequence[Any]
    constants: dict[str, Any]
    """onnx.TensorProto by name; few of them are ever unpacked."""
    makers: dict[str, Any]
    readers: dict[str, list[tuple[Any, int]]]
    """Node and place among its inputs."""
    outputs: frozenset[str]

    @classmethod
    def of(cls, graph: Any) -> "_Graph":
        constants = {tensor.name: tensor for tensor in graph.initializer}
        readers: dict[str, list[tuple[Any, int]]] = {}
        for node in graph.node:
            if node.op_type == "Constant":
                for value in (a.t for a in node.attribute if a.name == "value"):
                    constants[node.output[0]] = value
            for place, name in enumerate(node.input):
                readers.setdefault(name, []).append((node, place))
        return cls(
            nodes=graph.node,
            quantizers=[node for node in graph.node if node.op_type == "QuantizeLinear"],
            dequantizers=[node for node in graph.node if node.op_type == "DequantizeLinear"],
            constants=constants,
            makers={name: node for node in graph.node for name in node.output},
            readers=readers,
            outputs=frozenset(value.name for value in graph.output),
        )

    def constant(self, node: Any, place: int) -> NDArray[Any] | None:
        """The constant at that place of the node's inputs; None where there is none, or it is computed."""
        from onnx import numpy_helper

        found = self.constants.get(node.input[place]) if len(node.input) > place else None
        return None if found is None else numpy_helper.to_array(found)


def _quantization(graph: _Graph) -> tuple[Check, ...]:
    both = [*graph.quantizers, *graph.dequantizers]
    return (
        _check("qdq_types", [_named(n) for n in both if not _is_int8(n, graph)], "not int8", "int8"),
        _check("qdq_zero_points", [_named(n) for n in both if not _is_symmetric(n, graph)], "not 0", "all are 0"),
        _check(
            "qdq_scales",
            [_named(n) for n in both if not _has_scales(n, graph)],
            "not constant, finite and positive",
            "all are constant and positive",
        ),
        _check(
            "qdq_axes",
            [_named(n) for n in both if not _has_axis(n, graph)],
            "not one scale for an activation, or one for each output channel of a weight",
            "activations per tensor, weights per tensor or output channel",
        ),
        _check("qdq_pairs", _unpaired(graph), "quantized without being dequantized, or the reverse", "in pairs"),
        _check("qdq_biases", _quantized_biases(graph), "a bias is quantized", "biases are float"),
    )


def _check(name: str, broken: Sequence[str], what: str, otherwise: str) -> Check:
    if not broken:
        return Check(name=name, status="pass", reason=otherwise)
    more = f" and {len(broken) - MOST_NAMED} more" if len(broken) > MOST_NAMED else ""
    return Check(name=name, status="fail", reason=f"{what}: {', '.join(broken[:MOST_NAMED])}{more}")


def _named(node: Any) -> str:
    return str(node.name or node.output[0])


def _is_int8(node: Any, graph: _Graph) -> bool:
    """By the zero point, else by the attribute of opset 21, else by what goes in; ONNX's own default is uint8."""
    from onnx import TensorProto

    zero_points = graph.constant(node, 2)
    if zero_points is not None:
        return bool(zero_points.dtype == np.int8)
    if node.op_type == "DequantizeLinear":
        values, maker = graph.constant(node, 0), graph.makers.get(node.input[0])
        if values is not None:
            return bool(values.dtype == np.int8)
        return maker is not None and maker.op_type == "QuantizeLinear" and _is_int8(maker, graph)
    return any(a.name == "output_dtype" and a.i == TensorProto.INT8 for a in node.attribute)


def _is_symmetric(node: Any, graph: _Graph) -> bool:
    if len(node.input) < 3 or not node.input[2]:
        return True
    zero_points = graph.constant(node, 2)
    return zero_points is not None and not np.any(zero_points)


def _has_scales(node: Any, graph: _Graph) -> bool:
    scales = graph.constant(node, 1)
    return scales is not None and bool(np.all(np.isfinite(scales)) and np.all(scales > 0))


def _has_axis(node: Any, graph: _Graph) -> bool:
    scales = graph.constant(node, 1)
    if scales is None or scales.size == 1:
        return True  # per tensor; scales that are computed are told by another rule
    weights = _weights(node, graph)
    if weights is None:
        return False
    axis = next((a.i for a in node.attribute if a.name == "axis"), 1) % weights.ndim
    readers = _final_readers(node, graph)
    if all(_is_bias(reader, place) for reader, place in readers):
        return True  # told by another rule
    wanted = {_output_axis(reader, place, weights.ndim) for reader, place in readers}
    return wanted == {axis} and scales.size == weights.shape[axis]


def _weights(node: Any, graph: _Graph) -> NDArray[Any] | None:
    """The constant that a quantizer or dequantizer works on, through the one before it; None for an activation."""
    values = graph.constant(node, 0)
    if values is None and node.op_type == "DequantizeLinear":
        maker = graph.makers.get(node.input[0])
        return graph.constant(maker, 0) if maker is not None and maker.op_type == "QuantizeLinear" else None
    return values


def _final_readers(node: Any, graph: _Graph) -> list[tuple[Any, int]]:
    """What reads the float values again."""
    found = graph.readers.get(node.output[0], [])
    if node.op_type == "DequantizeLinear":
        return found
    return [reader for middle, _ in found for reader in graph.readers.get(middle.output[0], [])]


def _output_axis(node: Any, place: int, rank: int) -> int | None:
    """Of a weight at that place among the node's inputs: the axis of the output channels."""
    if place != 1 or node.op_type not in LAYERS:
        return None
    if node.op_type == "Gemm":
        return 0 if any(a.name == "transB" and a.i for a in node.attribute) else 1
    return {"Conv": 0, "ConvTranspose": 1, "MatMul": rank - 1}[str(node.op_type)]


def _unpaired(graph: _Graph) -> list[str]:
    alone = [
        _named(node)
        for node in graph.quantizers
        if node.output[0] in graph.outputs
        or {reader.op_type for reader, _ in graph.readers.get(node.output[0], [])} != {"DequantizeLinear"}
    ]
    for node in graph.dequantizers:
        maker = graph.makers.get(node.input[0])
        quantized = maker is not None and maker.op_type in ("QuantizeLinear", "Constant")
        if not quantized and node.input[0] not in graph.constants:
            alone.append(_named(node))
    return alone


def _quantized_biases(graph: _Graph) -> list[str]:
    return [
        _named(reader)
        for node in graph.dequantizers
        for reader, place in graph.readers.get(node.output[0], [])
        if _is_bias(reader, place)
    ]


def _is_bias(reader: Any, place: int) -> bool:
    return place == 2 and reader.op_type in LAYERS
