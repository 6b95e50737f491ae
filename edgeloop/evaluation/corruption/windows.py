"""Corruptions of windows of sensor readings: noise, a loss of gain, and a gap.

Noise is measured against the window itself, as diagnosis of bearings is tested (W. Zhang et al., "A New Deep Learning
Model for Fault Diagnosis with Good Anti-Noise and Domain Adaptation Ability on Raw Vibration Signals", 2017, which goes
from 10 dB down to -4 dB). A loss of gain is what a loose mounting or an ageing sensor does. A gap is what a lossy link
leaves, where the receiver goes on with the last reading that it has.

Legend: a window is float32 of shape L, C: readings by channels, in the sensor's unit.
"""

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.windows import window_bytes, window_of
from edgeloop.evaluation.corruption import Array, Corruption

SIGNAL_TO_NOISE_DB = (20, 10, 0)
"""Of each channel: the power about its mean over the power of the noise."""

LOSS_DB = (3, 6, 12)
"""Of the readings: 6 dB are one half."""

GAP = (0.05, 0.15, 0.30)
"""Share of the window, in one piece."""


def read(content: bytes, where: str) -> Array:
    """The window in some bytes.

    Raises:
        DataFault: It is none; `where` is named.
    """
    return window_of(content, where=where)


def written(window: Array) -> bytes:
    """As the source writes it."""
    return window_bytes(_readings(window))


def noise(window: Array, strength: int, random: np.random.Generator) -> Array:
    """Normal noise on every channel; a channel that does not move stays as it is."""
    readings = _readings(window)
    deviation = readings.std(axis=0) * 10 ** (-SIGNAL_TO_NOISE_DB[strength - 1] / 20)
    noisy: Array = (readings + deviation * random.standard_normal(readings.shape)).astype(np.float32)
    return noisy


def gain(window: Array, strength: int, random: np.random.Generator) -> Array:  # noqa: ARG001
    """All readings smaller by one factor."""
    return (_readings(window) * 10 ** (-LOSS_DB[strength - 1] / 20)).astype(np.float32)


def dropout(window: Array, strength: int, random: np.random.Generator) -> Array:
    """In a stretch anywhere after the first reading, all channels stay at the reading before it."""
    held = np.array(window)
    length = min(len(held) - 1, round(GAP[strength - 1] * len(held)))
    first = 1 + int(random.random() * (len(held) - length))
    held[first : first + length] = held[first - 1]
    return held


CORRUPTIONS = {
    "noise": Corruption(noise, "normal noise, 20, 10, 0 dB below the power of each channel"),
    "gain": Corruption(gain, "readings smaller by 3, 6, 12 dB"),
    "dropout": Corruption(dropout, "one gap of 5, 15, 30 % of the window, in which the last reading is held"),
}


def _readings(window: Array) -> NDArray[np.float64]:
    return window.astype(np.float64)
