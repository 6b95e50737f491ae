"""ONNX files that hold the model and nothing of the machine that wrote them."""

from pathlib import Path
from typing import Any

from edgeloop.errors import ModelFault
from edgeloop.files import whole_file

PRODUCER = "edgeloop"
NOISE = ("metadata_props", "doc_string")
"""Fields where exporters and optimisers leave stack traces, paths and marks of their passes."""


def write_clean(model: Any, path: Path) -> None:
    """Writes `model` (an onnx.ModelProto, which it strips) so that equal models are equal bytes.

    Raises:
        ModelFault: The model is larger than a protobuf message can be, 2 GB.
    """
    strip(model)
    model.producer_name = PRODUCER
    for field in ("producer_version", "domain", "model_version"):
        model.ClearField(field)
    model.graph.name = "model"
    try:
        content = model.SerializeToString(deterministic=True)
    except ValueError as error:  # protobuf's limit
        raise ModelFault("is larger than 2 GB as one ONNX file", where=str(path), fix="use a smaller model") from error
    with whole_file(path) as partial:
        partial.write_bytes(content)


def strip(message: Any) -> None:
    """Clears the noise from a protobuf message and from every message in it."""
    for name in NOISE:
        if name in message.DESCRIPTOR.fields_by_name:
            message.ClearField(name)
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.label == field.LABEL_REPEATED else [value]:
                strip(part)


def fault_of(model: Any) -> str:
    """Why `model` is not valid ONNX: operators, types and shapes checked; empty where it is."""
    import onnx

    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        return " ".join(str(error).split())
    return ""
