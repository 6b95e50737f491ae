"""LiteRT on the CPU, from `.tflite` files, through XNNPACK.

A file is made for one batch size. A batch of another size is answered in parts of that size, so a file for one sample
answers any batch. Outputs have the names of the card beside the file, in its order. Input and output are float32; an
int8 file holds its own conversion at both ends.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.errors import DeviceFault, ModelFault, translated
from edgeloop.models import CARD_FILE, ModelCard
from edgeloop.runtimes import Arrays, RuntimeState, library_sha256, one_line, refuse_no_threads

INSTALL = "run: pip install 'edgeloop[litert]'"
IDENTIFIER = b"TFL3"
"""Of the format, in bytes 4 to 8 of a file."""


class LiteRt:
    """See the module."""

    formats = frozenset({"litert"})

    def state(self) -> RuntimeState:
        """See `edgeloop.runtimes.Runtime`."""
        try:
            import ai_edge_litert
            from ai_edge_litert import interpreter  # noqa: F401 - it loads the library

            library = library_sha256(Path(ai_edge_litert.__file__).parent, "_pywrap_litert_interpreter_wrapper.*")
            version = ai_edge_litert.__version__
        except Exception as error:  # a broken installation fails in many ways; all of them mean "not available"
            return RuntimeState(name="litert", available=False, reason=f"{one_line(error)}; {INSTALL}")
        return RuntimeState(
            name="litert", available=True, version=version, library_sha256=library, providers=("xnnpack",)
        )

    def open(self, path: Path, *, threads: int) -> "LiteRtSession":
        """See `edgeloop.runtimes.Runtime`."""
        refuse_no_threads(threads, where="litert")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        try:
            from ai_edge_litert.interpreter import Interpreter
        except (ImportError, OSError) as error:
            raise DeviceFault(f"cannot be imported ({one_line(error)})", where="litert", fix=INSTALL) from error
        with translated(path):
            content = path.read_bytes()
        if content[4:8] != IDENTIFIER:
            raise _not_loaded(path, "it does not begin as one")
        try:
            interpreter = Interpreter(model_content=content, num_threads=threads)
            interpreter.allocate_tensors()
        except Exception as error:  # ValueError and RuntimeError of the library
            raise _not_loaded(path, one_line(error)) from error
        _refuse_foreign(interpreter, path)
        names = ModelCard.of(path.parent).output_names if (path.parent / CARD_FILE).is_file() else ()
        return LiteRtSession(interpreter, path=path, names=names)


def _not_loaded(path: Path, why: str) -> ModelFault:
    return ModelFault(f"is no model that LiteRT loads ({why})", where=str(path), fix="convert it again")


def _refuse_foreign(interpreter: Any, path: Path) -> None:
    """Refuses a valid model that does not take one float32 array and give float32 arrays."""
    inputs = [port["dtype"].__name__ for port in interpreter.get_input_details()]
    outputs = [port["dtype"].__name__ for port in interpreter.get_output_details()]
    if inputs != ["float32"] or not outputs or set(outputs) != {"float32"}:
        raise ModelFault(
            f"takes {', '.join(inputs) or 'nothing'} and gives {', '.join(outputs) or 'nothing'}, not float32",
            where=str(path),
            fix="convert the model again",
        )


class LiteRtSession:
    """A loaded file."""

    def __init__(self, interpreter: Any, *, path: Path, names: tuple[str, ...]) -> None:
        self._interpreter: Any = interpreter
        self._path = path
        (port,) = interpreter.get_input_details()
        self._input, self._shape = port["index"], tuple(int(size) for size in port["shape"])
        outputs = interpreter.get_output_details()
        if names and len(names) != len(outputs):
            raise ModelFault(f"gives {len(outputs)} outputs, not {len(names)}", where=str(path), fix="convert it again")
        self._outputs = dict(
            zip(names or [port["name"] for port in outputs], [port["index"] for port in outputs], strict=True)
        )

    def run(self, inputs: NDArray[np.float32]) -> Arrays:
        """See `edgeloop.runtimes.Session`."""
        if self._interpreter is None:
            raise ModelFault("the session is closed", where=str(self._path), fix="open the model again")
        if inputs.dtype != np.float32 or inputs.shape[1:] != self._shape[1:] or len(inputs) % self._shape[0]:
            raise ModelFault(
                f"cannot run on {inputs.dtype} of shape {inputs.shape}, it takes {self._shape}",
                where=str(self._path),
                fix="check the input",
            )
        parts = [self._part(inputs[row : row + self._shape[0]]) for row in range(0, len(inputs), self._shape[0])]
        return {name: np.concatenate([part[name] for part in parts]) for name in self._outputs}

    def close(self) -> None:
        """See `edgeloop.runtimes.Session`."""
        self._interpreter = None

    def _part(self, inputs: NDArray[np.float32]) -> Arrays:
        try:
            self._interpreter.set_tensor(self._input, np.ascontiguousarray(inputs))
            self._interpreter.invoke()
            return {name: self._interpreter.get_tensor(index) for name, index in self._outputs.items()}
        except (RuntimeError, ValueError) as error:
            raise ModelFault(f"cannot run ({one_line(error)})", where=str(self._path), fix="check the input") from error


plugin = LiteRt()
