"""What shakes in a machine, in each state of health.

Which frequencies a state shows, and in which direction, follows ISO 13373-1 (vibration condition monitoring, general
procedures); a defect of a bearing follows Randall and Antoni (2011), see `machine`: a train of blows, each of which
lets the structure ring, at intervals that slip a little because the balls also slide.

    healthy        a little of everything: 1x, 2x, the vanes, twice the mains frequency, noise
    unbalance      1x in the radial plane, y a quarter turn behind x; grows with the square of the speed
    misalignment   2x above 1x and 3x, as strong along the shaft as across it; grows with the load
    bearing_outer  blows at BPFO, all of about one size: the defect stands still in the zone of load
    bearing_inner  blows at BPFI, whose size follows the shaft as the defect turns through the zone of load
    looseness      many harmonics, and those of half the speed, as the part lifts off every second turn; more noise

1x is the speed of the shaft, 2x twice that.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.machines.machine import Machine

Floats = NDArray[np.float64]

MAINS_HZ = 50
SLIP = 0.01
"""Standard deviation of the interval between two blows, as a share of it."""

REFERENCE_HZ = 30
"""The speed at which unbalance has its stated size."""

_RADIAL, _AXIAL = (1.0, 0.9, 0.15), (0.6, 0.6, 0.9)
_BEFORE_S = 0.1
"""Blows this long before a window still ring in it."""


@dataclass(frozen=True)
class Running:
    """How the machine runs while a window is taken.

    Args:
        load: Share of the full load.
        shaft_hz: Speed of the shaft under it.
        severity: Of the fault: 1 is average.
        duration_s: Of the window.
    """

    load: float
    shaft_hz: float
    severity: float
    duration_s: float


@dataclass(frozen=True)
class Tone:
    """A steady sine; amplitude in g and phase in rad, one a channel, shape C."""

    frequency_hz: float
    amplitude_g: Floats
    phase_rad: Floats


@dataclass(frozen=True)
class Excitation:
    """What shakes: tones, blows at times in a window (seconds, sizes in g), and noise (standard deviation in g)."""

    tones: tuple[Tone, ...]
    noise_g: float
    blow_times_s: Floats
    blow_sizes_g: Floats


def excited(state: str, machine: Machine, running: Running, random: np.random.Generator) -> Excitation:
    """What shakes in `machine` in one of STATES while it runs as told."""
    return STATES[state](_healthy(machine, running, random), machine, running, random)


def _healthy(machine: Machine, running: Running, random: np.random.Generator) -> Excitation:
    once, twice, vanes, mains = (size * (0.7 + 0.6 * random.random()) for size in machine.residual_g)
    tones = (
        _tone(running.shaft_hz, once * _speed(running), _RADIAL, random, y_lags=True),
        _tone(2 * running.shaft_hz, twice, _AXIAL, random),
        _tone(machine.vanes * running.shaft_hz, vanes * (0.5 + running.load), _RADIAL, random),
        _tone(2 * MAINS_HZ, mains * (0.5 + running.load), _RADIAL, random),
    )
    return Excitation(tones, machine.noise_g * (0.8 + 0.4 * running.load), np.empty(0), np.empty(0))


def _unchanged(healthy: Excitation, _machine: Machine, _running: Running, _random: np.random.Generator) -> Excitation:
    return healthy


def _unbalance(healthy: Excitation, _machine: Machine, running: Running, random: np.random.Generator) -> Excitation:
    size = 0.25 * running.severity * _speed(running)
    return _with_tones(healthy, _tone(running.shaft_hz, size, _RADIAL, random, y_lags=True))


def _misalignment(healthy: Excitation, _machine: Machine, running: Running, random: np.random.Generator) -> Excitation:
    size = 0.2 * running.severity * (0.6 + 0.4 * running.load)
    shares = (0.3 + 0.3 * random.random(), 1.0, 0.2 + 0.4 * random.random())
    tones = (
        _tone(order * running.shaft_hz, size * share, _AXIAL, random) for order, share in enumerate(shares, start=1)
    )
    return _with_tones(healthy, *tones)


def _looseness(healthy: Excitation, _machine: Machine, running: Running, random: np.random.Generator) -> Excitation:
    size = 0.16 * running.severity
    whole = [(order, 1 / math.sqrt(order)) for order in range(1, 11)]
    half = [(order + 0.5, 0.6 / math.sqrt(order + 1)) for order in range(6)]
    tones = (
        _tone(order * running.shaft_hz, size * share * (0.4 + 0.8 * random.random()), _RADIAL, random)
        for order, share in whole + half
    )
    return replace(_with_tones(healthy, *tones), noise_g=healthy.noise_g * (1 + 0.4 * running.severity))


def _outer_race(healthy: Excitation, machine: Machine, running: Running, random: np.random.Generator) -> Excitation:
    times_s = _blows(machine.bearing.outer_race_hz(running.shaft_hz), running.duration_s, random)
    return replace(healthy, blow_times_s=times_s, blow_sizes_g=_sizes(times_s, running, random))


def _inner_race(healthy: Excitation, machine: Machine, running: Running, random: np.random.Generator) -> Excitation:
    times_s = _blows(machine.bearing.inner_race_hz(running.shaft_hz), running.duration_s, random)
    turned = 2 * np.pi * (running.shaft_hz * times_s + random.random())
    sizes_g = 1.3 * _sizes(times_s, running, random) * zone_of_load(turned)
    return replace(healthy, blow_times_s=times_s, blow_sizes_g=sizes_g)


STATES: dict[str, Callable[[Excitation, Machine, Running, np.random.Generator], Excitation]] = {
    "healthy": _unchanged,
    "unbalance": _unbalance,
    "misalignment": _misalignment,
    "bearing_outer": _outer_race,
    "bearing_inner": _inner_race,
    "looseness": _looseness,
}
"""What each class adds to a healthy machine."""


def zone_of_load(angle_rad: Floats) -> Floats:
    """The load on a ball at an angle from the middle of the zone of load, over the largest.

    Stribeck's distribution for a bearing with clearance, (1 - (1 - cos angle) / 2e) ^ 1.5 with e = 0.45, zero outside
    the zone; a tenth is left there, since the blow is weaker and not gone.
    """
    inside = np.maximum(1 - (1 - np.cos(angle_rad)) / 0.9, 0)
    return 0.1 + 0.9 * inside * np.sqrt(inside)


def _tone(
    frequency_hz: float,
    size_g: float,
    direction: tuple[float, float, float],
    random: np.random.Generator,
    *,
    y_lags: bool = False,
) -> Tone:
    """A sine with phases of chance, or, where the force turns with the shaft, with y a quarter turn behind x."""
    phases = 2 * np.pi * random.random(3)
    if y_lags:
        phases[1] = phases[0] - np.pi / 2
    return Tone(frequency_hz, size_g * np.array(direction) * (0.8 + 0.4 * random.random(3)), phases)


def _with_tones(healthy: Excitation, *tones: Tone) -> Excitation:
    return replace(healthy, tones=(*healthy.tones, *tones))


def _speed(running: Running) -> float:
    """The force of an eccentric mass over that at REFERENCE_HZ."""
    return (running.shaft_hz / REFERENCE_HZ) ** 2


def _blows(rate_hz: float, duration_s: float, random: np.random.Generator) -> Floats:
    """Times of a train of blows; each interval slips by itself, so that the train loses its phase in the long run."""
    count = math.ceil((duration_s + _BEFORE_S) * rate_hz * 1.1) + 2
    intervals_s = (1 + SLIP * random.standard_normal(count)) / rate_hz
    return np.cumsum(intervals_s) - _BEFORE_S - random.random() / rate_hz


def _sizes(times_s: Floats, running: Running, random: np.random.Generator) -> Floats:
    return 0.5 * running.severity * (0.6 + 0.4 * running.load) * (0.8 + 0.4 * random.random(times_s.size))
