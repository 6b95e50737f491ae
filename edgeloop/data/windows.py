"""A window of sensor readings: its bytes, and how a stream of readings is cut into windows.

A window's bytes are a `.npy` file, format 1.0, of float32 in C order, little-endian, shape L, C, with the very header
that `numpy.save` writes. There is one way to write a value, so equal windows have equal bytes: one NaN, no minus zero.

Shapes: `L` readings of a window, `C` channels, `N` readings of a stretch, `M` numbers kept of each reading.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeloop.errors import DataFault

MAX_LENGTH = 1 << 20
MAX_CHANNELS = 256
MAX_READINGS = 1 << 24
"""Of a window, all channels together: 64 MiB."""

_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER_BYTES = 128
_SHAPE = re.compile(rb"'shape': \(([1-9]\d{0,7}), ([1-9]\d{0,3})\)")


def window_bytes(values: NDArray[np.floating]) -> bytes:
    """The bytes of a window of shape L, C; equal values give equal bytes.

    Raises:
        DataFault: It has another number of axes, no reading, or more than MAX_LENGTH, MAX_CHANNELS or MAX_READINGS.
    """
    if values.ndim != 2:
        raise DataFault(f"has {values.ndim} axes, not readings by channels", fix="give an array of two axes")
    _refuse_size(*values.shape, where="window")
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite there, and the features say so
        plain = values.astype("<f4") + np.float32(0)  # minus zero plus zero is zero
    plain[np.isnan(plain)] = np.nan
    return _header(*values.shape) + np.ascontiguousarray(plain, dtype="<f4").tobytes()


def window_of(content: bytes, *, where: str = "window") -> NDArray[np.float32]:
    """The window in `content`, float32, shape L, C, read-only.

    Raises:
        DataFault: It is anything but what `window_bytes` writes.
    """
    header = content[:_HEADER_BYTES]
    shape = _SHAPE.search(header)
    if not content.startswith(_MAGIC) or shape is None:
        raise _no_window("is no window of float32 readings", where)
    length, channels = int(shape[1]), int(shape[2])
    _refuse_size(length, channels, where=where)
    if header != _header(length, channels):
        raise _no_window("is no window of float32 readings", where)
    if len(content) != _HEADER_BYTES + 4 * length * channels:
        raise _no_window(f"declares {length} x {channels} readings and holds {len(content):,} bytes", where)
    return np.frombuffer(content, dtype="<f4", offset=_HEADER_BYTES).reshape(length, channels)


def _header(length: int, channels: int) -> bytes:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({length}, {channels}), }}".encode()
    room = _HEADER_BYTES - len(_MAGIC) - 2
    return _MAGIC + room.to_bytes(2, "little") + text.ljust(room - 1) + b"\n"


def _refuse_size(length: int, channels: int, *, where: str) -> None:
    if not 0 < length <= MAX_LENGTH or not 0 < channels <= MAX_CHANNELS or length * channels > MAX_READINGS:
        raise _no_window(f"has {length} x {channels} readings", where)


def _no_window(what: str, where: str) -> DataFault:
    limits = f"at most {MAX_LENGTH:,} readings of {MAX_CHANNELS} channels, {MAX_READINGS:,} in all"
    return DataFault(what, where=where, fix=f"write it with edgeloop.data.windows.window_bytes: {limits}")


class Cutter:
    """Cuts one stretch of readings, which arrives in pieces, into windows; a rest shorter than a window is left over.

    Args:
        length: Readings of a window.
        stride: Readings from the start of a window to that of the next; more than `length` leaves some out.
    """

    def __init__(self, length: int, stride: int) -> None:
        self._length, self._stride = length, stride
        self._rest: NDArray[np.float64] | None = None
        self._skipped = 0
        self._left: NDArray[np.float64] | None = None
        self.before: NDArray[np.float64] | None = None
        """The reading right before the window that was cut last, shape M; None where that was the first, or where
        windows overlap: then another window holds both."""

    def windows(self, readings: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
        """The windows that end in this piece, shape L, M; it has to be read to its end.

        Args:
            readings: Shape N, M.
        """
        rows = readings if self._rest is None else np.concatenate([self._rest, readings])
        start = self._skipped
        while start + self._length <= len(rows):
            if self._stride >= self._length:
                self.before = rows[start - 1] if start else self._left
            yield rows[start : start + self._length]
            start += self._stride
        if 0 < start <= len(rows):
            self._left = rows[start - 1].copy()
        self._rest, self._skipped = rows[start:].copy(), max(0, start - len(rows))


@dataclass(frozen=True)
class Clock:
    """What the time stamps of a window say.

    Args:
        duration_s: From the first stamp to the last.
        measured_rate_hz: Readings a second between the gaps; None where the stamps do not tell.
        gaps: Steps that are more than half an interval too long.
        missing_readings: That would have filled the gaps.
        longest_gap_s: What the longest of those steps is too long by.
        backward_steps: Steps to an earlier time.
    """

    duration_s: float
    measured_rate_hz: float | None
    gaps: int
    missing_readings: int
    longest_gap_s: float
    backward_steps: int

    def metadata(self) -> dict[str, str]:
        """As text: nine digits, without what is not known."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: f"{value:.9g}" for name, value in values.items() if value is not None}


def clock_of(times_s: NDArray[np.float64]) -> Clock | None:
    """What the stamps say; None where fewer than two differ.

    The interval is the median one, so that neither a gap nor a wrong declared rate moves it. A stamp that is missing
    or repeats the one before (a clock coarser than the readings) counts with the readings up to the next new stamp,
    and then the step of the clock is allowed for.

    Args:
        times_s: One a reading, NaN where there is none.
    """
    known = np.flatnonzero(np.isfinite(times_s))
    stamps = times_s[known]
    new = np.flatnonzero(np.diff(stamps) != 0) + 1
    if not new.size:
        return None
    places = np.concatenate([[0], new])
    steps_s, readings = np.diff(stamps[places]), np.diff(known[places])
    forward = steps_s > 0
    if not forward.any():
        return Clock(float(stamps[-1] - stamps[0]), None, 0, 0, 0.0, len(steps_s))
    interval_s = float(np.median(steps_s[forward] / readings[forward]))
    coarse_s = float(steps_s[forward].min()) if len(places) < len(stamps) else 0.0
    late_s = steps_s - readings * interval_s
    gap = forward & (late_s > 0.5 * interval_s + coarse_s)
    even = forward & ~gap
    return Clock(
        duration_s=float(stamps[-1] - stamps[0]),
        measured_rate_hz=float(readings[even].sum() / steps_s[even].sum()) if even.any() else None,
        gaps=int(gap.sum()),
        missing_readings=int(np.rint(late_s[gap] / interval_s).sum()),
        longest_gap_s=float(late_s[gap].max()) if gap.any() else 0.0,
        backward_steps=int((~forward).sum()),
    )
