"""Inference runtimes, one file each.

Legend: `N` batch, `C` channels, `H` height, `W` width.
"""

from functools import cache
from pathlib import Path
from typing import Protocol

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


class Session(Protocol):
    """A loaded model."""

    def run(self, inputs: NDArray[np.float32]) -> Arrays:
        """One inference on N, C, H, W.

        Raises:
            ModelFault: The model does not take this shape, or the session is closed.
        """

    def close(self) -> None:
        """Frees what it holds; a second call does nothing."""


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


def one_line(error: BaseException, length: int = 200) -> str:
    """What a foreign error says, as one line of at most `length` characters."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= length else f"{text[: length - 1]}…"
