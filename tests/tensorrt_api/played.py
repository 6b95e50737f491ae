"""A `tensorrt` without TensorRT: the names of the real package, few of them played, every call recorded.

`names.json` holds what `dir()` of NVIDIA's bindings said, of tensorrt-cu12-bindings 10.13.3.9 and of
tensorrt-cu13-bindings 11.4.0.106. A name that is not on the branch's list is an AttributeError, as with the real
package; a name that is on the list and not played here is an AssertionError. Engines are the ONNX file with a line
before it, and ONNX Runtime computes them; "the GPU" is memory of this process.
"""

# ruff: noqa: A002 - arguments have the names of the real ones

import ctypes
import enum
import json
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

NAMES = json.loads((Path(__file__).parent / "names.json").read_text())
MAGIC = b"PLAYED ENGINE\n"
ENUMS = (
    "BuilderFlag", "NetworkDefinitionCreationFlag", "MemoryPoolType", "HardwareCompatibilityLevel", "LayerType",
    "LayerInformationFormat", "ProfilingVerbosity", "TensorIOMode", "DataType",
)  # fmt: skip
PLAYED_BY_GRAPH = {"QuantizeLinear": "QUANTIZE", "DequantizeLinear": "DEQUANTIZE"}


class Script:
    """How the play goes, and what was called."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.parser_errors: list[dict[str, str]] = []
        self.build_error: str | None = None
        self.cache_fits = True
        both = {"Format/Datatype": "Row major linear FP32", "DataType": "Float"}
        self.layers: list[Any] = [{"Name": "all", "LayerType": "Myelin", "Inputs": [both]}]

    def called(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of every call of that name."""
        return [call[1:] for call in self.calls if call[0] == name]


def played(branch: int, script: Script) -> ModuleType:
    """The package of that branch."""
    names = NAMES[str(branch)]
    module = ModuleType("tensorrt")
    module.__version__, module.__spec__ = names["version"], ModuleSpec("tensorrt", None)
    for name in ENUMS:
        members = [member for member in names["classes"][name] if member == member.upper()]
        setattr(module, name, _enumeration(name, members))
    for name, kind in _classes(module, branch, script).items():
        setattr(module, name, kind)
    return module


def _enumeration(name: str, members: list[str]) -> Any:
    """As pybind11's: with names and values, and no number by itself."""
    body = {member: place for place, member in enumerate(members)}
    return enum.Enum(name, body, type=_Number)


class _Number:
    def __int__(self) -> int:
        return int(self.value)  # type: ignore[attr-defined]


