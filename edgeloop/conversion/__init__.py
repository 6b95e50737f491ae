"""Conversion of a trained model, one target format a file."""

from pydantic import Field

from edgeloop.contract import Contract


class ConvertParams(Contract):
    """Section `convert`."""

    formats: tuple[str, ...] = Field(default=("onnx",), min_length=1, description="plug-ins of edgeloop.conversion")
    opset: int = Field(default=20, ge=18, le=23, description="of ONNX")
    parity_samples: int = Field(default=64, ge=1, le=4096, description="real samples from val")
    max_relative_error: float = Field(
        default=1e-3, gt=0, le=1, description="largest per output, against the trained model"
    )
