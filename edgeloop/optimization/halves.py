"""OpenVINO's IR with weights of half the size; nothing is calibrated."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeloop.errors import EdgeloopError, ModelFault, translated
from edgeloop.openvino_files import SUFFIX, ComputeType, read_onnx, write_ir
from edgeloop.optimization.recipes import Method, Recipe
from edgeloop.plugins import missing_extra
from edgeloop.privacy import opt_out
from edgeloop.runtimes import one_line
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
        opt_out()
        try:
            import openvino
        except ModuleNotFoundError as error:
            raise missing_extra(error, "openvino") from error
        with translated(source), source.open("rb"):
            pass
        try:
            write_ir(read_onnx(source), target, half=True, compute=self.compute)
        except EdgeloopError:
            raise
        except Exception as error:  # the library raises its own, RuntimeError and kin
            raise ModelFault(
                f"cannot be converted to OpenVINO's IR ({one_line(error)})", where=str(source), fix="check the file"
            ) from error
        return Tool(
            name="openvino.save_model",
            version=openvino.__version__,
            options={"weights": "float16", "compute": self.compute},
        )
