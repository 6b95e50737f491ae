"""Inference runtimes, one file each.

Legend: `N` batch, `C` channels, `H` height, `W` width.
"""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop.contract import Contract

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
        """One inference on N, C, H, W."""

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
            ModelFault: The file cannot be loaded.
            DeviceFault: The runtime is missing, or did not accept the number of threads.
        """
