"""What is looked at in a window of sensor readings without knowing what it shows.

Shapes: `L` readings, `C` channels. A reading that is no finite number counts in `nan_share` and nowhere else. u is the
unit of the readings, such as g. What is not known is null: gaps without time stamps, frequencies without a rate, the
crest factor of a window that does not move.

Sums are in float64 and in the order that numpy chooses: equal on one processor, and to about 1e-12 between two.
What is counted (length, channels, shares, steps, minimum, maximum) is equal everywhere.

Of the sample's metadata it reads `rate_hz`, `full_scale` (u) and, where the source has time stamps, `duration_s`,
`gaps`, `missing_readings`, `longest_gap_s`, `backward_steps` and `measured_rate_hz`, see `edgeloop.data.windows.Clock`.
"""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.features import Column, Value
from edgeloop.data.sources import RawSample
from edgeloop.data.windows import window_of
from edgeloop.errors import DataFault

Floats = NDArray[np.float64]

FLAT_RUN = 3
"""Readings at one extreme in a row from which on they count as clipped."""

COLUMNS = (
    Column("length", "int", "readings of each channel", compared=False),
    Column("channels", "int", "number of channels", compared=False),
    Column("rms", "float", "u, root of the mean square over all readings of all channels, offset included"),
    Column("mean", "float", "u, the offset: mean over all readings of all channels"),
    Column("std", "float", "u, root of the mean square of each reading less the mean of its channel"),
    Column("peak", "float", "u, largest distance of a reading from the mean of its channel"),
    Column("crest_factor", "float", "peak / std of a channel, the largest over the channels; a sine has 1.41"),
    Column("kurtosis", "float", "fourth moment / variance squared, the largest over the channels; normal noise has 3"),
    Column("offset_ratio", "float", "distance of the mean from zero / std of a channel, the largest over the channels"),
    Column("minimum", "float", "u, over all channels"),
    Column("maximum", "float", "u, over all channels"),
    Column("clipped_share", "float", "readings at the full scale, or 3 and more in a row at an extreme, over all"),
    Column("stuck_share", "float", "longest run of one value / length, of the worst channel"),
    Column("nan_share", "float", "readings that are no finite number / all readings"),
    Column("gap_share", "float", "readings missing by the time stamps / those and the ones there"),
    Column("longest_gap_s", "float", "s, by the time stamps"),
    Column("backward_steps", "int", "time stamps before the one before them"),
    Column("rate_hz", "float", "declared readings a second", compared=False),
    Column("rate_error", "float", "rate by the time stamps / declared rate - 1"),
    Column("dominant_hz", "float", "Hz, where the power spectrum, summed over the channels, is largest"),
    Column("spectral_centroid_hz", "float", "Hz, mean frequency weighted by that spectrum"),
)


class Window:
    """See `edgeloop.data.features.Features`."""

    columns = COLUMNS

    def described(self, _rows: Iterable[Mapping[str, Value]]) -> tuple[Column, ...]:
        """Every dataset has the same columns."""
        return self.columns

    def read(self, content: bytes, sample: RawSample) -> Mapping[str, Value]:
        """A value for every column.

        Raises:
            DataFault: It is no window, or its metadata has text where a number is meant.
        """
        window = window_of(content, where=sample.id)
        return window_features(window, _Known(sample))


class _Known:
    """The numbers in what the source says of a sample."""

    def __init__(self, sample: RawSample) -> None:
        self._sample = sample

    def number(self, name: str) -> float | None:
        """The number under `name`, or None where it is not given."""
        text = self._sample.metadata.get(name)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise DataFault(f"its {name} is no number", where=self._sample.id, fix="correct the source")
        return value

    def positive(self, name: str) -> float | None:
        """The same, and refused where it is not above zero."""
        value = self.number(name)
        if value is not None and value <= 0:
            raise DataFault(f"its {name} is not above zero", where=self._sample.id, fix="correct the source")
        return value


def window_features(window: NDArray[np.float32], known: _Known) -> dict[str, Value]:
    """The features of a window of shape L, C."""
    readings = window.astype(np.float64)
    readings[~np.isfinite(readings)] = np.nan
    rate_hz, measured_hz = known.positive("rate_hz"), known.positive("measured_rate_hz")
    length, channels = readings.shape
    return {
        "length": length,
        "channels": channels,
        **_moments(readings),
        "clipped_share": clipped_share(readings, known.positive("full_scale")),
        "stuck_share": stuck_share(readings),
        "nan_share": float(np.isnan(readings).mean()),
        **_clock(length, known),
        "rate_hz": rate_hz,
        "rate_error": measured_hz / rate_hz - 1 if rate_hz and measured_hz else None,
        **_spectrum(readings, rate_hz or measured_hz),
    }


