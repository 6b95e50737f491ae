"""CSV and Parquet files with a row a reading, cut into windows; one file, or a folder of them at any depth.

A window crosses no file, no group and no label. Within a file the rows of a group may lie between those of others;
each group is a stream of its own, and a change of its label begins a new stretch. What is left of a stretch after its
last whole window is no sample. Files are read in batches, and no cell is ever evaluated.

Nothing that is wrong is dropped. A window with a missing reading (an empty cell, `nan`) or with a gap in its time
stamps is a sample, and its features tell; one with a cell that should be a number and is text is a sample with an
error; a file that cannot be read, or not to its end, is one sample with an error beside the windows before it. Hidden
files, and files that are neither `.csv` nor `.parquet`, are no samples.

CSV is UTF-8 with a line of column names; any line ends. Numbers have a decimal point.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from edgeloop.contract import Contract
from edgeloop.data.folders import relative_name
from edgeloop.data.sources import RawSample
from edgeloop.data.table_files import FoundFile, table_files
from edgeloop.data.windows import MAX_CHANNELS, MAX_LENGTH, MAX_READINGS, Cutter, clock_of, window_bytes
from edgeloop.errors import DataFault

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".csv", ".parquet")
MAX_GROUPS = 10_000
"""Of one file: each holds a window that is not full yet."""

_BATCH_ROWS = 1 << 16
_BLOCK_BYTES = 1 << 20
_MAX_HEADER_BYTES = 1 << 20
_REASON_LENGTH = 160
_NO_READING = ("", "nan", "na", "n/a", "null", "none")
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
        files = [_File(found.path, found.folder, found.fault) for found in table_files(path, SUFFIXES)]
        return _samples(files, options)


class _File(FoundFile):
    """A file as this source sees it."""

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


class _Unreadable(Exception):
    """Why a file cannot be used, without its path."""


def _samples(files: Sequence[_File], options: SignalsOptions) -> Iterator[RawSample]:
    first: RawSample | None = None
    usable = False
    for file in files:
        for sample in _samples_of(file, options):
            usable = usable or sample.error is None
            first = first or sample
            yield sample
    if not usable and first is not None:
        raise DataFault(
            f"no window can be used; the first: {first.error}",
            where=first.id,
            fix="correct the files or prepare_data.options",
        )


def _samples_of(file: _File, options: SignalsOptions) -> Iterator[RawSample]:
    if file.fault is not None:
        yield file.faulty(file.fault, options)
        return
    try:
        yield from _windows(file, options)
    except _Unreadable as reason:
        yield file.faulty(str(reason), options)


# which files


# the tables in them


def _tables(path: Path, options: SignalsOptions) -> Iterator["pa.RecordBatch"]:
    """The wanted columns in batches: time, label and group where they are named, then the channels.

    Raises:
        _Unreadable: It is damaged, ends early, or lacks a column.
    """
    with _translated(), path.open("rb") as file:
        yield from (_parquet if path.suffix.lower() == ".parquet" else _csv)(file, options)


@contextmanager
def _translated() -> Iterator[None]:
    """What the reader of a file or a cell raises, as the reason why the file cannot be used."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as error:  # UnicodeError is a ValueError
        raise _Unreadable(_reason(error)) from error


def _csv(file: BinaryIO, options: SignalsOptions) -> Iterator["pa.RecordBatch"]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = _header(file, options.separator)
    wanted = _wanted(names, options)
    try:
        reader = arrow_csv.open_csv(
            file,
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, column_names=names),
            parse_options=arrow_csv.ParseOptions(delimiter=options.separator),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        raise
    yield from reader


def _header(file: BinaryIO, separator: str) -> list[str]:
    """The column names; the file then stands at its first reading."""
    start = file.read(_MAX_HEADER_BYTES)
    line = re.match(rb"([^\r\n]*)(\r\n|\r|\n|$)", start)
    if not start or line is None or (len(line[0]) == len(start) == _MAX_HEADER_BYTES):
        raise _Unreadable("has a first line that is too long" if start else "is empty")
    file.seek(len(line[0]))
    try:
        text = line[1].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Unreadable("is not UTF-8 text") from error
    if "\0" in text:
        raise _Unreadable("is not UTF-8 text")
    return [name.strip() for name in next(csv.reader([text], delimiter=separator), [])]


