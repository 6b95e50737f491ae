"""ONNX Runtime's static int8 for x86: QDQ, int8 weights per channel, uint8 activations.

uint8 x int8 is what the CPU's dot-product instructions take (VNNI); the QOperator format and int8 activations are
several times slower there.
"""

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.errors import EdgeloopError, ModelFault, translated
from edgeloop.onnx_files import fault_of, write_clean
from edgeloop.plugins import missing_extra
from edgeloop.privacy import opt_out
from edgeloop.quantization import Method
from edgeloop.runtimes import one_line
from edgeloop.variants import Precision, Tool

METHODS = {"minmax": "MinMax", "entropy": "Entropy", "percentile": "Percentile"}
THREADS = 1
"""Of the calibration: ranges do not depend on how many cores the machine has."""

_log = logging.getLogger(__name__)


class OnnxRuntimeStatic:
    """See the module."""

    source = "onnx-fp32"
    variant = "onnx-int8"
    precision: Precision = "int8"
    suffix = ".onnx"
    runtime = "onnxruntime"

    def quantize(self, source: Path, inputs: Iterable[NDArray[np.float32]], *, target: Path, method: Method) -> Tool:
        """See `edgeloop.quantization.Scheme`."""
        opt_out()
        try:
            import onnx
            import onnxruntime
        except ModuleNotFoundError as error:
            raise missing_extra(error, "onnxruntime_static") from error
        try:
            with translated(target), tempfile.TemporaryDirectory(dir=target.parent) as scratch, _quiet():
                model = _quantized(source, inputs, scratch=Path(scratch), method=METHODS[method])
        except EdgeloopError:
            raise
        except Exception as error:  # the quantizer raises whatever its operators raise
            raise ModelFault(
                f"cannot be quantized ({one_line(error)})",
                where=str(source),
                fix="remove the scheme or change the model",
            ) from error
        write_clean(model, target)
        if fault := fault_of(model):
            raise ModelFault(f"quantized, it is not valid ONNX ({fault})", where=str(source), fix="remove the scheme")
        return Tool(
            name="onnxruntime.quantization.quantize_static",
            version=onnxruntime.__version__,
            options={"format": "QDQ", "per_channel": True, "activations": "uint8", "weights": "int8"}
            | {"method": method, "onnx": onnx.__version__},
        )


def _quantized(source: Path, inputs: Iterable[NDArray[np.float32]], *, scratch: Path, method: str) -> Any:
    """The quantized model as an onnx.ModelProto."""
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared, ranges, target = scratch / "prepared.onnx", scratch / "ranges.json", scratch / "quantized.onnx"
    # symbolic shape inference is for transformers and costs the import of sympy
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    _write_ranges(prepared, inputs, ranges=ranges, method=method)
    quantize_static(
        str(prepared),
        str(target),
        calibration_cache_path=ranges,
        calibrate_method=CalibrationMethod[method],
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    return onnx.load(target)


def _write_ranges(prepared: Path, inputs: Iterable[NDArray[np.float32]], *, ranges: Path, method: str) -> None:
    """Writes the range of every tensor over the calibration set.

    One sample at a time: the histogram methods keep all activations of what they are given at once.
    """
    import onnxruntime
    from onnxruntime.quantization import CalibrationMethod, create_calibrator, save_tensors_data

    augmented = prepared.with_name("augmented.onnx")
    calibrator = create_calibrator(
        prepared, augmented_model_path=str(augmented), calibrate_method=CalibrationMethod[method]
    )
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = THREADS
    # the calibrator's own session takes all cores, and offers no way to ask for fewer
    calibrator.infer_session = onnxruntime.InferenceSession(str(augmented), options, providers=["CPUExecutionProvider"])
    name = calibrator.infer_session.get_inputs()[0].name
    for batch in inputs:
        for row in range(len(batch)):
            calibrator.collect_data(_Reader({name: batch[row : row + 1]}))
    save_tensors_data(calibrator.compute_data(), ranges)


class _Reader:
    """One input, as the calibrator reads it."""

    def __init__(self, inputs: dict[str, NDArray[np.float32]]) -> None:
        self._left: dict[str, NDArray[np.float32]] | None = inputs

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The input once, then None."""
        inputs, self._left = self._left, None
        return inputs


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what the quantizer prints out of stdout; it goes to the log instead."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            yield
    finally:
        for line in said.getvalue().splitlines():
            _log.debug(line)


plugin = OnnxRuntimeStatic()
