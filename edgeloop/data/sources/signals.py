"""CSV and Parquet files with a row a reading, cut into windows; one file, or a folder of them at any depth.

A window crosses no file, no group and no label. Within a file the rows of a group may lie between those of others;
each group is a stream of its own, and a change of its label begins a new stretch. What is left of a stretch after its
last whole window is no sample. How the files are read: `edgeloop.data.recordings`.

Nothing that is wrong is dropped. A window with a missing reading (an empty cell, `nan`) or with a gap in its time
stamps is a sample, and its features tell; one with a cell that should be a number and is text is a sample with an
error; a file that cannot be read, or not to its end, is one sample with an error beside the windows before it. Hidden
files, and files that are neither `.csv` nor `.parquet`, are no samples; nor are the windows that a clean set leaves
out, see `edgeloop.data.left_out`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from edgeloop.contract import Contract
from edgeloop.data.folders import OF_A_QUARANTINE, relative_name
from edgeloop.data.left_out import Cut
from edgeloop.data.left_out import read as read_left_out
from edgeloop.data.recordings import Wanted, batches, codes, numbers, seconds, translated
from edgeloop.data.sources import RawSample
from edgeloop.data.table_files import FoundFile, table_files
from edgeloop.data.table_rows import Unreadable
from edgeloop.data.windows import MAX_CHANNELS, MAX_LENGTH, MAX_READINGS, Cutter, clock_of, window_bytes
from edgeloop.errors import DataFault

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".csv", ".parquet")
MAX_GROUPS = 10_000
"""Of one file: each holds a window that is not full yet."""

_NUMBER, _FAULT, _TIME, _CHANNELS = 0, 1, 2, 3
"""Columns of a stretch: number of the reading, 1 + place of the faulty column or 0, time in s, then the channels."""


class SignalsOptions(Contract):
    """What the columns mean, and how windows are cut."""

    channels: tuple[str, ...] = Field(
        default=(), max_length=MAX_CHANNELS, description="columns to read; none: all but time, label and group"
    )
    length: int = Field(default=1024, ge=1, le=MAX_LENGTH, description="readings of a window")
    stride: int | None = Field(
        default=None, ge=1, le=MAX_LENGTH, description="readings from one window's start to the next; null: length"
    )
    rate_hz: float | None = Field(default=None, gt=0, description="readings a second that are expected")
    time_column: str | None = Field(default=None, description="seconds, or ISO 8601 times, without a zone in UTC")
    label_column: str | None = Field(default=None, description="null: the label is the first folder")
    group_column: str | None = Field(default=None, description="null: each file is a group")
    full_scale: float | None = Field(default=None, gt=0, description="of the sensor, in the unit of the readings")
    separator: str = Field(default=",", min_length=1, max_length=1, description="between two cells of a CSV file")

    @field_validator("separator")
    @classmethod
    def _separates(cls, separator: str) -> str:
        if not separator.isascii() or separator.isalnum() or separator in '"\r\n.+-':
            raise ValueError("cannot separate cells")
        return separator

    @model_validator(mode="after")
    def _apart(self) -> "SignalsOptions":
        used = [*self.channels, *self.roles]
        if twice := sorted({name for name in used if used.count(name) > 1}):
            raise ValueError(f"the column {twice[0]!r} is named twice")
        if self.length * max(1, len(self.channels)) > MAX_READINGS:
            raise ValueError(f"a window would hold more than {MAX_READINGS:,} readings")
        return self

    @property
    def roles(self) -> tuple[str, ...]:
        """The columns that are no channel."""
        return tuple(name for name in (self.time_column, self.label_column, self.group_column) if name is not None)

    @property
    def cut(self) -> Cut:
        """What decides where windows begin and end."""
        return Cut(
            length=self.length,
            stride=self.stride or self.length,
            label_column=self.label_column,
            group_column=self.group_column,
        )

    @property
    def wanted(self) -> Wanted:
        """The columns to read of each file."""
        return Wanted(self.roles, self.channels, self.separator)


class Signals:
    """Ids are paths relative to the root and the number of a window's first reading: `pump/a.csv@0000002048`."""

    kind = "window"
    needs_place = True
    options = SignalsOptions

    def samples(self, path: Path | None, options: SignalsOptions) -> Iterator[RawSample]:
        """Every window, file by file in the order of their paths.

        Raises:
            DataFault: The path is missing or holds no CSV or Parquet file; at the end, if no file gave a window.
            MissingExtra: pyarrow is not installed.
        """
        return _samples(recordings(path, options), options)


