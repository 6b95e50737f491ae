"""ONNX in float16 with float32 at both ends, for engines that compute in the types of the file, as TensorRT 11 does.

Judged by ONNX Runtime, which on a CPU computes it in float32 between conversions, so that it is half the file and no
faster there. What TensorRT asks of a file is checked.
"""

import contextlib
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.errors import EdgeloopError, ModelFault, translated
from edgeloop.onnx_files import fault_of, write_clean
from edgeloop.optimization.recipes import Method, Recipe
from edgeloop.plugins import missing_extra
from edgeloop.privacy import opt_out
from edgeloop.quieting import quiet
from edgeloop.runtimes import one_line
from edgeloop.tensorrt_engines.rules import checks_of, read_model
from edgeloop.variants import Check, Precision, Tool

_log = logging.getLogger(__name__)


class OnnxRuntimeFp16:
    """See the module."""

    source = "onnx-fp32"
    variant = "onnx-fp16"
    format = "onnx"
    precision: Precision = "fp16"
    suffix = ".onnx"
    runtime = "onnxruntime"
    methods: tuple[Method, ...] = ()
    corrects_bias = False

    def layers(self, source: Path) -> tuple[str, ...]:
        """None: all weights are halved alike."""
        with _translated(source):
            read_model(source)
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
        with _translated(source):
            import onnxruntime
            from onnxruntime.transformers.float16 import convert_float_to_float16
            from onnxruntime.transformers.onnx_model import OnnxModel

            model = convert_float_to_float16(read_model(source), keep_io_types=True)
            _merge_doubles(model.graph)
            OnnxModel.graph_topological_sort(model.graph, is_deterministic=True)  # the conversions stand behind all
        write_clean(model, target)
        if fault := fault_of(model):
            raise ModelFault(f"in float16 it is not valid ONNX ({fault})", where=str(source), fix="remove the scheme")
        return Tool(
            name="onnxruntime.transformers.float16",
            version=onnxruntime.__version__,
            options={"weights": "float16", "ends": "float32"},
        )

    def checks(self, path: Path) -> tuple[Check, ...]:
        """See `edgeloop.quantization.Checked`; of all versions of TensorRT, for the device may have any."""
        return checks_of(read_model(path))


def _merge_doubles(graph: Any) -> None:
    """The library converts what two operators share once for each, under one name."""
    known = set()
    for node in list(graph.node):
        if node.op_type == "Cast" and node.output[0] in known:
            graph.node.remove(node)  # equal to the first, which is the one that goes
        known.update(node.output)
    del graph.value_info[:]


@contextlib.contextmanager
def _translated(source: Path) -> Iterator[None]:
    """What the libraries raise becomes a fault of ours."""
    opt_out()
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing_extra(error, "onnxruntime_static") from error
    try:
        with translated(source), quiet(_log):
            yield
    except EdgeloopError:
        raise
    except Exception as error:  # the converter raises whatever its operators raise
        raise ModelFault(
            f"cannot be made float16 ({one_line(error)})", where=str(source), fix="remove the scheme"
        ) from error


plugin = OnnxRuntimeFp16()
