"""What others make of the same model by their own defaults: three int8 files, each of the same calibration samples.

* `rival-ort-int8`: quantize_static of ONNX Runtime after its own preprocessing; int8 by int8, per tensor.
* `rival-nncf-int8`: nncf.quantize, with the fast bias correction.
* `rival-litert-int8`: static_wi8_ai8 of litert_quantizer, with float32 at both ends as every file here.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeloop.canonical import sha256_of_file
from edgeloop.openvino_files import read_onnx, write_ir
from edgeloop.quieting import quiet
from edgeloop.variants import PlacedVariant, Tool, Variant

_log = logging.getLogger(__name__)

Inputs = NDArray[np.float32]
"""N and the shape of a sample."""


def rivals_of(sources: dict[str, PlacedVariant], inputs: Inputs, folder: Path) -> Iterator[Variant]:
    """Those whose float file there is; each is written into `folder`."""
    for name, source, suffix, package, make in RIVALS:
        if source in sources:
            target = folder / f"{name}{suffix}"
            with quiet(_log):
                make(sources[source].path, inputs, target)
            yield Variant(
                name=name,
                format=sources[source].variant.format,
                precision="int8",
                file=target.name,
                sha256=sha256_of_file(target),
                size_bytes=target.stat().st_size,
                made_by=Tool(name=package, version=_version(package)),
                made_from=source,
            )


def _by_onnxruntime(source: Path, inputs: Inputs, target: Path) -> None:
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # the package has no types
        def __init__(self, samples: Iterable[dict[str, Inputs]]) -> None:
            self._samples = iter(samples)

        def get_next(self) -> dict[str, Inputs] | None:
            return next(self._samples, None)

    import onnx

    name = onnx.load(source).graph.input[0].name
    prepared = target.with_suffix(".prepared")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    quantize_static(str(prepared), str(target), Reader({name: sample[None]} for sample in inputs))
    prepared.unlink()


def _by_nncf(source: Path, inputs: Inputs, target: Path) -> None:
    import nncf

    write_ir(nncf.quantize(read_onnx(source), nncf.Dataset([sample[None] for sample in inputs])), target)


def _by_litert(source: Path, inputs: Inputs, target: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter
    from litert_quantizer.algorithm_manager import AlgorithmName
    from litert_quantizer.qtyping import TFLOperationName
    from litert_quantizer.quantizer import Quantizer
    from litert_quantizer.recipe import static_wi8_ai8

    ((signature, ports),) = Interpreter(str(source)).get_signature_list().items()
    samples = [{ports["inputs"][0]: np.ascontiguousarray(np.moveaxis(sample, 0, -1)[None])} for sample in inputs]
    quantizer = Quantizer(str(source), static_wi8_ai8())
    for end in (TFLOperationName.INPUT, TFLOperationName.OUTPUT):
        quantizer.update_quantization_recipe(".*", end, algorithm_key=AlgorithmName.NO_QUANTIZE)
    found = quantizer.calibrate({signature: samples}, num_threads=1)
    target.write_bytes(bytes(quantizer.quantize(found).quantized_model))


RIVALS: tuple[tuple[str, str, str, str, Callable[[Path, Inputs, Path], None]], ...] = (
    ("rival-ort-int8", "onnx-fp32", ".onnx", "onnxruntime", _by_onnxruntime),
    ("rival-nncf-int8", "onnx-fp32", ".openvino", "nncf", _by_nncf),
    ("rival-litert-int8", "litert-fp32", ".tflite", "litert-quantizer", _by_litert),
)
"""Name, float file, suffix, package and how."""


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)
