"""ONNX Runtime's static int8 in QDQ form: int8 weights per channel, and activations of one of two types.

The QOperator format is several times slower than QDQ. Legend: `O` output channels, `I` input channels, `h`, `w` kernel.
"""

import contextlib
import logging
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgeloop.errors import EdgeloopError, ModelFault, translated
from edgeloop.onnx_files import fault_of, write_clean
from edgeloop.optimization.biases import InputMeans, correct_biases
from edgeloop.optimization.histograms import bound_bins
from edgeloop.optimization.recipes import Method, Recipe, with_followers
from edgeloop.optimization.sessions import session_of
from edgeloop.plugins import missing_extra
from edgeloop.privacy import opt_out
from edgeloop.quieting import quiet
from edgeloop.runtimes import one_line
from edgeloop.variants import Precision, Tool

METHODS = {"minmax": "MinMax", "entropy": "Entropy", "percentile": "Percentile"}
LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class QdqScheme:
    """A scheme of `edgeloop.quantization` for one type of activations; see there for what is not said here."""

    extra: str
    variant: str
    activations: Literal["uint8", "int8"]
    symmetric: bool
    """Zero points are 0 and biases stay float, as TensorRT asks for."""

    source: str = "onnx-fp32"
    format: str = "onnx"
    precision: Precision = "int8"
    suffix: str = ".onnx"
    runtime: str = "onnxruntime"
    methods: tuple[Method, ...] = ("minmax", "entropy", "percentile")
    corrects_bias: bool = False

    def layers(self, source: Path) -> tuple[str, ...]:
        """See `edgeloop.quantization.Scheme`."""
        with self._translated(source, folder=None) as scratch:
            graph = _prepared(source, scratch / "prepared.onnx").graph
            return tuple(node.name for node in graph.node if node.op_type in LAYERS)

    def quantize(self, source: Path, inputs: Iterable[NDArray[np.float32]], *, target: Path, recipe: Recipe) -> Tool:
        """See `edgeloop.quantization.Scheme`."""
        with self._translated(source, folder=target.parent) as scratch:
            import onnx
            import onnxruntime

            model = self._quantized(source, inputs, scratch=scratch, recipe=recipe)
        write_clean(model, target)
        if fault := fault_of(model):
            raise ModelFault(f"quantized, it is not valid ONNX ({fault})", where=str(source), fix="remove the scheme")
        return Tool(
            name="onnxruntime.quantization.quantize_static",
            version=onnxruntime.__version__,
            options={"format": "QDQ", "per_channel": True, "activations": self.activations, "weights": "int8"}
            | ({"symmetric": True} if self.symmetric else {})
            | {"method": recipe.method, "onnx": onnx.__version__},
        )

    @contextlib.contextmanager
    def _translated(self, source: Path, *, folder: Path | None) -> Iterator[Path]:
        """A scratch folder to work in; what the libraries raise becomes a fault of ours."""
        opt_out()
        try:
            import onnx  # noqa: F401
            import onnxruntime  # noqa: F401
        except ModuleNotFoundError as error:
            raise missing_extra(error, self.extra) from error
        try:
            with (
                translated(folder or source),
                tempfile.TemporaryDirectory(dir=folder) as scratch,
                quiet(_log),
            ):
                yield Path(scratch)
        except EdgeloopError:
            raise
        except Exception as error:  # the quantizer raises whatever its operators raise
            raise ModelFault(
                f"cannot be quantized ({one_line(error)})",
                where=str(source),
                fix="remove the scheme or change the model",
            ) from error

    def _quantized(self, source: Path, inputs: Iterable[NDArray[np.float32]], *, scratch: Path, recipe: Recipe) -> Any:
        """The quantized model as an onnx.ModelProto."""
        import onnx
        from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

        assert recipe.method is not None
        prepared, ranges, target = scratch / "prepared.onnx", scratch / "ranges.json", scratch / "quantized.onnx"
        model = _prepared(source, prepared)
        means = InputMeans(model, LAYERS) if recipe.bias_correction != "none" else None
        _write_ranges(prepared, inputs, ranges=ranges, method=METHODS[recipe.method], means=means)
        if means is not None:
            onnx.save(correct_biases(model, means), prepared)
        quantize_static(
            str(prepared),
            str(target),
            calibration_cache_path=ranges,
            calibrate_method=CalibrationMethod[METHODS[recipe.method]],
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QInt8 if self.activations == "int8" else QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=sorted(_excluded(model, recipe.kept_float)),
            extra_options={"ActivationSymmetric": True, "QuantizeBias": False} if self.symmetric else {},
        )
        return onnx.load(target)


def _prepared(source: Path, prepared: Path) -> Any:
    """The model as the quantizer takes it, folded and with a name for every node; written to `prepared` too."""
    import onnx
    from onnxruntime.quantization.shape_inference import quant_pre_process

    # symbolic shape inference is for transformers and costs the import of sympy
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    model = onnx.load(prepared)
    names = [node.name for node in model.graph.node]
    if len(set(names)) < len(names) or "" in names:
        for place, node in enumerate(model.graph.node):
            node.name = f"{node.op_type}.{place}"
        onnx.save(model, prepared)
    return model


def _excluded(model: Any, kept: tuple[str, ...]) -> set[str]:
    """The kept layers and what follows them."""
    readers: dict[str, list[str]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node.name)
    consumers = {
        node.name: [reader for name in node.output for reader in readers.get(name, [])] for node in model.graph.node
    }
    layers = {node.name for node in model.graph.node if node.op_type in LAYERS}
    return with_followers(kept, consumers=consumers, layers=layers)


def _write_ranges(
    prepared: Path, inputs: Iterable[NDArray[np.float32]], *, ranges: Path, method: str, means: InputMeans | None
) -> None:
    """Writes the range of every tensor over the calibration set, and fills the means.

    One sample at a time: the histogram methods keep all activations of what they are given at once.
    """
    from onnxruntime.quantization import CalibrationMethod, create_calibrator, save_tensors_data

    augmented = prepared.with_name("augmented.onnx")
    calibrator = create_calibrator(
        prepared, augmented_model_path=str(augmented), calibrate_method=CalibrationMethod[method]
    )
    # the calibrator's own session takes all cores, and offers no way to ask for fewer
    calibrator.infer_session = session_of(str(augmented))
    bound_bins(calibrator)
    name = calibrator.infer_session.get_inputs()[0].name
    for batch in inputs:
        for row in range(len(batch)):
            calibrator.collect_data(_Reader({name: batch[row : row + 1]}))
            if means is not None:
                means.add(batch[row : row + 1])
    save_tensors_data(calibrator.compute_data(), ranges)


class _Reader:
    """One input, as the calibrator reads it."""

    def __init__(self, inputs: dict[str, NDArray[np.float32]]) -> None:
        self._left: dict[str, NDArray[np.float32]] | None = inputs

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The input once, then None."""
        inputs, self._left = self._left, None
        return inputs
