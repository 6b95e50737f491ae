"""ONNX Runtime on the CPU.

Threads are pinned: `threads` inside an operator, one across operators. Idle threads sleep instead of spinning: sessions
are measured in turns in one process, where the spinning threads of one would take the cores from the next and count as
its work. One thread has no pool and nothing to spin.
"""

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.errors import DeviceFault, ModelFault, translated
from edgeloop.privacy import opt_out
from edgeloop.runtimes import (
    Arrays,
    Placement,
    RuntimeState,
    fallen_back,
    library_sha256,
    one_line,
    refuse_no_threads,
)

INSTALL = "run: pip install 'edgeloop[onnxruntime]'"
PROVIDERS = ["CPUExecutionProvider"]
SILENT = 4
"""Log level `fatal`: what fails is raised, and a step's stderr carries one line."""

TYPES = {"float": "float32", "double": "float64", "BFloat16": "bfloat16"}
MOVING = frozenset(
    {"QuantizeLinear", "DequantizeLinear", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Shape", "Cast"}
    | {"ReorderInput", "ReorderOutput", "Gather", "Slice", "Identity", "Constant"}
)
"""Operators that move or convert values, and compute nothing."""


class OnnxRuntime:
    """See the module."""

    formats = frozenset({"onnx"})

    def state(self) -> RuntimeState:
        """See `edgeloop.runtimes.Runtime`."""
        opt_out()
        try:
            import onnxruntime

            # the wheel also carries a libonnxruntime.so, which Python does not load
            library = library_sha256(Path(onnxruntime.__file__).parent / "capi", "onnxruntime_pybind11_state.*")
            providers = tuple(name for name in onnxruntime.get_available_providers() if name in PROVIDERS)
        except Exception as error:  # a broken installation fails in many ways; all of them mean "not available"
            return RuntimeState(name="onnxruntime", available=False, reason=f"{one_line(error)}; {INSTALL}")
        return RuntimeState(
            name="onnxruntime",
            available=True,
            version=onnxruntime.__version__,
            library_sha256=library,
            providers=providers,
        )

    def open(self, path: Path, *, threads: int) -> "OnnxRuntimeSession":
        """See `edgeloop.runtimes.Runtime`."""
        refuse_no_threads(threads, where="onnxruntime")
        opt_out()
        try:
            import onnxruntime
        except (ImportError, OSError) as error:
            raise DeviceFault(f"cannot be imported ({one_line(error)})", where="onnxruntime", fix=INSTALL) from error
        with translated(path), path.open("rb"):
            pass
        try:
            session = onnxruntime.InferenceSession(str(path), _options(threads), providers=PROVIDERS)
        except Exception as error:  # every status of ONNX Runtime is a class of its own below Exception
            raise ModelFault(
                f"is no model that ONNX Runtime loads ({one_line(error)})", where=str(path), fix="convert it again"
            ) from error
        accepted = session.get_session_options().intra_op_num_threads
        if accepted != threads:
            raise DeviceFault(f"accepts {accepted} threads, not {threads}", where="onnxruntime", fix="ask for fewer")
        _refuse_foreign(session, path)
        return OnnxRuntimeSession(session, path=path, threads=threads)


def _options(threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = SILENT
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _refuse_foreign(session: Any, path: Path) -> None:
    """Refuses a valid model that does not take one float32 array and give float32 arrays."""
    inputs = [value.type for value in session.get_inputs()]
    outputs = [value.type for value in session.get_outputs()]
    if inputs != ["tensor(float)"] or not outputs or set(outputs) != {"tensor(float)"}:
        raise ModelFault(
            f"takes {', '.join(inputs) or 'nothing'} and gives {', '.join(outputs) or 'nothing'},"
            " not one tensor(float) and tensor(float)",
            where=str(path),
            fix="convert the model again",
        )


class OnnxRuntimeSession:
    """A loaded ONNX file."""

    def __init__(self, session: Any, *, path: Path, threads: int) -> None:
        self._session: Any = session
        self._path, self._threads = path, threads
        self._input: str = session.get_inputs()[0].name
        self._outputs: list[str] = [output.name for output in session.get_outputs()]

    def run(self, inputs: NDArray[np.float32]) -> Arrays:
        """See `edgeloop.runtimes.Session`."""
        if self._session is None:
            raise ModelFault("the session is closed", where=str(self._path), fix="open the model again")
        try:
            outputs = self._session.run(self._outputs, {self._input: inputs})
        except Exception as error:  # every status of ONNX Runtime is a class of its own below Exception
            raise ModelFault(f"cannot run ({one_line(error)})", where=str(self._path), fix="check the input") from error
        return dict(zip(self._outputs, outputs, strict=True))

    def placement(self, inputs: NDArray[np.float32]) -> Placement:
        """See `edgeloop.runtimes.Placed`; by the profile of one run, which names what was left of the graph."""
        import onnxruntime

        if self._session is None:
            raise ModelFault("the session is closed", where=str(self._path), fix="open the model again")
        with tempfile.TemporaryDirectory() as folder:
            options = _options(self._threads)
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(folder) / "run")
            try:
                session = onnxruntime.InferenceSession(str(self._path), options, providers=PROVIDERS)
                session.run(self._outputs, {self._input: inputs})
                events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
            except Exception as error:  # every status of ONNX Runtime is a class of its own below Exception
                raise ModelFault(
                    f"cannot run ({one_line(error)})", where=str(self._path), fix="check the input"
                ) from error
        return _placed([event for event in events if event.get("cat") == "Node" and "op_name" in event.get("args", {})])

    def close(self) -> None:
        """See `edgeloop.runtimes.Session`."""
        self._session = None


def _placed(events: list[Any]) -> Placement:
    computing = [event for event in events if event["args"]["op_name"] not in MOVING]
    layers = [
        (f"{event['args']['op_name']} {event['name'].removesuffix('_kernel_time')}", _type_of(event))
        for event in computing
    ]
    elsewhere = [
        f"{event['args']['op_name']} {event['name'].removesuffix('_kernel_time')}: {event['args']['provider']}"
        for event in events
        if event["args"]["provider"] != PROVIDERS[0]
    ]
    return Placement(
        providers=dict(sorted(Counter(str(event["args"]["provider"]) for event in events).items())),
        precisions=dict(sorted(Counter(precision for _, precision in layers).items())),
        fell_back=(*elsewhere, *fallen_back(layers)),
    )


def _type_of(event: Any) -> str:
    """Of the first input, such as uint8 of a QLinearConv."""
    inputs = event["args"].get("input_type_shape") or [{}]
    name = next(iter(inputs[0]), "unknown")
    return TYPES.get(name, name)


plugin = OnnxRuntime()
