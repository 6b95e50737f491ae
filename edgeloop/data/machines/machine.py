"""How a machine is built: its speed, its bearing and the structure that carries the sound of it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Bearing:
    """A rolling bearing whose outer race stands still.

    Kinematics without slip: R. B. Randall and J. Antoni, Rolling element bearing diagnostics - A tutorial, Mechanical
    Systems and Signal Processing 25 (2011) 485-520, equations 1 and 2.

    Args:
        elements: Number of balls or rollers, n.
        ball_mm: Their diameter, d.
        pitch_mm: Diameter of the circle on which they run, D.
        contact_deg: Angle of the load from the radial plane, phi.
    """

    elements: int
    ball_mm: float
    pitch_mm: float
    contact_deg: float

    def outer_race_hz(self, shaft_hz: float) -> float:
        """BPFO: balls that pass a place on the outer race, n f / 2 (1 - d / D cos phi)."""
        return self.elements * shaft_hz / 2 * (1 - self._ratio)

    def inner_race_hz(self, shaft_hz: float) -> float:
        """BPFI: balls that pass a place on the inner race, n f / 2 (1 + d / D cos phi)."""
        return self.elements * shaft_hz / 2 * (1 + self._ratio)

    @property
    def _ratio(self) -> float:
        return self.ball_mm / self.pitch_mm * math.cos(math.radians(self.contact_deg))


@dataclass(frozen=True)
class Machine:
    """One machine; all of it stays the same whatever happens to it.

    Args:
        name: Such as `m07`.
        shaft_hz: Speed without load.
        vanes: Blades of its pump or fan.
        bearing: The one beside the sensor.
        resonance_hz: Natural frequency of the structure, which every blow excites.
        damping: Of that resonance, as a share of the critical damping.
        gain: Vibration at the sensor over that of a machine of average stiffness.
        direction: How much of a blow reaches each channel; shape C.
        residual_g: Amplitudes that are there when it is healthy: 1x, 2x, vane pass, twice the mains frequency.
        noise_g: Standard deviation of its broadband noise without load.
        offset_g: What the sensor shows at rest for each kelvin away from 23 degrees; shape C.
    """

    name: str
    shaft_hz: float
    vanes: int
    bearing: Bearing
    resonance_hz: float
    damping: float
    gain: float
    direction: NDArray[np.float64]
    residual_g: tuple[float, float, float, float]
    noise_g: float
    offset_g: NDArray[np.float64]


def drawn_machine(number: int, *, seed: int) -> Machine:
    """Machine `number` of the fleet `seed`, whatever the size of the fleet."""
    random = np.random.default_rng([seed, number])

    def between(low: float, high: float) -> float:
        return float(low + (high - low) * random.random())

    pitch_mm = between(30, 80)
    bearing = Bearing(
        elements=int(random.integers(7, 13)),
        ball_mm=pitch_mm * between(0.18, 0.28),
        pitch_mm=pitch_mm,
        contact_deg=between(0, 15),
    )
    return Machine(
        name=f"m{number:02d}",
        shaft_hz=between(18, 48),
        vanes=int(random.integers(5, 8)),
        bearing=bearing,
        resonance_hz=between(1300, 2600),
        damping=between(0.03, 0.07),
        gain=between(0.7, 1.4),
        direction=np.array([between(0.7, 1), between(0.5, 0.9), between(0.2, 0.5)]),
        residual_g=(between(0.02, 0.08), between(0.01, 0.05), between(0, 0.05), between(0, 0.04)),
        noise_g=between(0.02, 0.05),
        offset_g=np.array([between(-0.002, 0.002) for _ in range(3)]),
    )
