"""A runtime for tests and rehearsals: a JSON file says how fast it is, what it needs and what it answers.

    {"outputs": {"logits": 10}, "latencies_ms": [2.0, 2.0, 9.0], "load_ms": 5.0, "noise": 0.0}

Its answers follow from the file and the input alone. The outputs of two files with the same seed are the same but for
`noise`, so that one can play the quantized version of the other.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.errors import ModelFault
from edgeloop.runtimes import Arrays, Placement, RuntimeState, refuse_no_threads

VERSION = "1"


class FakeModel(Contract):
    """What the model file says."""

    format: int = 1
    outputs: dict[str, int] = Field(default={"logits": 10}, min_length=1, description="name and K of each output")
    seed: int = Field(default=0, ge=0, lt=2**32, description="of the weights")
    noise: float = Field(default=0.0, ge=0, description="largest change of an output, relative to its own size")
    load_ms: float = Field(default=0.0, ge=0)
    latencies_ms: tuple[float, ...] = Field(default=(0.0,), min_length=1, description="one inference each, in a circle")
    busy: bool = Field(default=True, description="computes while it waits; else it sleeps, as if the core were taken")
    memory_bytes: int = Field(default=0, ge=0, le=2**33, description="held while loaded")


class FakeRuntime:
    """See the module.

    Args:
        clock_ns: Nanoseconds that only grow.
        sleep: Waits the given seconds without computing.
    """

    formats = frozenset({"fake"})

    def __init__(
        self, clock_ns: Callable[[], int] = time.perf_counter_ns, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock_ns, self._sleep = clock_ns, sleep

    def state(self) -> RuntimeState:
        """See `edgeloop.runtimes.Runtime`."""
        return RuntimeState(name="fake", available=True, version=VERSION, providers=("fake",))

    def open(self, path: Path, *, threads: int) -> "FakeSession":
        """See `edgeloop.runtimes.Runtime`."""
        refuse_no_threads(threads, where="fake")
        model = FakeModel.read(path)
        session = FakeSession(model, path=path, wait_ms=self._busy_ms if model.busy else self._asleep_ms)
        self._busy_ms(model.load_ms)
        return session

    def _busy_ms(self, duration_ms: float) -> None:
        end_ns = self._clock_ns() + round(duration_ms * 1e6)
        while self._clock_ns() < end_ns:
            pass

    def _asleep_ms(self, duration_ms: float) -> None:
        self._sleep(duration_ms / 1e3)


class FakeSession:
    """A loaded fake model."""

    def __init__(self, model: FakeModel, *, path: Path, wait_ms: Callable[[float], None]) -> None:
        self._model, self._path, self._wait_ms = model, path, wait_ms
        self._held: bytes | None = b"\1" * model.memory_bytes
        self._runs = 0

    def run(self, inputs: NDArray[np.float32]) -> Arrays:
        """See `edgeloop.runtimes.Session`."""
        if self._held is None:
            raise ModelFault("the session is closed", where=str(self._path), fix="open the model again")
        if inputs.ndim != 4 or inputs.dtype != np.float32:
            raise ModelFault(
                f"cannot run ({inputs.dtype} of rank {inputs.ndim})", where=str(self._path), fix="check the input"
            )
        latencies = self._model.latencies_ms
        self._wait_ms(latencies[self._runs % len(latencies)])
        self._runs += 1
        features = inputs.reshape(len(inputs), -1)
        return {
            name: _answered(features, classes, seed=[self._model.seed, place], noise=self._model.noise)
            for place, (name, classes) in enumerate(self._model.outputs.items())
        }

    def placement(self, inputs: NDArray[np.float32]) -> Placement:  # noqa: ARG002 - all inputs meet the same
        """See `edgeloop.runtimes.Placed`."""
        if self._held is None:
            raise ModelFault("the session is closed", where=str(self._path), fix="open the model again")
        return Placement(providers={"fake": len(self._model.outputs)}, precisions={"float32": len(self._model.outputs)})

    def close(self) -> None:
        """See `edgeloop.runtimes.Session`."""
        self._held = None


def _answered(features: NDArray[np.float32], classes: int, *, seed: list[int], noise: float) -> NDArray[np.float32]:
    """N, features → N, K: a random linear map, sample by sample, so that the batch size changes nothing."""
    weights = np.random.default_rng([*seed, 0]).standard_normal((classes, features.shape[1]), dtype=np.float32)
    changes = np.random.default_rng([*seed, 1]).uniform(-noise, noise, size=classes).astype(np.float32)
    rows = [(weights * row).sum(axis=1) * (1 + changes) for row in features]
    return np.asarray(rows, dtype=np.float32).reshape(len(features), classes)


plugin = FakeRuntime()