def _classes(trt: ModuleType, branch: int, script: Script) -> dict[str, type]:
    """The classes, on whose objects only listed names can be read or set."""
    lists = NAMES[str(branch)]["classes"]

    class Listed:
        listed: str

        def __init_subclass__(cls) -> None:
            cls.listed = cls.__name__

        def __getattr__(self, name: str) -> Any:
            if name in lists.get(self.listed, ()):
                raise AssertionError(f"{self.listed}.{name} exists and is not played")
            raise AttributeError(f"'{self.listed}' object has no attribute '{name}'")

        def __setattr__(self, name: str, value: Any) -> None:
            if name.startswith("_"):
                object.__setattr__(self, name, value)
                return
            if name not in lists[self.listed]:
                raise AttributeError(f"'{self.listed}' object has no attribute '{name}'")
            script.calls.append((f"{self.listed}.{name}", value))
            object.__setattr__(self, name, value)

    class IHostMemory(bytearray):
        @property
        def nbytes(self) -> int:
            return len(self)

    class ILogger:
        Severity = enum.Enum("Severity", ["INTERNAL_ERROR", "ERROR", "WARNING", "INFO", "VERBOSE"])

        def __init__(self) -> None:
            self._begun = True

    def logger_of(logger: ILogger) -> ILogger:
        assert getattr(logger, "_begun", False), "ILogger.__init__ was not called"
        return logger

    class Builder(Listed):
        def __init__(self, logger: ILogger) -> None:
            self._logger = logger_of(logger)

        def create_network(self, flags: int = 0) -> "INetworkDefinition":
            assert type(flags) is int
            script.calls.append(("create_network", flags))
            return INetworkDefinition()

        def create_builder_config(self) -> "IBuilderConfig":
            return IBuilderConfig()

        def create_optimization_profile(self) -> "IOptimizationProfile":
            return IOptimizationProfile()

        def build_serialized_network(
            self, network: "INetworkDefinition", config: "IBuilderConfig"
        ) -> IHostMemory | None:
            script.calls.append(("build_serialized_network", config._flags))
            if script.build_error is not None:
                self._logger.log(ILogger.Severity.ERROR, script.build_error)
                return None
            dynamic = any(-1 in network.get_input(i).shape for i in range(network.num_inputs))
            assert not dynamic or config._profiles, "a profile is needed for a network with open sizes"
            head = {"version": trt.__version__, "shapes": config._profiles[0]._shapes if config._profiles else {}}
            if config._timings is not None:
                config._timings._content += b"timed;"
            return IHostMemory(MAGIC + json.dumps(head).encode() + b"\n" + network._content)

    class INetworkDefinition(Listed):
        _content = b""

        @property
        def num_inputs(self) -> int:
            return len(self._inputs())

        @property
        def num_layers(self) -> int:
            return len(self._graph().node)

        def get_input(self, index: int) -> SimpleNamespace:
            return self._inputs()[index]

        def get_layer(self, index: int) -> SimpleNamespace:
            kind = PLAYED_BY_GRAPH.get(self._graph().node[index].op_type, "ACTIVATION")
            return SimpleNamespace(type=trt.LayerType[kind])

        def _graph(self) -> Any:
            import onnx

            return onnx.load_from_string(self._content).graph

        def _inputs(self) -> list[SimpleNamespace]:
            graph = self._graph()
            constants = {tensor.name for tensor in graph.initializer}
            return [
                SimpleNamespace(
                    name=value.name,
                    shape=tuple(
                        d.dim_value if d.HasField("dim_value") else -1 for d in value.type.tensor_type.shape.dim
                    ),
                )
                for value in graph.input
                if value.name not in constants
            ]

    class ParserError(Listed):
        def __init__(self, said: dict[str, str]) -> None:
            self._said = said

        def desc(self) -> str:
            return self._said["desc"]

        def node_name(self) -> str:
            return self._said.get("name", "")

        def node_operator(self) -> str:
            return self._said.get("operator", "")

    class OnnxParser(Listed):
        def __init__(self, network: INetworkDefinition, logger: ILogger) -> None:
            self._network, self._logger = network, logger_of(logger)
            self._errors = script.parser_errors

        def parse(self, model: bytes, path: str | None = None) -> bool:
            import onnx

            script.calls.append(("parse", len(model)))
            try:
                loaded = onnx.load_from_string(model)
                onnx.checker.check_model(loaded)
            except Exception:
                self._errors = [*self._errors, {"desc": "Failed to parse the ONNX model."}]
            self._network._content = model
            return not self._errors

        @property
        def num_errors(self) -> int:
            return len(self._errors)

        def get_error(self, index: int) -> ParserError:
            return ParserError(self._errors[index])

    class ITimingCache(Listed):
        def __init__(self, content: bytes) -> None:
            self._content = content

        def serialize(self) -> IHostMemory:
            return IHostMemory(self._content)

    class IBuilderConfig(Listed):
        def __init__(self) -> None:
            self._flags = {"TF32"}  # on by default
            self._profiles: list[IOptimizationProfile] = []
            self._timings: ITimingCache | None = None

        def set_flag(self, flag: Any) -> None:
            assert isinstance(flag, trt.BuilderFlag)
            self._flags = self._flags | {flag.name}

        def clear_flag(self, flag: Any) -> None:
            assert isinstance(flag, trt.BuilderFlag)
            self._flags = self._flags - {flag.name}

        def set_memory_pool_limit(self, pool: Any, pool_size: int) -> None:
            script.calls.append(("set_memory_pool_limit", pool.name, pool_size))

        def add_optimization_profile(self, profile: "IOptimizationProfile") -> int:
            self._profiles.append(profile)
            return len(self._profiles) - 1

        def create_timing_cache(self, serialized_timing_cache: bytes) -> ITimingCache:
            script.calls.append(("create_timing_cache", serialized_timing_cache))
            return ITimingCache(serialized_timing_cache)

        def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool:
            assert ignore_mismatch is False
            if not script.cache_fits and cache._content:
                return False
            self._timings = cache
            return True

    class IOptimizationProfile(Listed):
        def __init__(self) -> None:
            self._shapes: dict[str, list[tuple[int, ...]]] = {}

        def set_shape(self, input: str, min: Any, opt: Any, max: Any) -> None:
            script.calls.append(("set_shape", input, tuple(min), tuple(opt), tuple(max)))
            self._shapes[input] = [tuple(min), tuple(opt), tuple(max)]

    class Runtime(Listed):
        def __init__(self, logger: ILogger) -> None:
            self._logger = logger_of(logger)

        def deserialize_cuda_engine(self, serialized_engine: bytes) -> "ICudaEngine | None":
            try:
                assert serialized_engine.startswith(MAGIC)
                head, content = serialized_engine[len(MAGIC) :].split(b"\n", 1)
                told = json.loads(head)
                assert told["version"] == trt.__version__
                return ICudaEngine(told, content)
            except Exception:
                self._logger.log(ILogger.Severity.ERROR, "Serialization assertion failed: the magic tag does not match")
                return None

    class ICudaEngine(Listed):
        def __init__(self, told: dict[str, Any], content: bytes) -> None:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.log_severity_level = 1, 4
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            self._shapes = told["shapes"]
            self._ports = [*self._session.get_inputs(), *self._session.get_outputs()]

        @property
        def num_io_tensors(self) -> int:
            return len(self._ports)

        def get_tensor_name(self, index: int) -> str:
            return self._ports[index].name

        def get_tensor_mode(self, name: str) -> Any:
            inputs = [port.name for port in self._session.get_inputs()]
            return trt.TensorIOMode["INPUT" if name in inputs else "OUTPUT"]

        def get_tensor_dtype(self, name: str) -> Any:
            (port,) = (port for port in self._ports if port.name == name)
            return trt.DataType["FLOAT" if port.type == "tensor(float)" else "INT64"]

        def get_tensor_profile_shape(self, name: str, profile_index: int) -> list[tuple[int, ...]]:
            assert profile_index == 0
            return [tuple(shape) for shape in self._shapes[name]]

        def get_tensor_shape(self, name: str) -> tuple[int, ...]:
            (port,) = (port for port in self._ports if port.name == name)
            return tuple(size if isinstance(size, int) else -1 for size in port.shape)

        def create_execution_context(self) -> "IExecutionContext":
            return IExecutionContext(self)

        def create_engine_inspector(self) -> "EngineInspector":
            return EngineInspector()

    class EngineInspector(Listed):
        def get_engine_information(self, format: Any) -> str:
            assert format is trt.LayerInformationFormat.JSON
            return json.dumps({"Layers": script.layers})

    class IExecutionContext(Listed):
        def __init__(self, engine: ICudaEngine) -> None:
            self._engine, self._addresses = engine, {}
            (self._input,) = engine._session.get_inputs()
            self._shape: tuple[int, ...] = engine.get_tensor_shape(self._input.name)

        def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
            fixed = self._engine.get_tensor_shape(name)
            least, _, most = self._engine.get_tensor_profile_shape(name, 0) if -1 in fixed else (fixed,) * 3
            fits = len(shape) == len(least) and all(
                a <= size <= b for a, size, b in zip(least, shape, most, strict=True)
            )
            if fits:
                self._shape = tuple(shape)
            return fits

        def get_tensor_shape(self, name: str) -> tuple[int, ...]:
            return self._shape if name == self._input.name else self._answers(np.zeros(self._shape, "f"))[name].shape

        def set_tensor_address(self, name: str, memory: int) -> bool:
            self._addresses[name] = memory
            return True

        def execute_async_v3(self, stream_handle: int) -> bool:
            assert stream_handle == STREAM
            size = int(np.prod(self._shape)) * 4
            given = ctypes.string_at(self._addresses[self._input.name], size)
            for name, values in self._answers(np.frombuffer(given, "f").reshape(self._shape)).items():
                ctypes.memmove(self._addresses[name], np.ascontiguousarray(values).ctypes.data, values.nbytes)
            return True

        def _answers(self, inputs: np.ndarray) -> dict[str, np.ndarray]:
            names = [port.name for port in self._engine._session.get_outputs()]
            return dict(zip(names, self._engine._session.run(names, {self._input.name: inputs}), strict=True))

    found = dict(locals())
    return {
        name: kind for name, kind in found.items() if name in NAMES[str(branch)]["module"] and isinstance(kind, type)
    }


