"""LiteRT's static int8 as its format defines it: int8 activations, int8 weights symmetric and per channel.

Activations have a zero point, as LiteRT's kernels and CMSIS-NN take them: it costs no time, and is worth 1 to 3 dB of
SQNR against one that is 0. Input and output stay float32, with a conversion at both ends. Operators that the quantizer
does not know, such as LEAKY_RELU, stay float between two conversions.

Ranges by `minmax` are those of the whole calibration set; by `percentile` the mean over the samples of each one's
0.01 % and 99.99 % quantile. What stands for no value, such as the infinity around what MAX_POOL_2D reads, is in no
range; it is rounded to the lowest value.
"""

import contextlib
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.errors import EdgeloopError, ModelFault, translated
from edgeloop.files import whole_file
from edgeloop.litert_files import IDENTIFIER, Doubles, Graph, corrected, flowing
from edgeloop.optimization.recipes import Method, Recipe, with_followers
from edgeloop.plugins import missing_extra
from edgeloop.quieting import quiet
from edgeloop.runtimes import one_line
from edgeloop.variants import Precision, Tool

OUTLIERS = 1e-4
"""Share of a sample's values at each end that `percentile` leaves out."""

NO_VALUE = 3e38
"""What is no smaller, of either sign, stands for infinity: exporters write the largest number of their type as well."""

_log = logging.getLogger(__name__)


class LiteRtStatic:
    """See the module."""

    source = "litert-fp32"
    variant = "litert-int8"
    format = "litert"
    precision: Precision = "int8"
    suffix = ".tflite"
    runtime = "litert"
    methods: tuple[Method, ...] = ("minmax", "percentile")
    corrects_bias = False

    def layers(self, source: Path) -> tuple[str, ...]:
        """See `edgeloop.quantization.Scheme`."""
        with _translated(source) as content:
            return tuple(node.name for node in Graph(content).layers)

    def quantize(self, source: Path, inputs: Iterable[NDArray[np.float32]], *, target: Path, recipe: Recipe) -> Tool:
        """See `edgeloop.quantization.Scheme`."""
        from importlib.metadata import version

        with _translated(source) as content:
            ranges, means = _observed(content, inputs, recipe)
            whole = corrected(content, means) if recipe.bias_correction != "none" else content
            quantized = _quantized(whole, ranges, recipe.kept_float)
        with whole_file(target) as partial:
            partial.write_bytes(quantized)
        return Tool(
            name="litert_quantizer.Quantizer",
            version=version("litert-quantizer"),
            options={"activations": "int8", "weights": "int8", "per_channel": True, "method": recipe.method}
            | {"ai-edge-litert": version("ai-edge-litert")},
        )


class _Ranges:
    """The two ends of what each tensor holds."""

    def __init__(self, method: Method | None) -> None:
        self._mean = method == "percentile"
        self._ends: dict[str, Doubles] = {}
        self._ranks: dict[str, int] = {}

    def add(self, name: str, values: NDArray[np.float32]) -> None:
        """Counts one sample."""
        self._ranks[name] = values.ndim
        values = _without_infinities(values)
        if not values.size:
            return
        if self._mean:
            quantiles = np.quantile(values.astype(np.float64), (OUTLIERS, 1 - OUTLIERS))
            self._ends[name] = self._ends.get(name, np.zeros(2)) + quantiles
        else:
            low, high = self._ends.get(name, (np.inf, -np.inf))
            self._ends[name] = np.array((min(low, values.min()), max(high, values.max())))

    def found(self, samples: int) -> dict[str, dict[str, NDArray[np.float32]]]:
        """By name of the tensor, in the rank of its values, as the quantizer takes them."""
        ends = {name: both / samples if self._mean else both for name, both in self._ends.items()}
        return {
            name: {"min": self._filled(name, low), "max": self._filled(name, high)}
            for name, (low, high) in ends.items()
        }

    def _filled(self, name: str, value: float) -> NDArray[np.float32]:
        return np.full((1,) * self._ranks[name], value, dtype=np.float32)


