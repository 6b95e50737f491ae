"""The choice: what the library makes of a trained model, measures and selects, on every runtime that is installed.

The functions are those of the steps and of `edgeloop optimize`: convert, quantize, benchmark, select. No `.tflite` is
made of an ONNX file, which is why the choice begins with the trained weights, and asks all of val.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.optimize.subjects import Made, Subject
from edgeloop import plugins
from edgeloop.benchmarking import BenchmarkParams, Target
from edgeloop.benchmarking.measurement import benchmark
from edgeloop.conversion import ConvertParams, convert
from edgeloop.conversion.litert import litert_python
from edgeloop.errors import MissingExtra
from edgeloop.optimization import ANY_SIZE
from edgeloop.optimization.judgement import QuantizeLimits
from edgeloop.optimization.variants import quantize
from edgeloop.own_files.optimization import SPEED
from edgeloop.quantization import QuantizeParams
from edgeloop.selection import Selection, SelectLimits, SelectParams, select

SCHEMES = {
    "onnxruntime": ("onnxruntime_static",),
    "openvino": ("nncf", "openvino_bf16"),
    "litert": ("litert_static",),
}
"""By runtime."""
TRIALS = 4
"""Files that a scheme makes at most."""

FORMATS = {"onnxruntime": "onnx", "openvino": "openvino", "litert": "litert"}


@dataclass(frozen=True)
class Choice:
    """What was selected, the folders that it was selected of, and the wall seconds of each step."""

    selection: Selection
    folder: Path
    seconds: dict[str, float]


def runtimes_here() -> tuple[str, ...]:
    """Those of the comparison that are installed; LiteRT only where its files can be made."""
    found = [name for name in SCHEMES if plugins.load("runtimes", name).state().available]
    try:
        litert_python(os.environ)
    except MissingExtra:
        return tuple(name for name in found if name != "litert")
    return tuple(found)


def choose(subject: Subject, made: Made, folder: Path) -> Choice:
    """Fills `folder` with `converted`, `quantized`, `benchmark` and `selection.json`."""
    data = {"dataset": made.dataset, "validation": made.validation}
    converted, quantized, measured = folder / "converted", folder / "quantized", folder / "benchmark"
    runtimes = runtimes_here()
    seconds, began_s = {}, time.monotonic()

    def lap(step: str) -> None:
        nonlocal began_s
        seconds[step], began_s = time.monotonic() - began_s, time.monotonic()

    formats = tuple(FORMATS[name] for name in runtimes)
    convert(ConvertParams(formats=formats), model=made.model, converted=converted, **data)
    lap("convert")
    quantize(_section(subject, runtimes), converted=converted, quantized=quantized, **data)
    lap("quantize")
    targets = tuple(Target(runtime=name) for name in runtimes)
    benchmark(BenchmarkParams(targets=targets), converted=converted, quantized=quantized, benchmark=measured, **data)
    lap("benchmark")
    params = SelectParams(limits=SelectLimits(max_accuracy_drop=subject.max_drop, latency_quantile=SPEED))
    selection = select(params, benchmark=measured, quantized=quantized, selection=folder / "selection.json")
    lap("select")
    return Choice(selection, folder, seconds)


def _section(subject: Subject, runtimes: Sequence[str]) -> QuantizeParams:
    """The gate's limit is of an upper bound, which a few hundred samples hold at twice what may be lost.

    Size decides nothing here, and nothing is trained again, as nothing is for a lone ONNX file.
    """
    return QuantizeParams(
        schemes=tuple(scheme for name in runtimes for scheme in SCHEMES[name]),
        limits=QuantizeLimits(max_accuracy_drop=2 * subject.max_drop, max_size_ratio=ANY_SIZE),
        trials=TRIALS,
        qat_epochs=0,
    )