def _parquet(file: BinaryIO, options: SignalsOptions) -> Iterator["pa.RecordBatch"]:
    import pyarrow.parquet as parquet

    table = parquet.ParquetFile(file, buffer_size=_BLOCK_BYTES)
    wanted = _wanted(table.schema_arrow.names, options)
    rows = 0
    for batch in table.iter_batches(batch_size=_BATCH_ROWS, columns=wanted, use_threads=False):
        rows += batch.num_rows
        yield batch.select(wanted)
    if rows != table.metadata.num_rows:
        raise _Unreadable(f"declares {table.metadata.num_rows:,} rows and holds {rows:,}")


def _wanted(names: Sequence[str], options: SignalsOptions) -> list[str]:
    channels = options.channels or tuple(name for name in names if name not in options.roles)
    wanted = [*options.roles, *channels]
    if missing := [name for name in wanted if name not in names]:
        raise _Unreadable(f"has no column {missing[0]!r}, only {_shortened(', '.join(map(repr, names)))}")
    if twice := [name for name in wanted if names.count(name) > 1]:
        raise _Unreadable(f"has two columns {twice[0]!r}")
    if not channels or len(channels) > MAX_CHANNELS:
        raise _Unreadable(f"has {len(channels)} columns of readings")
    return wanted


def _reason(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "needs more memory than there is"
    known = error.strerror if isinstance(error, OSError) else None
    return f"cannot be read ({_shortened(known or str(error) or type(error).__name__)})"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _REASON_LENGTH else f"{line[: _REASON_LENGTH - 1]}…"


# the numbers in those


def _numbers(column: "pa.Array") -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The cells as numbers, NaN where there is none, and which cells hold something that is no number.

    Raises:
        _Unreadable: The column is of a type that has no numbers, such as a list.
    """
    import pyarrow as pa

    if not _is_text(column.type):
        if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or _is_decimal(column.type)):
            raise _Unreadable(f"holds {_shortened(str(column.type))} where numbers are expected")
        return _floats(column.cast(pa.float64(), safe=False)), np.zeros(len(column), dtype=bool)
    texts, given = _given(column)
    values = _cast(texts, pa.float64())
    return _floats(values), given & _booleans(values.is_null())


def _seconds(column: "pa.Array", origin_ns: int | None) -> tuple[NDArray[np.float64], NDArray[np.bool_], int | None]:
    """As `_numbers`, of time stamps: seconds as they stand, or seconds since the first of a file's ISO times.

    Args:
        column: The stamps.
        origin_ns: The file's first time in ns since 1970, or None where it has not been seen or there is none.

    Returns:
        Seconds, faulty cells, and the origin.
    """
    import pyarrow as pa

    unit = pa.timestamp("ns", tz="UTC")
    if pa.types.is_timestamp(column.type):
        texts, given, times = None, np.zeros(len(column), dtype=bool), column.cast(unit)
    elif not _is_text(column.type):
        return *_numbers(column), None
    else:
        texts, given = _given(column)
        if origin_ns is None:
            seconds = _cast(texts, pa.float64())
            if seconds.null_count < len(seconds) or not given.any():
                return _floats(seconds), given & _booleans(seconds.is_null()), None
        naive = _cast(texts, pa.timestamp("ns"))
        times = _cast(texts, unit) if naive.null_count == len(naive) else naive
    missing = _booleans(times.is_null())
    stamps_ns = times.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    if origin_ns is None and not missing.all():
        origin_ns = int(stamps_ns[~missing][0])
    seconds_ = (stamps_ns - (origin_ns or 0)) / 1e9
    return np.where(missing, np.nan, seconds_), given & missing, origin_ns


def _given(column: "pa.Array") -> tuple["pa.Array", NDArray[np.bool_]]:
    """The cells without the white space around them, null where they say that there is no reading; and which do not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pc.utf8_trim_whitespace(column.cast(pa.string()))
    empty = pc.or_(pc.is_null(texts), pc.is_in(pc.utf8_lower(texts), value_set=pa.array(_NO_READING)))
    return pc.if_else(empty, pa.scalar(None, pa.string()), texts), ~_booleans(empty)


def _cast(texts: "pa.Array", kind: Any) -> "pa.Array":
    """`texts` as values of `kind`, null where a cell is none: halves are tried until the bad cells are alone."""
    import pyarrow as pa

    try:
        return texts.cast(kind)
    except pa.ArrowInvalid:
        if len(texts) == 1:
            return pa.nulls(1, kind)
        half = len(texts) // 2
        return pa.concat_arrays([_cast(texts[:half], kind), _cast(texts[half:], kind)])


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_null(value))


