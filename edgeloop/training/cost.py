"""What a training cost: decided by a clock, so kept apart from what seed and data decide."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.training.energy import POWERCAP, EnergyCounter

COST_FILE = "cost.json"

_STATUS = Path("/proc/self/status")


class Cost(Contract):
    """What `train` writes as cost.json."""

    format: int = 1
    wall_s: float
    cpu_s: float = Field(description="of all threads of the process")
    peak_memory_bytes: int | None = Field(description="VmHWM of the process; null where Linux does not tell it")
    energy_j: float | None = Field(default=None, description="of the processors, with all that runs on them")
    energy_reason: str = Field(default="", description="why energy_j is null")
    parts: tuple["PartCost", ...] = Field(
        default=(), description="of every trial, and every share of the learning curve, in order"
    )

    def metrics(self) -> dict[str, float]:
        """What is a number, as `system.*`."""
        values = {name: getattr(self, name) for name in ("wall_s", "cpu_s", "peak_memory_bytes", "energy_j")}
        return {f"system.{name}": value for name, value in values.items() if value is not None}


class PartCost(Contract):
    """Of one training among several; what an earlier run left in a checkpoint is not counted."""

    name: str
    wall_s: float
    cpu_s: float

    @classmethod
    def of(cls, name: str, cost: Cost) -> Self:
        """What `cost` says of time."""
        return cls(name=name, wall_s=cost.wall_s, cpu_s=cost.cpu_s)


@contextmanager
def measured(powercap: Path = POWERCAP) -> Iterator[Callable[[], Cost]]:
    """Gives a function that tells the cost since the block began.

    Args:
        powercap: Where the kernel's energy counters lie.
    """
    wall_ns, cpu_ns, energy = time.perf_counter_ns(), time.process_time_ns(), EnergyCounter(powercap)
    yield lambda: Cost(
        wall_s=(time.perf_counter_ns() - wall_ns) / 1e9,
        cpu_s=(time.process_time_ns() - cpu_ns) / 1e9,
        peak_memory_bytes=_peak_memory_bytes(),
        energy_j=energy.read_j(),
        energy_reason=energy.reason,
    )


def _peak_memory_bytes() -> int | None:
    if not _STATUS.is_file():
        return None
    for line in _STATUS.read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None