def _moments(readings: Floats) -> dict[str, Value]:
    names = ("rms", "mean", "std", "peak", "crest_factor", "kurtosis", "offset_ratio", "minimum", "maximum")
    present = readings[:, ~np.isnan(readings).all(axis=0)]
    if not present.size:
        return dict.fromkeys(names)
    means = np.nanmean(present, axis=0)
    centred = present - means
    variance = np.nanmean(centred**2, axis=0)
    peak = np.nanmax(np.abs(centred), axis=0)
    moving = variance > 0
    fourth = np.nanmean(centred[:, moving] ** 4, axis=0)
    values = (
        np.sqrt(np.nanmean(present**2)),
        np.nanmean(present),
        np.sqrt(np.nanmean(centred**2)),
        peak.max(),
        (peak[moving] / np.sqrt(variance[moving])).max() if moving.any() else None,
        (fourth / variance[moving] ** 2).max() if moving.any() else None,
        (np.abs(means[moving]) / np.sqrt(variance[moving])).max() if moving.any() else None,
        np.nanmin(present),
        np.nanmax(present),
    )
    return {name: None if value is None else float(value) for name, value in zip(names, values, strict=True)}


def clipped_share(readings: Floats, full_scale: float | None) -> float:
    """Readings that the sensor could not follow, over all.

    Those are the ones at or beyond the full scale, and those in a run of FLAT_RUN or more at the largest or smallest
    value of a channel. A channel that never moves is stuck, not clipped.

    Args:
        readings: Shape L, C; NaN where there is none.
        full_scale: In the unit of the readings, to both sides of zero; None where it is not known.
    """
    clipped = np.zeros(readings.shape, dtype=bool) if full_scale is None else np.abs(readings) >= full_scale
    for channel in range(readings.shape[1]):
        column = readings[:, channel]
        present = column[~np.isnan(column)]
        if not present.size or present.min() == present.max():
            continue
        starts, lengths = runs(column)
        flat = (lengths >= FLAT_RUN) & np.isin(column[starts], (present.min(), present.max()))
        clipped[:, channel] |= np.repeat(flat, lengths)
    return float(clipped.mean())


def stuck_share(readings: Floats) -> float:
    """The longest run of one value over the length, of the worst channel; missing readings are no value."""
    longest = 0
    for column in readings.T:
        starts, lengths = runs(column)
        longest = max(longest, int(lengths[~np.isnan(column[starts])].max(initial=0)))
    return longest / len(readings)


def runs(column: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run of equal values starts, and how long it is; every NaN is a run of its own."""
    starts = np.concatenate([[0], np.flatnonzero(column[1:] != column[:-1]) + 1])
    return starts, np.diff(starts, append=len(column))


def _clock(length: int, known: _Known) -> dict[str, Value]:
    missing, backward = known.number("missing_readings"), known.number("backward_steps")
    return {
        "gap_share": None if missing is None else missing / (missing + length),
        "longest_gap_s": known.number("longest_gap_s"),
        "backward_steps": None if backward is None else int(backward),
    }


def _spectrum(readings: Floats, rate_hz: float | None) -> dict[str, Value]:
    """Of the Hann-weighted channels without their means; a missing reading is the mean."""
    unknown: dict[str, Value] = {"dominant_hz": None, "spectral_centroid_hz": None}
    present = readings[:, ~np.isnan(readings).all(axis=0)]
    if rate_hz is None or len(readings) < 4 or not present.size:
        return unknown
    centred = np.nan_to_num(present - np.nanmean(present, axis=0))
    weighted = centred * np.hanning(len(readings))[:, None]
    power = (np.abs(np.fft.rfft(weighted, axis=0)) ** 2).sum(axis=1)[1:]
    if not power.sum() > 0:
        return unknown
    frequencies_hz = np.fft.rfftfreq(len(readings), 1 / rate_hz)[1:]
    return {
        "dominant_hz": float(frequencies_hz[power.argmax()]),
        "spectral_centroid_hz": float(frequencies_hz @ power / power.sum()),
    }


plugin = Window()