def recordings(path: Path | None, options: SignalsOptions) -> list["Recording"]:
    """The files of a dataset, in the order of their paths.

    Raises:
        DataFault: As `Signals.samples`; or the list of windows that are left out is of other windows.
        MissingExtra: pyarrow is not installed.
    """
    passed_over = read_left_out(path, options.cut) if path is not None else frozenset[str]()
    found = table_files(path, SUFFIXES, skipped=lambda file: bool(passed_over) and file.name == OF_A_QUARANTINE)
    return [Recording(file.path, file.folder, file.fault, passed_over) for file in found]


@dataclass(frozen=True)
class Recording(FoundFile):
    """A file as this source sees it.

    Args:
        passed_over: Ids of the windows that are left out, of all files.
    """

    passed_over: frozenset[str]

    @property
    def id(self) -> str:
        """Its path from the folder, as valid text."""
        return relative_name(self.path, self.folder)

    @property
    def label(self) -> str | None:
        """The first folder, or None for a file that lies in none."""
        first, _, rest = self.id.partition("/")
        return first if rest else None

    def faulty(self, reason: str, options: SignalsOptions) -> RawSample:
        """The sample that says why it cannot be used."""
        label = None if options.label_column else self.label
        return RawSample(id=self.id, label=label, uri=self.path.as_uri(), error=reason)


def _samples(files: Sequence[Recording], options: SignalsOptions) -> Iterator[RawSample]:
    first: RawSample | None = None
    usable = False
    for file in files:
        for sample in cut_windows(file, options):
            usable = usable or sample.error is None
            first = first or sample
            yield sample
    if not usable and first is not None:
        raise DataFault(
            f"no window can be used; the first: {first.error}",
            where=first.id,
            fix="correct the files or prepare_data.options",
        )


def cut_windows(file: Recording, options: SignalsOptions) -> Iterator[RawSample]:
    """The windows of a file, and at its end what is wrong with it, without what is left out."""
    return (sample for sample in _judged(file, options) if sample.id not in file.passed_over)


def _judged(file: Recording, options: SignalsOptions) -> Iterator[RawSample]:
    if file.fault is not None:
        yield file.faulty(file.fault, options)
        return
    try:
        yield from _windows(file, options)
    except Unreadable as reason:
        yield file.faulty(str(reason), options)


@dataclass
class _Stretch:
    """What follows one another in a group under one label."""

    label: str
    cutter: Cutter


def _windows(file: Recording, options: SignalsOptions) -> Iterator[RawSample]:
    """The windows of a file.

    Raises:
        Unreadable: It cannot be read to its end, or is too short for one window.
    """
    fresh = partial(Cutter, options.length, options.stride or options.length)
    stretches: dict[str, _Stretch] = {}
    origin_ns: int | None = None
    readings, windows = 0, 0
    for table in batches(file.path, options.wanted):
        with translated():
            rows, origin_ns = _rows(table, readings, origin_ns, options)
            parts = list(_parts(table, rows, file, options))
        readings += len(rows)
        sample = _Sampling(file, options, tuple(table.schema.names), origin_ns).sample
        for group, label, part in parts:
            stretch = stretches.get(group)
            if stretch is None or stretch.label != label:
                stretch = stretches[group] = _Stretch(label, fresh())
                _refuse_many(len(stretches), options)
            for window in stretch.cutter.windows(part):
                windows += 1
                yield sample(window, stretch.cutter.before, group, label)
    if not windows:
        raise Unreadable(f"has {readings:,} readings, and no {options.length:,} of one group and label in a row")


def _refuse_many(groups: int, options: SignalsOptions) -> None:
    if groups > MAX_GROUPS:
        raise Unreadable(f"has more than {MAX_GROUPS:,} groups in the column {options.group_column!r}")