STREAM = 77


class Driver:
    """`libcuda.so.1` with one GPU, whose memory is that of this process."""

    def __init__(self, *, gpus: int = 1, name: bytes = b"Orin") -> None:
        self.gpus, self.name = gpus, name
        self.memory: dict[int, Any] = {}
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("cu"):
            raise AttributeError(name)
        self.calls.append(name)
        return getattr(self, f"_{name}", lambda *arguments: 0)

    def _cuDeviceGetCount(self, count: Any) -> int:  # noqa: N802 - the driver's own name
        count._obj.value = self.gpus
        return 0

    def _cuDeviceGetName(self, buffer: Any, size: Any, device: Any) -> int:  # noqa: N802
        buffer.value = self.name
        return 0

    def _cuDeviceGetAttribute(self, value: Any, number: Any, device: Any) -> int:  # noqa: N802
        value._obj.value = {75: 8, 76: 7}[number.value]
        return 0

    def _cuStreamCreate(self, stream: Any, flags: Any) -> int:  # noqa: N802
        stream._obj.value = STREAM
        return 0

    def _cuMemAlloc_v2(self, address: Any, size: Any) -> int:  # noqa: N802
        if size.value > 1 << 30:
            return 2
        buffer = ctypes.create_string_buffer(size.value)
        address._obj.value = ctypes.addressof(buffer)
        self.memory[address._obj.value] = buffer
        return 0

    def _cuMemFree_v2(self, address: Any) -> int:  # noqa: N802
        del self.memory[address.value]
        return 0

    def _cuMemcpyHtoDAsync_v2(self, address: Any, source: Any, size: Any, stream: Any) -> int:  # noqa: N802
        assert size.value <= len(self.memory[address.value])
        ctypes.memmove(address.value, source.value, size.value)
        return 0

    def _cuMemcpyDtoHAsync_v2(self, target: Any, address: Any, size: Any, stream: Any) -> int:  # noqa: N802
        assert size.value <= len(self.memory[address.value])
        ctypes.memmove(target.value, address.value, size.value)
        return 0

    def _cuGetErrorString(self, code: Any, text: Any) -> int:  # noqa: N802
        text._obj.value = b"out of memory"
        return 0
