"""OpenVINO's IR with weights of half the size; nothing is calibrated."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeloop.openvino_files import SUFFIX, ComputeType, convert_onnx
from edgeloop.optimization.recipes import Method, Recipe
from edgeloop.variants import Precision, Tool


@dataclass(frozen=True)
class HalfScheme:
    """A scheme of `edgeloop.quantization`: float16 weights, computed in what `compute` says."""

    variant: str
    precision: Precision
    compute: ComputeType
    source: str = "onnx-fp32"
    format: str = "openvino"
    suffix: str = SUFFIX
    runtime: str = "openvino"
    methods: tuple[Method, ...] = ()
    corrects_bias: bool = False

    def layers(self, source: Path) -> tuple[str, ...]:  # noqa: ARG002
        """None: all weights are halved alike."""
        return ()

    def quantize(
        self,
        source: Path,
        inputs: Iterable[NDArray[np.float32]],  # noqa: ARG002
        *,
        target: Path,
        recipe: Recipe,  # noqa: ARG002
    ) -> Tool:
        """See `edgeloop.quantization.Scheme`; reads no input."""
        version = convert_onnx(source, target, half=True, compute=self.compute)
        return Tool(
            name="openvino.save_model",
            version=version,
            options={"weights": "float16", "compute": self.compute},
        )
