"""OpenVINO on the CPU, from its own IR and from ONNX files.

A model is compiled for each batch size that it meets, the batch of one when it is opened: with an open batch dimension
the library plans anew for shapes that never change. It computes in float32 unless the file itself asks for bfloat16;
left alone it would choose bfloat16 on processors that have it, and another answer with it. A processor without it
computes such a file in float32.

Threads are pinned to one stream of exactly `threads`; they are not bound to cores, as those of other runtimes are not.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.errors import DeviceFault, ModelFault, translated
from edgeloop.openvino_files import MAGIC, ComputeType, compute_type, read_ir, read_onnx, said
from edgeloop.privacy import opt_out
from edgeloop.runtimes import (
    NARROW,
    Arrays,
    Placement,
    RuntimeState,
    fallen_back,
    library_sha256,
    one_line,
    refuse_no_threads,
)

INSTALL = "run: pip install 'edgeloop[openvino]'"
DEVICE = "CPU"
TYPES = {"f32": "float32", "f16": "float16", "bf16": "bfloat16", "i8": "int8", "u8": "uint8", "i32": "int32"}
GIVING = frozenset({"Input", "Output", "Const"})
MOVING = frozenset({"Reorder", "Reshape", "Convert", "Transpose", "Split", "Concatenation", "FakeQuantize", "Gather"})
"""Layers that move or convert values, and compute nothing."""


class OpenVino:
    """See the module."""

    formats = frozenset({"onnx", "openvino"})

    def state(self) -> RuntimeState:
        """See `edgeloop.runtimes.Runtime`."""
        opt_out()
        try:
            import openvino

            library = library_sha256(Path(openvino.__file__).parent / "libs", "libopenvino.so.*")
            devices = tuple(name for name in openvino.Core().available_devices if name == DEVICE)
        except Exception as error:  # a broken installation fails in many ways; all of them mean "not available"
            return RuntimeState(name="openvino", available=False, reason=f"{one_line(error)}; {INSTALL}")
        return RuntimeState(
            name="openvino",
            available=bool(devices),
            version=openvino.__version__,
            library_sha256=library,
            providers=devices,
            reason="" if devices else f"finds no {DEVICE}",
        )

    def open(self, path: Path, *, threads: int) -> "OpenVinoSession":
        """See `edgeloop.runtimes.Runtime`."""
        refuse_no_threads(threads, where="openvino")
        opt_out()
        try:
            import openvino
        except (ImportError, OSError) as error:
            raise DeviceFault(f"cannot be imported ({one_line(error)})", where="openvino", fix=INSTALL) from error
        with translated(path), path.open("rb"):
            pass
        try:
            model = _read(path)
            compute = compute_type(model)
        except Exception as error:  # the library raises its own, RuntimeError and kin
            raise _not_loaded(path, error) from error
        _refuse_foreign(model, path)
        session = OpenVinoSession(openvino.Core(), model, path=path, threads=threads, compute=compute)
        session.compile(1)
        return session


def _read(path: Path) -> Any:
    with path.open("rb") as file:
        archived = file.read(len(MAGIC)) == MAGIC
    return read_ir(path) if archived else read_onnx(path)


def _not_loaded(path: Path, error: Exception) -> ModelFault:
    return ModelFault(f"is no model that OpenVINO loads ({said(error)})", where=str(path), fix="convert it again")


def _refuse_foreign(model: Any, path: Path) -> None:
    """Refuses a valid model that does not take one float32 array and give float32 arrays."""
    inputs = [port.get_element_type().get_type_name() for port in model.inputs]
    outputs = [port.get_element_type().get_type_name() for port in model.outputs]
    if inputs != ["f32"] or not outputs or set(outputs) != {"f32"}:
        raise ModelFault(
            f"takes {', '.join(inputs) or 'nothing'} and gives {', '.join(outputs) or 'nothing'}, not one f32 and f32",
            where=str(path),
            fix="convert the model again",
        )


class OpenVinoSession:
    """A loaded model."""

    def __init__(self, core: Any, model: Any, *, path: Path, threads: int, compute: ComputeType) -> None:
        from openvino import Tensor

        self._tensor = Tensor
        self._core, self._model, self._path, self._threads, self._compute = core, model, path, threads, compute
        self._names = [port.get_any_name() for port in model.outputs]
        self._requests: dict[int, Any] = {}

    def compile(self, batch: int) -> None:
        """Compiles the model for batches of one size.

        Raises:
            ModelFault: It cannot be compiled.
            DeviceFault: The library did not accept the number of threads.
        """
        options = {
            "INFERENCE_NUM_THREADS": self._threads,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": self._compute,
        }
        try:
            model = self._model.clone()
            first, *rest = model.inputs[0].get_partial_shape()
            if first.is_dynamic:
                model.reshape([batch, *rest])
            compiled = self._core.compile_model(model, DEVICE, options)
        except Exception as error:  # the library raises RuntimeError and kin, with pages of text
            raise _not_loaded(self._path, error) from error
        accepted = compiled.get_property("INFERENCE_NUM_THREADS")
        if accepted != self._threads:
            raise DeviceFault(f"accepts {accepted} threads, not {self._threads}", where="openvino", fix="ask for fewer")
        self._requests[batch] = compiled.create_infer_request()

    def run(self, inputs: NDArray[np.float32]) -> Arrays:
        """See `edgeloop.runtimes.Session`."""
        if self._model is None:
            raise ModelFault("the session is closed", where=str(self._path), fix="open the model again")
        if inputs.dtype != np.float32:
            raise ModelFault(f"cannot run on {inputs.dtype}", where=str(self._path), fix="give float32")
        batch = len(inputs)
        if batch not in self._requests:
            self.compile(batch)
        request = self._requests[batch]
        plain = inputs if inputs.flags.c_contiguous and inputs.flags.writeable else inputs.copy()
        try:
            # what infer() does with arguments costs more than a small model
            request.set_input_tensor(self._tensor(plain, shared_memory=True))
            request.infer()
            outputs = [request.get_output_tensor(place).data.copy() for place in range(len(self._names))]
        except Exception as error:  # a wrong shape is a RuntimeError of several lines
            raise ModelFault(f"cannot run ({said(error)})", where=str(self._path), fix="check the input") from error
        return dict(zip(self._names, outputs, strict=True))

    def placement(self, inputs: NDArray[np.float32]) -> Placement:
        """See `edgeloop.runtimes.Placed`; by the model that the library executes for this batch."""
        if self._model is None:
            raise ModelFault("the session is closed", where=str(self._path), fix="open the model again")
        if len(inputs) not in self._requests:
            self.compile(len(inputs))
        executed = self._requests[len(inputs)].get_compiled_model().get_runtime_model()
        layers = [_described(layer) for layer in executed.get_ordered_ops()]
        return _placed(layers, asked=self._compute == "bf16")

    def close(self) -> None:
        """See `edgeloop.runtimes.Session`."""
        self._core = self._model = None
        self._requests = {}


def _described(layer: Any) -> tuple[str, str, str, str]:
    """Name, kind, type and kernel, such as `brgconv_avx512_I8`; a kernel of `ref` is one that no one made fast."""
    told = layer.get_rt_info()
    kind, precision, kernel = (
        str(told[key].astype(str)) if key in told else "" for key in ("layerType", "runtimePrecision", "primitiveType")
    )
    return str(layer.get_friendly_name()), kind, precision, kernel


def _placed(layers: list[tuple[str, str, str, str]], *, asked: bool) -> Placement:
    executed = [layer for layer in layers if layer[1] not in GIVING]
    computing = [
        (f"{kind} {name}", TYPES.get(precision, precision))
        for name, kind, precision, _ in executed
        if kind not in MOVING and "Quantize" not in name  # a quantizer is a Subgraph like any other
    ]
    slow = [f"{kind} {name}: {kernel}" for name, kind, _, kernel in executed if kernel.startswith("ref")]
    narrow = NARROW | {"bfloat16"} if asked else NARROW
    return Placement(
        providers={DEVICE: len(executed)},
        precisions=dict(sorted(Counter(precision for _, precision in computing).items())),
        fell_back=(*slow, *fallen_back(computing, narrow=narrow, asked=asked)),
    )


plugin = OpenVino()
