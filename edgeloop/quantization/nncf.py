"""NNCF's post-training int8 for OpenVINO: activations and weights as OpenVINO's CPU kernels take them.

Biases are corrected layer after layer unless `quantize.bias_correction` says `fast`, which is NNCF's own default and
lost 1.2 to 1.6 points on a small network. Ranges by `minmax` are NNCF's: the mean over the samples of each one's
smallest and largest value.
"""

import contextlib
import logging
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.errors import EdgeloopError, ModelFault, translated
from edgeloop.openvino_files import SUFFIX, read_onnx, said, write_ir
from edgeloop.optimization.recipes import Method, Recipe, with_followers
from edgeloop.plugins import missing_extra
from edgeloop.privacy import opt_out
from edgeloop.quieting import quiet
from edgeloop.variants import Precision, Tool

LAYERS = ("Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData", "MatMul")

_log = logging.getLogger(__name__)


class Nncf:
    """See the module."""

    source = "onnx-fp32"
    variant = "openvino-int8"
    format = "openvino"
    precision: Precision = "int8"
    suffix = SUFFIX
    runtime = "openvino"
    methods: tuple[Method, ...] = ("minmax", "percentile")
    corrects_bias = True

    def layers(self, source: Path) -> tuple[str, ...]:
        """See `edgeloop.quantization.Scheme`."""
        with _translated(source, folder=None):
            return tuple(node.get_friendly_name() for node in _layers(read_onnx(source)))

    def quantize(self, source: Path, inputs: Iterable[NDArray[np.float32]], *, target: Path, recipe: Recipe) -> Tool:
        """See `edgeloop.quantization.Scheme`."""
        with _translated(source, folder=target.parent) as scratch:
            import nncf
            import openvino

            samples = _rows(inputs, scratch / "inputs")
            model = read_onnx(source)
            quantized = _quantized(model, samples, recipe)
            del samples
            write_ir(quantized, target)
        return Tool(
            name="nncf.quantize",
            version=nncf.__version__,
            options={"bias_correction": recipe.bias_correction, "method": recipe.method}
            | {"openvino": openvino.__version__},
        )


def _quantized(model: Any, samples: NDArray[np.float32], recipe: Recipe) -> Any:
    import nncf
    from nncf.quantization.range_estimator import RangeEstimatorParameters, RangeEstimatorParametersSet

    estimator = (
        RangeEstimatorParametersSet.MEAN_QUANTILE if recipe.method == "percentile" else RangeEstimatorParameters()
    )
    excluded = sorted(_excluded(model, recipe.kept_float))
    return nncf.quantize(
        model,
        nncf.Dataset([samples[row : row + 1] for row in range(len(samples))]),
        subset_size=len(samples),
        fast_bias_correction=recipe.bias_correction == "fast",
        ignored_scope=nncf.IgnoredScope(names=excluded, validate=False) if excluded else None,
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            disable_bias_correction=recipe.bias_correction == "none",
            activations_range_estimator_params=estimator,
        ),
    )


def _layers(model: Any) -> list[Any]:
    return [node for node in model.get_ordered_ops() if node.get_type_name() in LAYERS]


def _excluded(model: Any, kept: tuple[str, ...]) -> set[str]:
    """The kept layers and what follows them; nodes that only hold shapes do no harm in the scope."""
    consumers = {
        node.get_friendly_name(): [
            port.get_node().get_friendly_name() for output in node.outputs() for port in output.get_target_inputs()
        ]
        for node in model.get_ordered_ops()
    }
    layers = {node.get_friendly_name() for node in _layers(model)}
    return with_followers(kept, consumers=consumers, layers=layers)


def _rows(inputs: Iterable[NDArray[np.float32]], path: Path) -> NDArray[np.float32]:
    """The calibration set as one array that lies on the disk: NNCF reads it again for every layer."""
    shape: tuple[int, ...] | None = None
    rows = 0
    with path.open("wb") as file:
        for batch in inputs:
            shape = batch.shape[1:]
            rows += len(batch)
            file.write(np.ascontiguousarray(batch, dtype=np.float32).tobytes())
    if shape is None:
        raise ValueError("no calibration input")
    return np.memmap(path, dtype=np.float32, mode="r", shape=(rows, *shape))


@contextlib.contextmanager
def _translated(source: Path, *, folder: Path | None) -> Iterator[Path]:
    """A scratch folder to work in; what the libraries raise becomes a fault of ours."""
    opt_out()
    try:
        with quiet(_log):
            import nncf  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing_extra(error, "nncf") from error
    try:
        with translated(folder or source), source.open("rb"):
            pass
        with translated(folder or source), tempfile.TemporaryDirectory(dir=folder) as scratch, quiet(_log):
            yield Path(scratch)
    except EdgeloopError:
        raise
    except Exception as error:  # NNCF raises its own, and OpenVINO RuntimeError
        raise ModelFault(
            f"cannot be quantized ({said(error)})", where=str(source), fix="remove the scheme or change the model"
        ) from error


plugin = Nncf()
