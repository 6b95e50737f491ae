"""What is known of one candidate while it is measured."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from edgeloop.benchmarking.messages import Loaded, Timed, Warm
from edgeloop.benchmarking.plan import Candidate
from edgeloop.benchmarking.profiles import CONTENDED
from edgeloop.benchmarking.statistics import Samples, contention
from edgeloop.errors import DeviceFault, EdgeloopError, MissingExtra, PluginFault
from edgeloop.runtimes import Arrays, Placement


@dataclass(frozen=True)
class Turn:
    """One candidate's part of one round."""

    restart: int
    number: int
    timed: Timed


@dataclass(frozen=True)
class Stop:
    """Why a candidate is measured no further."""

    status: Literal["invalid", "not evaluated"]
    reason: str


@dataclass
class Record:
    """Grows while the run goes on; a row is made of it at the end."""

    candidate: Candidate
    loaded: list[Loaded] = field(default_factory=list)
    warm: list[Warm] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    outputs: list[Arrays] = field(default_factory=list)
    placement: Placement | None = None
    peak_memory_bytes: int | None = None
    stop: Stop | None = None

    @property
    def contention(self) -> list[float]:
        """One value for every turn, see `statistics.contention`."""
        return contention(
            [turn.timed.wall_ns for turn in self.turns],
            [turn.timed.process_ns for turn in self.turns],
            threads=self.candidate.target.threads,
        )

    @property
    def kept(self) -> list[bool]:
        """For every turn, whether it had the CPU to itself."""
        return [share >= CONTENDED for share in self.contention]

    def kept_turns(self, restart: int | None = None) -> list[Turn]:
        """The turns that count, of one process start or of all."""
        turns = [turn for turn, kept in zip(self.turns, self.kept, strict=True) if kept]
        return turns if restart is None else [turn for turn in turns if turn.restart == restart]

    def all_outputs(self) -> Arrays:
        """Outputs of all samples by name, N first; empty where nothing was run."""
        if not self.outputs:
            return {}
        return {name: np.concatenate([part[name] for part in self.outputs]) for name in self.outputs[0]}


def latencies_of(turns: list[Turn]) -> Samples:
    """The samples of several turns, one after another."""
    return np.concatenate([np.asarray(turn.timed.latencies_ns, dtype=np.float64) for turn in turns])


@contextmanager
def stopping(record: Record) -> Iterator[None]:
    """Turns a fault inside into the end of this candidate alone; the others go on."""
    try:
        yield
    except EdgeloopError as error:
        record.stop = stop_of(error)


def stop_of(error: EdgeloopError) -> Stop:
    """What a fault means for a candidate: a worker that is gone was lost, a missing package leaves it open."""
    if isinstance(error, MissingExtra | PluginFault):
        return Stop("not evaluated", error.line())
    lost = isinstance(error, DeviceFault) and "told_by_worker" not in error.facts
    return Stop("invalid", f"lost: {error.line()}" if lost else error.line())