def _is_decimal(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_decimal(kind))


def _floats(column: "pa.Array") -> NDArray[np.float64]:
    import pyarrow.compute as pc

    return np.asarray(pc.fill_null(column, float("nan")).to_numpy(zero_copy_only=False), dtype=np.float64)


def _booleans(column: "pa.Array") -> NDArray[np.bool_]:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=bool)


def _codes(column: "pa.Array") -> tuple[NDArray[np.int64], list[str]]:
    """The place of each cell's text among the different ones; an empty cell is an empty text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        texts = pc.utf8_trim_whitespace(column.cast(pa.string()).fill_null(""))
    except pa.ArrowNotImplementedError as error:
        raise _Unreadable(f"holds {_shortened(str(column.type))} where names are expected") from error
    encoded = texts.dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary.to_pylist()


# windows of them


@dataclass
class _Stretch:
    """What follows one another in a group under one label."""

    label: str
    cutter: Cutter


def _windows(file: _File, options: SignalsOptions) -> Iterator[RawSample]:
    """The windows of a file.

    Raises:
        _Unreadable: It cannot be read to its end, or is too short for one window.
    """
    fresh = partial(Cutter, options.length, options.stride or options.length)
    stretches: dict[str, _Stretch] = {}
    origin_ns: int | None = None
    readings, windows = 0, 0
    for table in _tables(file.path, options):
        with _translated():
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
                yield sample(window, group, label)
    if not windows:
        raise _Unreadable(f"has {readings:,} readings, and no {options.length:,} of one group and label in a row")


def _refuse_many(groups: int, options: SignalsOptions) -> None:
    if groups > MAX_GROUPS:
        raise _Unreadable(f"has more than {MAX_GROUPS:,} groups in the column {options.group_column!r}")


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
        rows[:, _TIME], faulty, origin_ns = _seconds(table.column(place), origin_ns)
        rows[faulty, _FAULT] = place + 1
    for number, name in enumerate(channels):
        place = names.index(name)
        rows[:, _CHANNELS + number], faulty = _numbers(table.column(place))
        rows[faulty, _FAULT] = place + 1
    return rows, origin_ns


def _parts(
    table: "pa.RecordBatch", rows: NDArray[np.float64], file: _File, options: SignalsOptions
) -> Iterator[tuple[str, str, NDArray[np.float64]]]:
    """Group, label and readings of every run of one label in each group of a batch."""
    nothing = np.zeros(len(rows), dtype=np.int64)
    groups, group_names = _codes(_named(table, options.group_column)) if options.group_column else (nothing, [file.id])
    labels, label_names = (
        _codes(_named(table, options.label_column)) if options.label_column else (nothing, [file.label or ""])
    )
    for code, group in enumerate(group_names):
        places = np.flatnonzero(groups == code) if len(group_names) > 1 else np.arange(len(rows))
        codes = labels[places]
        edges = [0, *(np.flatnonzero(np.diff(codes)) + 1), len(places)]
        for start, end in pairwise(edges):
            if start < end:
                yield group, label_names[codes[start]], rows[places[start:end]]


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

    file: _File
    options: SignalsOptions
    names: tuple[str, ...]
    origin_ns: int | None

    def sample(self, window: NDArray[np.float64], group: str, label: str) -> RawSample:
        """The window as a sample, with what its time stamps say or with its error."""
        clock = clock_of(window[:, _TIME])
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