def _without_infinities(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Itself where there is none; else those that are left, in one row."""
    if values.size and values.min() > -NO_VALUE and values.max() < NO_VALUE:
        return values
    return values[np.abs(values) < NO_VALUE]


def _observed(
    content: bytes, inputs: Iterable[NDArray[np.float32]], recipe: Recipe
) -> tuple[dict[str, dict[str, NDArray[np.float32]]], dict[str, Doubles]]:
    """The range of every tensor and, where biases are corrected, the means of the channels that layers read."""
    graph = Graph(content)
    read = {graph.name(node.inputs[0]) for node in graph.layers} if recipe.bias_correction != "none" else set()
    ranges, sums, samples = _Ranges(recipe.method), dict[str, Doubles](), 0
    for tensors in flowing(content, inputs):
        samples += 1
        for name, values in tensors.items():
            ranges.add(name, values)
            if name in read:
                sums[name] = sums.get(name, 0.0) + values.astype(np.float64).mean(axis=tuple(range(values.ndim - 1)))
    if not samples:
        raise ValueError("no calibration input")
    return ranges.found(samples), {name: total / samples for name, total in sums.items()}


def _quantized(content: bytes, ranges: dict[str, Any], kept: tuple[str, ...]) -> bytes:
    from litert_quantizer.quantizer import Quantizer

    with quiet(_log):
        quantizer = Quantizer(content, _orders(Graph(content), kept))
        result = quantizer.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    return bytes(result.quantized_model)


def _orders(graph: Graph, kept: tuple[str, ...]) -> list[dict[str, Any]]:
    """The quantizer's own recipe: everything that it knows, but the ends and what is kept."""
    from litert_quantizer.algorithm_manager import AlgorithmName
    from litert_quantizer.qtyping import TFLOperationName
    from litert_quantizer.recipe_manager import RecipeManager

    orders = RecipeManager()
    every = TFLOperationName.ALL_SUPPORTED
    orders.add_static_config(".*", every, activation_num_bits=8, weight_num_bits=8)
    for end in (TFLOperationName.INPUT, TFLOperationName.OUTPUT):
        orders.add_quantization_config(".*", end, algorithm_key=AlgorithmName.NO_QUANTIZE)
    excluded = _excluded(graph, kept)
    for node in graph.nodes:
        if node.name in excluded:
            orders.add_quantization_config(node.pattern, every, algorithm_key=AlgorithmName.NO_QUANTIZE)
    found: list[dict[str, Any]] = orders.get_quantization_recipe()
    return found


def _excluded(graph: Graph, kept: tuple[str, ...]) -> set[str]:
    """The kept layers, what follows them, and what only they read, such as the change of axes before a first layer."""
    consumers, layers = graph.consumers, {node.name for node in graph.layers}
    excluded = with_followers(kept, consumers=consumers, layers=layers)
    for node in reversed(graph.nodes):
        readers = consumers[node.name]
        if node.name not in layers and readers and excluded.issuperset(readers):
            excluded.add(node.name)
    return excluded


@contextlib.contextmanager
def _translated(source: Path) -> Iterator[bytes]:
    """The content of the float file; what the libraries raise becomes a fault of ours."""
    try:
        with quiet(_log):
            import ai_edge_litert.interpreter
            import litert_quantizer  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing_extra(error, "litert_static") from error
    with translated(source):
        content = source.read_bytes()
    try:
        if content[4:8] != IDENTIFIER:
            raise ValueError("it does not begin as a .tflite file")
        # it verifies what is read without a look from here on
        ai_edge_litert.interpreter.Interpreter(model_content=content, num_threads=1)
        yield content
    except EdgeloopError:
        raise
    except Exception as error:  # ValueError, RuntimeError and KeyError of the libraries
        raise ModelFault(
            f"cannot be quantized ({one_line(error)})", where=str(source), fix="remove the scheme or change the model"
        ) from error


plugin = LiteRtStatic()
