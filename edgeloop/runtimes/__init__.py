"""Inference runtimes, one file each.

Legend: `N` batch, `C` channels, `H` height, `W` width.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop.canonical import sha256_of_file
from edgeloop.contract import Contract
from edgeloop.errors import DeviceFault

Arrays = dict[str, NDArray[np.float32]]
"""Outputs by name."""


class RuntimeState(Contract):
    """What a runtime says of itself on this device."""

    name: str
    available: bool
    version: str | None = None
    library_sha256: str | None = Field(default=None, description="of the shared library that computes")
    providers: tuple[str, ...] = ()
    reason: str = Field(default="", description="why it is not available, and what to install")


class Placement(Contract):
    """Which provider computes the operators of a loaded model, in which precision, and what fell back."""

    providers: dict[str, int] = Field(default_factory=dict, description="operators, by who computes them")
    precisions: dict[str, int] = Field(default_factory=dict, description="operators, by the type they compute in")
    fell_back: tuple[str, ...] = Field(
        default=(), description="operators that another provider, a slow reference kernel or a wider type computes"
    )


class Session(Protocol):
    """A loaded model."""

    def run(self, inputs: NDArray[np.float32]) -> Arrays:
        """One inference on N, C, H, W.

        Raises:
            ModelFault: The model does not take this shape, or the session is closed.
        """

    def close(self) -> None:
        """Frees what it holds; a second call does nothing."""


@runtime_checkable
class Placed(Protocol):
    """A session whose library tells where the operators are computed."""

    def placement(self, inputs: NDArray[np.float32]) -> Placement:
        """Of the operators that these inputs meet; may load and run the model once more, so it is not to be timed.

        Raises:
            ModelFault: The model does not take this shape, or the session is closed.
        """


class Runtime(Protocol):
    """A way to run model files."""

    formats: frozenset[str]

    def state(self) -> RuntimeState:
        """Probes the installed library; never raises."""

    def open(self, path: Path, *, threads: int) -> Session:
        """Loads the model file with exactly `threads` computing threads.

        The file's folder holds the model card as `model.json`, for runtimes that need the architecture.

        Raises:
            InputFault: There is no such file.
            ModelFault: The file cannot be loaded; nothing in it was executed.
            DeviceFault: The runtime is missing, or did not accept the number of threads.
        """


@cache
def library_sha256(folder: Path, pattern: str) -> str:
    """64 hex digits of the one shared library in `folder` that matches `pattern`; large ones take a second.

    Raises:
        ValueError: Not exactly one file matches.
    """
    (library,) = sorted(folder.glob(pattern))
    return sha256_of_file(library)


def refuse_no_threads(threads: int, *, where: str) -> None:
    """Refuses a number of threads that libraries read as "as many as there are cores".

    Raises:
        DeviceFault: It is less than one.
    """
    if threads < 1:
        raise DeviceFault(f"cannot compute with {threads} threads", where=where, fix="ask for 1 or more")


NARROW = frozenset({"int8", "uint8", "fp8", "int4"})
"""Types that a quantized operator computes in."""


def fallen_back(
    layers: Sequence[tuple[str, str]], *, narrow: frozenset[str] = NARROW, asked: bool = False
) -> tuple[str, ...]:
    """Operators, by name and type, that compute in a wider type than others of the model do. Some may be meant to.

    Args:
        layers: Those that compute; what only moves or converts values is left out.
        narrow: The types that are narrow here.
        asked: The model asks for a narrow type; otherwise one with none of them is a float model, where nothing fell.
    """
    if not asked and not any(precision in narrow for _, precision in layers):
        return ()
    return tuple(f"{name}: {precision}" for name, precision in layers if precision not in narrow)


def one_line(error: BaseException, length: int = 200) -> str:
    """What a foreign error says, as one line of at most `length` characters."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= length else f"{text[: length - 1]}…"
