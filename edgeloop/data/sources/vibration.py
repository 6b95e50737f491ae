"""Accelerometer windows of rotating machines that exist on paper only, drawn from a seed.

Classes are the states of `edgeloop.data.machines.excitation`. Every machine shows every class, and is a group: a split
tears none apart, so val and test are of machines that training has not seen. The same options give the same bytes on
every machine; `docs/vibration.md` has their digests.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.data.machines import CHANNELS
from edgeloop.data.machines.excitation import STATES, Running, excited
from edgeloop.data.machines.machine import Machine, drawn_machine
from edgeloop.data.machines.sensor import FULL_SCALE_G, PROBE, STUD, acceleration, converted
from edgeloop.data.sources import RawSample
from edgeloop.data.windows import window_bytes
from edgeloop.errors import DataFault

LOADS = (0.25, 0.5, 0.75, 1.0)
_FULL_LOAD_SLOWS_BY = 0.03


class VibrationOptions(Contract):
    """How many windows, of what, and where the sensor stands."""

    machines: int = Field(default=20, ge=1, le=1000)
    windows: int = Field(default=12, ge=1, le=10_000, description="of each machine and class")
    length: int = Field(default=1024, ge=16, le=65_536, description="readings of a window")
    rate_hz: float = Field(default=6400, ge=6000, le=100_000, description="readings a second")
    seed: int = Field(default=0, ge=0, lt=2**32, description="of the machines and their windows")
    shift: Literal["none", "mounting", "temperature"] = Field(
        default="none",
        description="the same windows, taken with a hand-held probe instead of a stud, or at 65 to 85 degrees",
    )


class Vibration:
    """Ids `m00/bearing_inner/0000` and so on: machine, class, number."""

    kind = "window"
    needs_place = False
    options = VibrationOptions

    def samples(self, path: Path | None, options: VibrationOptions) -> Iterator[RawSample]:
        """All windows, machine by machine.

        Raises:
            DataFault: A path was given, which this source would ignore.
        """
        if path is not None:
            raise DataFault(
                "the source vibration takes no path", where=str(path), fix="set prepare_data.source to signals"
            )
        return _samples(options)


def _samples(options: VibrationOptions) -> Iterator[RawSample]:
    for number in range(options.machines):
        machine = drawn_machine(number, seed=options.seed)
        for state in STATES:
            for window in range(options.windows):
                yield _sample(machine, number, state, window, options)


def _sample(machine: Machine, number: int, state: str, window: int, options: VibrationOptions) -> RawSample:
    signal_g, known = taken(machine, number, state, window, options)
    return RawSample(
        id=f"{machine.name}/{state}/{window:04d}",
        label=state,
        content=window_bytes(converted(signal_g)),
        group=machine.name,
        metadata={
            "rate_hz": f"{options.rate_hz:g}",
            "channels": ",".join(CHANNELS),
            "unit": "g",
            "full_scale": f"{FULL_SCALE_G:g}",
            "machine": machine.name,
            **known,
        },
    )


def taken(
    machine: Machine, number: int, state: str, window: int, options: VibrationOptions
) -> tuple[NDArray[np.float64], dict[str, str]]:
    """One window before the converter, in g, shape L, C; and what is known of how it was taken."""
    random = np.random.default_rng([options.seed, number, list(STATES).index(state), window])
    load = LOADS[int(random.integers(len(LOADS)))]
    running = Running(
        load=load,
        shaft_hz=machine.shaft_hz * (1 - _FULL_LOAD_SLOWS_BY * load) * (0.995 + 0.01 * random.random()),
        severity=float(0.35 * 8 ** random.random()),
        duration_s=options.length / options.rate_hz,
    )
    warmth = random.random()
    temperature_c = 65 + 20 * warmth if options.shift == "temperature" else 18 + 10 * warmth
    mounting = PROBE if options.shift == "mounting" else STUD
    signal_g = acceleration(
        excited(state, machine, running, random),
        machine,
        mounting=mounting,
        temperature_c=temperature_c,
        length=options.length,
        rate_hz=options.rate_hz,
        random=random,
    )
    known = {
        "load": f"{load:g}",
        "shaft_hz": f"{running.shaft_hz:.3f}",
        "mounting": mounting.name,
        "temperature_c": f"{temperature_c:.1f}",
    }
    return signal_g, known


plugin = Vibration()
