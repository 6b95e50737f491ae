"""What an engine is built with."""

from typing import Literal

from pydantic import Field, model_validator

from edgeloop.contract import Contract

WeakPrecision = Literal["none", "fp16", "bf16"]


class EngineOptions(Contract):
    """Part `tensorrt` of section `convert`."""

    least_batch: int = Field(default=1, ge=1, le=65_536, description="smallest batch that the engine takes")
    usual_batch: int = Field(default=1, ge=1, le=65_536, description="batch that its kernels are chosen for")
    largest_batch: int = Field(default=32, ge=1, le=65_536, description="largest; more are answered in parts")
    weak_precision: WeakPrecision = Field(
        default="none",
        description="none: each layer computes in the type that the file says; fp16, bf16: the builder may choose it as"
        " well, with TensorRT 10 only",
    )
    tf32: bool = Field(default=False, description="may round the inputs of float32 products to 10 bits of mantissa")
    workspace_mib: int = Field(default=1024, ge=16, le=1_048_576, description="most scratch memory of a layer")
    optimization_level: int = Field(default=3, ge=0, le=5, description="the higher, the longer kernels are searched")
    version_compatible: bool = Field(
        default=False, description="later versions of TensorRT load it too; their lean runtime is not packed in"
    )
    hardware_compatibility: Literal["none", "ampere_plus", "same_compute_capability"] = Field(
        default="none", description="other GPUs that load it too, at a cost of speed"
    )

    @model_validator(mode="after")
    def _ordered(self) -> "EngineOptions":
        if not self.least_batch <= self.usual_batch <= self.largest_batch:
            raise ValueError("least_batch, usual_batch and largest_batch must not fall")
        return self
