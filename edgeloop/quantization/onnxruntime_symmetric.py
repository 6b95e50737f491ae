"""ONNX Runtime's static int8 for TensorRT and microcontrollers: int8 activations and weights whose zero points are 0.

Judged by ONNX Runtime, where it is slower than `onnxruntime_static`: it is made for engines that take nothing else.
What TensorRT asks of a quantized file is checked; the engine is built by the device that runs it, and is not evaluated
here.
"""

from pathlib import Path

from edgeloop.optimization.qdq import QdqScheme
from edgeloop.tensorrt_engines.rules import checks_of, read_model
from edgeloop.variants import Check


class SymmetricScheme(QdqScheme):
    """See the module."""

    def checks(self, path: Path) -> tuple[Check, ...]:
        """See `edgeloop.quantization.Checked`; of all versions of TensorRT, for the device may have any."""
        return checks_of(read_model(path))


plugin = SymmetricScheme(extra="onnxruntime_static", variant="onnx-int8-symmetric", activations="int8", symmetric=True)
