"""What a three-axis accelerometer makes of a shaking machine: coupling, temperature, and a 16-bit converter.

Sines and sums of floats may differ in their last bit between processors and libraries. Before it is written a reading
is therefore rounded to the step of the converter, 2^-11 g. That hides every difference unless a reading lies on the
very edge between two steps. Instruction sets were seen to differ by up to 1e-12 of a step, so about one in a million
sets of a million readings would hold one that falls to either side.
`edge_distance` tells how near the readings of a set come.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.machines.excitation import Excitation
from edgeloop.data.machines.machine import Machine

Floats = NDArray[np.float64]

FULL_SCALE_G = 16
STEP_G = FULL_SCALE_G / 2**15

REFERENCE_C = 23
_SENSITIVITY = -0.0012
"""Change of the sensor's sensitivity a kelvin, as a share."""
_SOFTENING = -0.0008
"""Change of the structure's natural frequency a kelvin, as a share."""
_DAMPING = 0.008
"""Change of the structure's damping a kelvin, as a share."""


@dataclass(frozen=True)
class Mounting:
    """How the sensor holds on to the machine: a mass on a spring (ISO 5348).

    Args:
        name: For people.
        gain: Far below the resonance.
        resonance_hz: Of the sensor on its mounting.
        damping: As a share of the critical damping.
    """

    name: str
    gain: float
    resonance_hz: float
    damping: float

    def coupling(self, frequency_hz: float) -> float:
        """What the sensor shows over what the machine does, at one frequency."""
        ratio = frequency_hz / self.resonance_hz
        return float(self.gain / np.sqrt((1 - ratio**2) ** 2 + (2 * self.damping * ratio) ** 2))


STUD = Mounting("stud", gain=1.0, resonance_hz=14_000, damping=0.03)
PROBE = Mounting("hand-held probe", gain=0.8, resonance_hz=1_000, damping=0.15)
"""Held to the machine by hand: of little use above its resonance, where bearings are heard."""


def acceleration(
    excitation: Excitation,
    machine: Machine,
    *,
    mounting: Mounting,
    temperature_c: float,
    length: int,
    rate_hz: float,
    random: np.random.Generator,
) -> Floats:
    """What arrives at the converter, in g, shape L, C.

    The noise of the machine is white and knows of the mounting's gain only, not of its resonance.
    """
    warmer_k = temperature_c - REFERENCE_C
    times_s = np.arange(length) / rate_hz
    signal = random.standard_normal((length, len(machine.direction))) * excitation.noise_g * mounting.gain
    for tone in excitation.tones:
        angle = 2 * np.pi * tone.frequency_hz * times_s[:, None] + tone.phase_rad
        signal += mounting.coupling(tone.frequency_hz) * tone.amplitude_g * np.sin(angle)
    resonance_hz = machine.resonance_hz * (1 + _SOFTENING * warmer_k)
    ringing = _ringing(excitation, times_s, resonance_hz, machine.damping * (1 + _DAMPING * warmer_k))
    signal += mounting.coupling(resonance_hz) * ringing[:, None] * machine.direction
    return signal * (machine.gain * (1 + _SENSITIVITY * warmer_k)) + machine.offset_g * warmer_k


def _ringing(excitation: Excitation, times_s: Floats, resonance_hz: float, damping: float) -> Floats:
    """The response of the structure to all blows, in g, shape L."""
    ringing = np.zeros_like(times_s)
    for time_s, size_g in zip(excitation.blow_times_s, excitation.blow_sizes_g, strict=True):
        start = int(np.searchsorted(times_s, time_s))
        angle = 2 * np.pi * resonance_hz * (times_s[start:] - time_s)
        ringing[start:] += size_g * np.exp(-damping * angle) * np.sin(angle)
    return ringing


def converted(signal_g: Floats) -> NDArray[np.float32]:
    """The readings of the converter in g: whole steps, at most the full scale; exact in float32."""
    steps = np.clip(np.rint(signal_g / STEP_G), -(2**15), 2**15 - 1)
    return (steps * STEP_G).astype(np.float32)


def edge_distance(signal_g: Floats) -> float:
    """How near the nearest reading is to where rounding would change its mind, in steps."""
    steps = signal_g / STEP_G
    return float(np.min(np.abs(steps - np.floor(steps) - 0.5)))
