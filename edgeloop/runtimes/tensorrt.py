"""TensorRT on an NVIDIA GPU, from engines and from ONNX files.

An ONNX file is built into an engine when it is opened, on the device that will run it, because an engine fits one kind
of GPU and one version; loading it takes as long as that. Only a file that TensorRT takes as it is can be opened: float,
or symmetric int8 (`onnxruntime_symmetric`).

`threads` are accepted and mean nothing: the GPU computes. Inputs and outputs have buffers on the GPU that are bound
once; copies to and from them are part of `run`, as they are of an inference. A batch larger than the engine's is
answered in parts.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.canonical import sha256_of_file
from edgeloop.cuda_driver import CudaDevice
from edgeloop.errors import DeviceFault, EdgeloopError, ModelFault, translated
from edgeloop.runtimes import Arrays, Placement, RuntimeState, one_line, refuse_no_threads
from edgeloop.tensorrt_engines import SUFFIX, EngineOptions

_FLOAT_BYTES = 4


class TensorRt:
    """See the module."""

    formats = frozenset({"onnx", "tensorrt"})

    def state(self) -> RuntimeState:
        """See `edgeloop.runtimes.Runtime`."""
        from edgeloop.tensorrt_engines.installation import installed, loaded_library

        try:
            here = installed()
            library = loaded_library()
            digest = sha256_of_file(library) if library else None
        except EdgeloopError as error:
            return RuntimeState(name="tensorrt", available=False, reason=f"{error.what}; {error.fix}")
        except Exception as error:  # a broken installation fails in many ways; all of them mean "not available"
            return RuntimeState(name="tensorrt", available=False, reason=one_line(error))
        return RuntimeState(
            name="tensorrt",
            available=True,
            version=here.version,
            library_sha256=digest,
            providers=(f"{here.gpu.name}, compute capability {here.gpu.capability}",),
        )

    def open(self, path: Path, *, threads: int) -> "TensorRtSession":
        """See `edgeloop.runtimes.Runtime`."""
        from edgeloop.tensorrt_engines.building import built, deserialized, timing_cache
        from edgeloop.tensorrt_engines.installation import installed

        refuse_no_threads(threads, where="tensorrt")
        here = installed()
        with translated(path):
            content = path.read_bytes()
        if path.suffix != SUFFIX:
            content = built(content, EngineOptions(), where=path, here=here, cache=timing_cache(here))
        device = CudaDevice()
        device_stream = device.open()
        try:
            engine = deserialized(content, where=path, here=here)
            return TensorRtSession(here.module, engine, device=device, stream=device_stream, path=path)
        except BaseException:
            device.close()
            raise


class TensorRtSession:
    """A loaded engine and its buffers on the GPU.

    Raises:
        ModelFault: It does not take one float32 array and give float32 arrays of shapes that follow from its shape.
        DeviceFault: The GPU has no memory for it.
    """

    def __init__(self, trt: Any, engine: Any, *, device: CudaDevice, stream: int, path: Path) -> None:
        self._trt, self._engine, self._device, self._stream, self._path = trt, engine, device, stream, path
        self._input, self._outputs = _ports(trt, engine, path)
        least, most = _shapes(engine, self._input)
        self._least, self._most, self._rest = least[0], most[0], most[1:]
        self._context: Any = engine.create_execution_context()
        if self._context is None:
            raise DeviceFault("the GPU has no memory for this engine", where=str(path), fix="free some")
        self._shape: tuple[int, ...] = ()
        self._set_shape(most)
        self._addresses = {name: self._bound(name) for name in (self._input, *self._outputs)}

    def run(self, inputs: NDArray[np.float32]) -> Arrays:
        """See `edgeloop.runtimes.Session`."""
        if self._context is None:
            raise ModelFault("the session is closed", where=str(self._path), fix="open the model again")
        last = len(inputs) % self._most if inputs.ndim else 0
        if inputs.dtype != np.float32 or inputs.shape[1:] != self._rest or not len(inputs) or 0 < last < self._least:
            taken = f"float32 of {self._least} to {self._most} × {self._rest}"
            raise ModelFault(
                f"cannot run on {inputs.dtype} of shape {inputs.shape}, it takes {taken}",
                where=str(self._path),
                fix="check the input",
            )
        parts = [self._part(inputs[row : row + self._most]) for row in range(0, len(inputs), self._most)]
        return {name: np.concatenate([part[name] for part in parts]) for name in self._outputs}

    def placement(self, inputs: NDArray[np.float32]) -> Placement:  # noqa: ARG002 - an engine's layers are fixed
        """See `edgeloop.runtimes.Placed`."""
        from edgeloop.tensorrt_engines.inspection import placement_of

        if self._context is None:
            raise ModelFault("the session is closed", where=str(self._path), fix="open the model again")
        return placement_of(self._trt, self._engine)

    def close(self) -> None:
        """See `edgeloop.runtimes.Session`."""
        if self._context is not None:
            self._context = self._engine = None
            self._device.close()

    def _set_shape(self, shape: tuple[int, ...]) -> None:
        if shape != self._shape:
            if not self._context.set_input_shape(self._input, shape):
                raise ModelFault(f"does not take the shape {shape}", where=str(self._path), fix="check the input")
            self._shape = shape

    def _bound(self, name: str) -> int:
        """The address of a buffer that holds the largest tensor of that name; the context knows it from then on."""
        shape = tuple(self._context.get_tensor_shape(name))
        if min(shape, default=0) < 0:
            raise ModelFault(
                f"gives {name} in a shape that depends on the data", where=str(self._path), fix="cut it off"
            )
        address = self._device.allocate(max(1, int(np.prod(shape))) * _FLOAT_BYTES)
        if not self._context.set_tensor_address(name, address):
            raise DeviceFault(f"does not take a buffer for {name}", where="tensorrt", fix="check the driver")
        return address

    def _part(self, inputs: NDArray[np.float32]) -> Arrays:
        given = np.ascontiguousarray(inputs)
        self._set_shape(given.shape)
        self._device.copy_in(given, self._addresses[self._input])
        if not self._context.execute_async_v3(self._stream):
            raise ModelFault("cannot run (TensorRT says no)", where=str(self._path), fix="check the input")
        outputs = {
            name: np.empty(tuple(self._context.get_tensor_shape(name)), dtype=np.float32) for name in self._outputs
        }
        for name, values in outputs.items():
            self._device.copy_out(self._addresses[name], values)
        self._device.wait()
        return outputs


def _ports(trt: Any, engine: Any, path: Path) -> tuple[str, list[str]]:
    """The names of the one input and of the outputs, all float32."""
    names = [engine.get_tensor_name(place) for place in range(engine.num_io_tensors)]
    inputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
    outputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.OUTPUT]
    if len(inputs) != 1 or not outputs or any(engine.get_tensor_dtype(name) != trt.DataType.FLOAT for name in names):
        kinds = ", ".join(f"{name}: {engine.get_tensor_dtype(name).name}" for name in names)
        raise ModelFault(
            f"takes and gives {kinds or 'nothing'}, not one float32 array and float32 arrays",
            where=str(path),
            fix="convert the model again",
        )
    return inputs[0], outputs


def _shapes(engine: Any, name: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The smallest and the largest shape of an input."""
    fixed = tuple(engine.get_tensor_shape(name))
    if -1 not in fixed:
        return fixed, fixed
    least, _, most = (tuple(shape) for shape in engine.get_tensor_profile_shape(name, 0))
    return least, most


plugin = TensorRt()
