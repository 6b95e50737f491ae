"""In which precision the layers of an engine compute, by TensorRT's engine inspector.

The inspector tells the format of every tensor of a layer, not the type that it computes in; a layer's is taken to be
that of its first input. TensorRT 10 writes it in words (`Format/Datatype`), 11 in a field of its own (`DataType`).
"""

import json
import re
from collections import Counter
from typing import Any

from edgeloop.runtimes import Placement, fallen_back

PROVIDER = "tensorrt"
_WORDS = (
    (re.compile(r"int8", re.I), "int8"),
    (re.compile(r"fp8", re.I), "fp8"),
    (re.compile(r"bf16|bfloat16", re.I), "bfloat16"),
    (re.compile(r"fp16|half", re.I), "float16"),
    (re.compile(r"fp32|float", re.I), "float32"),
    (re.compile(r"int32|int64|bool", re.I), "integer"),
)
COMPUTING = re.compile(r"conv|gemm|matmul|matrix|myelin|fullyconnected", re.I)
"""Types of layers that multiply, as the inspector names them."""


def placement_of(trt: Any, engine: Any) -> Placement:
    """What the inspector tells; nothing of precisions where the engine was built with names of layers alone."""
    text = engine.create_engine_inspector().get_engine_information(trt.LayerInformationFormat.JSON)
    try:
        layers = json.loads(text).get("Layers", [])
    except (ValueError, AttributeError):
        layers = []
    told = [(_name(layer), _kind(layer), _precision(layer)) for layer in layers]
    computed = [(name, precision) for name, kind, precision in told if COMPUTING.search(kind)]
    return Placement(
        providers={PROVIDER: len(told)},
        precisions=dict(sorted(Counter(precision for _, _, precision in told).items())),
        fell_back=fallen_back(computed),
    )


def _name(layer: Any) -> str:
    return str(layer.get("Name", "?")) if isinstance(layer, dict) else str(layer)


def _kind(layer: Any) -> str:
    return str(layer.get("LayerType", "")) if isinstance(layer, dict) else ""


def _precision(layer: Any) -> str:
    inputs = layer.get("Inputs") if isinstance(layer, dict) else None
    first = inputs[0] if inputs else {}
    words = str(first.get("DataType") or first.get("Format/Datatype") or "")
    return next((name for pattern, name in _WORDS if pattern.search(words)), "unknown")
