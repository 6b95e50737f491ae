"""Quantization of converted variants, one scheme a file."""

from typing import Literal

from pydantic import Field

from edgeloop.contract import Contract


class QuantizeLimits(Contract):
    """What a quantized file must keep to, judged on val against the float file it was made from."""

    max_accuracy_drop: float = Field(default=0.01, ge=0, le=1, description="share of samples, 0.01 is one point")
    min_agreement: float = Field(default=0.97, ge=0, le=1, description="share of samples with the same answer as float")
    max_size_ratio: float = Field(default=0.75, gt=0, le=2, description="file size over that of the float file")


class QuantizeParams(Contract):
    """Section `quantize`."""

    schemes: tuple[str, ...] = Field(default=("onnxruntime_static",), description="plug-ins of edgeloop.quantization")
    calibration_samples: int = Field(default=256, ge=8, le=65_536, description="from train, stratified by class")
    calibration_method: Literal["minmax", "entropy", "percentile"] = "minmax"
    seed: int = Field(default=0, ge=0, lt=2**32, description="of the choice of the calibration set")
    limits: QuantizeLimits = QuantizeLimits()
