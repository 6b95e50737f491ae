"""Files with a row a reading, CSV or Parquet, as columns of numbers and names; what they mean is said elsewhere.

Files are read in batches, and no cell is ever evaluated. CSV is UTF-8 with a line of column names; any line ends.
Numbers have a decimal point, and an empty cell, `nan` and the like are no reading.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.table_rows import Unreadable, shortened
from edgeloop.data.windows import MAX_CHANNELS

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 1 << 16
_BLOCK_BYTES = 1 << 20
_MAX_HEADER_BYTES = 1 << 20
_NO_READING = ("", "nan", "na", "n/a", "null", "none")


@dataclass(frozen=True)
class Wanted:
    """The columns to read.

    Args:
        roles: Those that are no channel.
        channels: The others; none for all that are no role.
        separator: Between two cells of a CSV file.
    """

    roles: tuple[str, ...]
    channels: tuple[str, ...]
    separator: str

    def among(self, names: Sequence[str]) -> list[str]:
        """Roles, then channels, of a file with columns of these names.

        Raises:
            Unreadable: One is missing or is there twice, or there is none or too many to read.
        """
        channels = self.channels or tuple(name for name in names if name not in self.roles)
        if len(channels) > MAX_CHANNELS:  # first, for what follows is slow of very many
            raise Unreadable(f"has {len(channels):,} columns of readings, more than {MAX_CHANNELS:,}")
        wanted = [*self.roles, *channels]
        if missing := [name for name in wanted if name not in names]:
            raise Unreadable(f"has no column {missing[0]!r}, only {shortened(', '.join(map(repr, names)))}")
        if twice := [name for name in wanted if names.count(name) > 1]:
            raise Unreadable(f"has two columns {twice[0]!r}")
        if not channels:
            raise Unreadable("has no column of readings")
        return wanted


def batches(path: Path, wanted: Wanted) -> Iterator["pa.RecordBatch"]:
    """The wanted columns in batches: time, label and group where they are named, then the channels.

    Raises:
        Unreadable: It is damaged, ends early, or lacks a column.
    """
    with translated(), path.open("rb") as file:
        yield from (_parquet if path.suffix.lower() == ".parquet" else _csv)(file, wanted)


@contextmanager
def translated() -> Iterator[None]:
    """What the reader of a file or a cell raises, as the reason why the file cannot be used."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as error:  # UnicodeError is a ValueError
        raise Unreadable(_reason(error)) from error


def _csv(file: BinaryIO, wanted: Wanted) -> Iterator["pa.RecordBatch"]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = _header(file, wanted.separator)
    columns = wanted.among(names)
    try:
        reader = arrow_csv.open_csv(
            file,
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, column_names=names),
            parse_options=arrow_csv.ParseOptions(delimiter=wanted.separator),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=columns, column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
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
        raise Unreadable("has a first line that is too long" if start else "is empty")
    file.seek(len(line[0]))
    try:
        text = line[1].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("is not UTF-8 text: save it as UTF-8 first") from error
    if "\0" in text:
        raise Unreadable("is not UTF-8 text: save it as UTF-8 first")
    return [name.strip() for name in next(csv.reader([text], delimiter=separator), [])]


def _parquet(file: BinaryIO, wanted: Wanted) -> Iterator["pa.RecordBatch"]:
    import pyarrow.parquet as parquet

    table = parquet.ParquetFile(file, buffer_size=_BLOCK_BYTES)
    columns = wanted.among(table.schema_arrow.names)
    rows = 0
    for batch in table.iter_batches(batch_size=_BATCH_ROWS, columns=columns, use_threads=False):
        rows += batch.num_rows
        yield batch.select(columns)
    if rows != table.metadata.num_rows:
        raise Unreadable(f"declares {table.metadata.num_rows:,} rows and holds {rows:,}")


def _reason(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "needs more memory than there is"
    known = error.strerror if isinstance(error, OSError) else None
    return f"cannot be read ({shortened(known or str(error) or type(error).__name__)})"


def numbers(column: "pa.Array") -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The cells as numbers, NaN where there is none, and which cells hold something that is no number.

    Raises:
        Unreadable: The column is of a type that has no numbers, such as a list.
    """
    import pyarrow as pa

    if not _is_text(column.type):
        if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or _is_decimal(column.type)):
            raise Unreadable(f"holds {shortened(str(column.type))} where numbers are expected")
        return _floats(column.cast(pa.float64(), safe=False)), np.zeros(len(column), dtype=bool)
    texts, given = _given(column)
    values = _cast(texts, pa.float64())
    return _floats(values), given & _booleans(values.is_null())


def seconds(column: "pa.Array", origin_ns: int | None) -> tuple[NDArray[np.float64], NDArray[np.bool_], int | None]:
    """As `numbers`, of time stamps: seconds as they stand, or seconds since the first of a file's ISO times.

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
        return *numbers(column), None
    else:
        texts, given = _given(column)
        if origin_ns is None:
            counted = _cast(texts, pa.float64())
            if counted.null_count < len(counted) or not given.any():
                return _floats(counted), given & _booleans(counted.is_null()), None
        naive = _cast(texts, pa.timestamp("ns"))
        times = _cast(texts, unit) if naive.null_count == len(naive) else naive
    missing = _booleans(times.is_null())
    stamps_ns = times.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    if origin_ns is None and not missing.all():
        origin_ns = int(stamps_ns[~missing][0])
    since_origin_s = (stamps_ns - (origin_ns or 0)) / 1e9
    return np.where(missing, np.nan, since_origin_s), given & missing, origin_ns


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


def codes(column: "pa.Array") -> tuple[NDArray[np.int64], list[str]]:
    """The place of each cell's text among the different ones; an empty cell is an empty text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        texts = pc.utf8_trim_whitespace(column.cast(pa.string()).fill_null(""))
    except pa.ArrowNotImplementedError as error:
        raise Unreadable(f"holds {shortened(str(column.type))} where names are expected") from error
    encoded = texts.dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary.to_pylist()
