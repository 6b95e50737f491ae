"""LiteRT on the CPU, from `.tflite` files, through XNNPACK.

A file is made for one batch size. A batch of another size is answered in parts of that size, so a file for one sample
answers any batch. Outputs have the names of the card beside the file, in its order, else those of the file's signature.
Input and output are float32; an int8 file holds its own conversion at both ends.

A file that takes the channels last (N, H, W, C or N, L, C), as LiteRT's kernels do, is given inputs turned for it.
Outputs are as they are in the file.
"""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.errors import DeviceFault, EdgeloopError, ModelFault, translated
from edgeloop.litert_files import IDENTIFIER, channels_last
from edgeloop.models import CARD_FILE, ModelCard
from edgeloop.runtimes import (
    Arrays,
    Placement,
    RuntimeState,
    fallen_back,
    library_sha256,
    one_line,
    refuse_no_threads,
)

INSTALL = "run: pip install 'edgeloop[litert]'"
XNNPACK = "xnnpack"
BUILTIN = "builtin kernels"
"""LiteRT's own, for what XNNPACK does not take: slower, and each way there and back costs a copy."""

DELEGATE = "DELEGATE"
"""The operator that stands for a part of the graph which XNNPACK computes."""

MOVING = frozenset({"QUANTIZE", "DEQUANTIZE", "RESHAPE", "TRANSPOSE", "CONCATENATION", "PAD", "SPLIT", "SLICE"})
"""Operators that move or convert values, in whatever type those have."""


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
            name="litert", available=True, version=version, library_sha256=library, providers=(XNNPACK,)
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
        card = ModelCard.of(path.parent) if (path.parent / CARD_FILE).is_file() else None
        try:
            interpreter = Interpreter(model_content=content, num_threads=threads)
            interpreter.allocate_tensors()
            _refuse_foreign(interpreter, path)
            return LiteRtSession(interpreter, path=path, card=card)
        except EdgeloopError:
            raise
        except Exception as error:  # of the library, and of a name in the file that is no text
            raise _not_loaded(path, one_line(error)) from error


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


def _outputs(interpreter: Any, names: tuple[str, ...], path: Path) -> dict[str, int]:
    """The index of each output by its name: of the card, by its place where the signature names others."""
    places = [port["index"] for port in interpreter.get_output_details()]
    if names and len(names) != len(places):
        raise ModelFault(f"gives {len(places)} outputs, not {len(names)}", where=str(path), fix="convert it again")
    if len(interpreter.get_signature_list()) == 1:
        ports = interpreter.get_signature_runner().get_output_details()
        signed = {port["index"]: name for name, port in ports.items()}
        own = [signed.get(index, "") for index in places]
    else:
        own = [port["name"] for port in interpreter.get_output_details()]
    by_name = dict(zip(own, places, strict=True))
    if names and set(names) == set(by_name):
        return {name: by_name[name] for name in names}
    return dict(zip(names or own, places, strict=True))


class LiteRtSession:
    """A loaded file."""

    def __init__(self, interpreter: Any, *, path: Path, card: ModelCard | None) -> None:
        self._interpreter: Any = interpreter
        self._path = path
        (port,) = interpreter.get_input_details()
        self._input, self._shape = port["index"], tuple(int(size) for size in port["shape"])
        self._order = (0, *range(2, len(self._shape)), 1)
        self._outputs = _outputs(interpreter, card.output_names if card else (), path)

    def run(self, inputs: NDArray[np.float32]) -> Arrays:
        """See `edgeloop.runtimes.Session`."""
        if self._interpreter is None:
            raise ModelFault("the session is closed", where=str(self._path), fix="open the model again")
        turned = channels_last(self._shape[1:], inputs.shape[1:])
        fits = turned or inputs.shape[1:] == self._shape[1:]
        if inputs.dtype != np.float32 or not fits or len(inputs) % self._shape[0]:
            raise ModelFault(
                f"cannot run on {inputs.dtype} of shape {inputs.shape}, it takes {self._shape}",
                where=str(self._path),
                fix="check the input",
            )
        given = inputs.transpose(self._order) if turned else inputs
        if len(given) == self._shape[0]:
            return self._part(given)
        parts = [self._part(given[row : row + self._shape[0]]) for row in range(0, len(given), self._shape[0])]
        return {name: np.concatenate([part[name] for part in parts]) for name in self._outputs}

    def placement(self, inputs: NDArray[np.float32]) -> Placement:
        """See `edgeloop.runtimes.Placed`; by the parts of the graph that stand replaced once a run has begun."""
        self.run(inputs)
        try:
            types = {port["index"]: port["dtype"].__name__ for port in self._interpreter.get_tensor_details()}
            operators = self._interpreter._get_ops_details()  # the library offers no other way
        except ValueError as error:  # a name in the file that is no text
            raise _not_loaded(self._path, one_line(error)) from error
        return _placed(operators, types)

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


def _placed(operators: Sequence[Any], types: dict[int, str]) -> Placement:
    """The library lists the operators of the file, and behind them the parts that XNNPACK took, without their insides.

    Args:
        operators: Each with `index`, `op_name`, `inputs` and `outputs`, which name tensors.
        types: Of the tensors.
    """
    own = [operator for operator in operators if operator["op_name"] != DELEGATE]
    taken = _taken(own, [operator for operator in operators if operator["op_name"] == DELEGATE])
    layers = [
        (f"{operator['op_name']}.{operator['index']}", types.get(int(operator["inputs"][0]), "unknown"))
        for operator in own
        if operator["op_name"] not in MOVING and len(operator["inputs"])
    ]
    left = [operator for operator in own if operator["index"] not in taken]
    elsewhere = [f"{operator['op_name']}.{operator['index']}: {BUILTIN}" for operator in left]
    providers = {XNNPACK: len(own) - len(left), BUILTIN: len(left)}
    return Placement(
        providers={name: count for name, count in providers.items() if count},
        precisions=dict(sorted(Counter(precision for _, precision in layers).items())),
        fell_back=(*elsewhere, *fallen_back(layers)),
    )


def _taken(operators: Sequence[Any], parts: Sequence[Any]) -> set[int]:
    """The operators in the parts: on the way back from what a part gives to what it is given."""
    makers = {int(index): operator for operator in operators for index in operator["outputs"]}
    found: set[int] = set()
    for part in parts:
        given = {int(index) for index in part["inputs"]}
        wanted = [int(index) for index in part["outputs"]]
        while wanted:
            maker = makers.get(wanted.pop())
            if maker is not None and maker["index"] not in found:
                found.add(maker["index"])
                wanted += [index for index in map(int, maker["inputs"]) if index not in given]
    return found


plugin = LiteRt()