def _rows(
    table: "pa.RecordBatch", first: int, origin_ns: int | None, options: SignalsOptions
) -> tuple[NDArray[np.float64], int | None]:
    """The readings of a batch as one table of numbers, see _NUMBER and on."""
    names = table.schema.names
    channels = names[len(options.roles) :]
    rows = np.full((table.num_rows, _CHANNELS + len(channels)), np.nan)
    rows[:, _NUMBER] = np.arange(first, first + table.num_rows)
    rows[:, _FAULT] = 0
    if options.time_column is not None:
        place = names.index(options.time_column)
        rows[:, _TIME], faulty, origin_ns = seconds(table.column(place), origin_ns)
        rows[faulty, _FAULT] = place + 1
    for number, name in enumerate(channels):
        place = names.index(name)
        rows[:, _CHANNELS + number], faulty = numbers(table.column(place))
        rows[faulty, _FAULT] = place + 1
    return rows, origin_ns


def _parts(
    table: "pa.RecordBatch", rows: NDArray[np.float64], file: Recording, options: SignalsOptions
) -> Iterator[tuple[str, str, NDArray[np.float64]]]:
    """Group, label and readings of every run of one label in each group of a batch."""
    nothing = np.zeros(len(rows), dtype=np.int64)
    groups, group_names = codes(_named(table, options.group_column)) if options.group_column else (nothing, [file.id])
    labels, label_names = (
        codes(_named(table, options.label_column)) if options.label_column else (nothing, [file.label or ""])
    )
    for code, group in enumerate(group_names):
        places = np.flatnonzero(groups == code) if len(group_names) > 1 else np.arange(len(rows))
        runs = labels[places]
        edges = [0, *(np.flatnonzero(np.diff(runs)) + 1), len(places)]
        for start, end in pairwise(edges):
            if start < end:
                yield group, label_names[runs[start]], rows[places[start:end]]


def _named(table: "pa.RecordBatch", name: str) -> "pa.Array":
    return table.column(table.schema.names.index(name))


@dataclass(frozen=True)
class _Sampling:
    """Makes samples of the windows of one batch.

    Args:
        file: Where they come from.
        options: Of the source.
        names: The columns of the batch.
        origin_ns: What ISO time stamps count from, or None where there are none.
    """

    file: Recording
    options: SignalsOptions
    names: tuple[str, ...]
    origin_ns: int | None

    def sample(
        self, window: NDArray[np.float64], before: NDArray[np.float64] | None, group: str, label: str
    ) -> RawSample:
        """The window as a sample, with what its time stamps say or with its error; `before` is the reading before."""
        clock = clock_of(window[:, _TIME])
        if clock and before is not None and window[0, _TIME] < before[_TIME]:
            clock = replace(clock, backward_steps=clock.backward_steps + 1)
        channels = self.names[len(self.options.roles) :]
        known = {
            "rate_hz": None if self.options.rate_hz is None else f"{self.options.rate_hz:.9g}",
            "full_scale": None if self.options.full_scale is None else f"{self.options.full_scale:.9g}",
            "channels": ",".join(channels),
        }
        error = self._fault(window, group, has_clock=clock is not None)
        return RawSample(
            id=f"{self.file.id}@{int(window[0, _NUMBER]):010d}",
            label=label or None,
            uri=self.file.path.as_uri() if error else None,
            content=None if error else window_bytes(window[:, _CHANNELS:]),
            group=group or None,
            error=error,
            metadata={
                **{name: value for name, value in known.items() if value is not None},
                **(clock.metadata() if clock else {}),
            },
            time=self._time(float(window[0, _TIME])),
        )

    def _fault(self, window: NDArray[np.float64], group: str, *, has_clock: bool) -> str | None:
        faulty = np.flatnonzero(window[:, _FAULT])
        if faulty.size:
            row = window[faulty[0]]
            kind = "time" if (name := self.names[int(row[_FAULT]) - 1]) == self.options.time_column else "number"
            return f"reading {int(row[_NUMBER]) + 1} of its file has no {kind} in the column {name!r} but text"
        if not group:
            return f"has no group: the column {self.options.group_column!r} is empty"
        if self.options.time_column is not None and not has_clock:
            return f"its time stamps in the column {self.options.time_column!r} are missing or all the same"
        return None

    def _time(self, first_s: float) -> str | None:
        """The first time stamp, as text that sorts like time."""
        if not np.isfinite(first_s):
            return None
        if self.origin_ns is not None:
            stamp = np.datetime64(self.origin_ns + round(first_s * 1e9), "ns")
            return f"{np.datetime_as_string(stamp)}Z"
        return f"{first_s:020.6f}" if first_s >= 0 else None


plugin = Signals()
