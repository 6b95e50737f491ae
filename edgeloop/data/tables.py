"""CSV and Parquet files read row by row, whatever somebody put in them; no cell is ever evaluated.

CSV is text in the encoding that is named, UTF-8 with or without its mark otherwise, with any line ends, quotes doubled
inside quotes, and a first line of column names. The separator is the one of comma, semicolon, tab and bar that cuts the
first line into the most cells. White space around a cell is none of it, and a line without any cell is no row. A row
with more or fewer cells than there are columns is given as such.

An unnamed first column holds row names, as pandas and R write them: it is left out. Another column without a name is
called after its place, such as `column_3`.

Of Parquet, numbers, text, truth values, dates, times and durations (in seconds) are read, and dictionaries of those;
dates and times are ISO 8601 text, with a zone in UTC.
"""

import csv
import io
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from edgeloop.data.cells import Cell, shape_of

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".csv", ".tsv", ".parquet")
SEPARATORS = ",;\t|"
Encoding = Literal["utf-8", "utf-16", "latin-1", "cp1252"]

MAX_COLUMNS = 1_000
MAX_ROW_CHARACTERS = 1 << 20

_BATCH_ROWS = 1 << 12
_BLOCK_BYTES = 1 << 20
_REASON_LENGTH = 160
_FIRST_INK, _INKS = 33, 95
"""The ASCII characters that are no white space, and no control character but DEL."""
_PANDAS_INDEX = "__index_level_0__"


class Unreadable(Exception):
    """Why a file cannot be used, or not further, without its path."""


@dataclass(frozen=True)
class Layout:
    """How files are read.

    Args:
        encoding: Of CSV files.
        separator: Of CSV files; None to guess it.
        header: Whether CSV files begin with names; None: they do, and a first line of numbers is refused.
        drop: Columns that are not read, so may be of any type.
    """

    encoding: Encoding = "utf-8"
    separator: str | None = None
    header: bool | None = None
    drop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One row of a file.

    Args:
        number: From 1, in the file.
        cells: One for each column; or none where `error` says why.
        error: Why it cannot be used, or None.
    """

    number: int
    cells: Sequence[Cell]
    error: str | None = None


@dataclass(frozen=True)
class Table:
    """An opened file.

    Args:
        names: Of its columns, each once.
        rows: Once through.
        shapes: What the cells of a column look like (`edgeloop.data.cells.shape_of`) where its type says so for all of
            them; None in a CSV file.
    """

    names: tuple[str, ...]
    rows: Iterator[Row]
    shapes: Callable[[int], str] | None = None


@contextmanager
def opened(path: Path, layout: Layout) -> Iterator[Table]:
    """The table in a file, open for the length of the block.

    Raises:
        Unreadable: It cannot be read, or not to its end; then while its rows are read.
    """
    with translated():
        if path.suffix.lower() == ".parquet":
            with path.open("rb") as file:
                yield _parquet(file, layout)
        else:
            with path.open(encoding=_codec(layout.encoding), newline="") as text:
                yield _csv(text, layout)


@contextmanager
def translated() -> Iterator[None]:
    """What readers raise, as the reason why a file cannot be used."""
    import pyarrow as pa

    try:
        yield
    except UnicodeError as error:
        raise Unreadable("is not text of that encoding; say which it is, such as -o encoding=latin-1") from error
    except csv.Error as error:
        raise Unreadable(f"is no CSV table ({shortened(str(error))})") from error
    except MemoryError as error:
        raise Unreadable("needs more memory than there is") from error
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        known = error.strerror if isinstance(error, OSError) else None
        raise Unreadable(f"cannot be read ({shortened(known or str(error) or type(error).__name__)})") from error


def _codec(encoding: Encoding) -> str:
    return "utf-8-sig" if encoding == "utf-8" else encoding


def shortened(text: str) -> str:
    """One line of at most _REASON_LENGTH characters."""
    line = " ".join(text.split())
    return line if len(line) <= _REASON_LENGTH else f"{line[: _REASON_LENGTH - 1]}…"


def declared_size(path: Path, layout: Layout) -> tuple[int, int]:
    """The rows and columns that a Parquet file says it has.

    Raises:
        Unreadable: It says nothing.
    """
    with translated(), path.open("rb") as file:
        opened_file, names, _ = _columns(file, layout)
        return opened_file.metadata.num_rows, len(names)


def lines_at_most(path: Path) -> int:
    """A number that the lines of a CSV file do not exceed, in any of the encodings; found without decoding it."""
    ends = {b"\n": 0, b"\r": 0}
    with translated(), path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            for end in ends:
                ends[end] += block.count(end)
    return 1 + sum(ends.values()) if ends[b"\r"] != ends[b"\n"] else 1 + ends[b"\n"]


# CSV


def _csv(file: IO[str], layout: Layout) -> Table:
    records = _records(file, layout)
    return Table(records.names, _rows(records))


@dataclass(frozen=True)
class _Records:
    """What is read of a CSV file.

    Args:
        names: Of its columns, each once.
        cells: Of each row behind the names, not stripped yet; none of an empty line.
        width: Cells of a row that can be used.
        skipped: Its first cells that belong to no column.
    """

    names: tuple[str, ...]
    cells: Iterator[list[str]]
    width: int
    skipped: int


def _records(file: IO[str], layout: Layout) -> _Records:
    lines = lines_of(file)
    first = next(lines, "")
    if not first.strip():
        raise Unreadable("has an empty first line where the column names are expected" if first else "is empty")
    separator = layout.separator or separator_in(first)
    records = csv.reader(_again(first, lines), delimiter=separator, strict=True)
    head = [cell.strip() for cell in next(records)]
    if layout.header is False:
        names, dropped = [f"column_{place}" for place in range(1, len(head) + 1)], False
        records = csv.reader(_again(first, lines), delimiter=separator, strict=True)
    else:
        _refuse_values(head, layout)
        names, dropped = named(head)
    return _Records(tuple(names), records, width=len(head), skipped=1 if dropped else 0)


def lines_of(file: IO[str]) -> Iterator[str]:
    """The lines of a CSV file with their ends, of whatever kind those are.

    Raises:
        Unreadable: One is too long, or no text.
    """
    while line := file.readline(MAX_ROW_CHARACTERS):
        if len(line) == MAX_ROW_CHARACTERS:
            raise Unreadable(f"has a line of more than {MAX_ROW_CHARACTERS:,} characters")
        if "\0" in line:
            raise Unreadable("is not text of that encoding: it holds null characters")
        yield line


def _again(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def separator_in(line: str) -> str:
    """The one that cuts a line into the most cells."""

    def columns(separator: str) -> int:
        return len(next(csv.reader(io.StringIO(line), delimiter=separator), []))

    return max(SEPARATORS, key=columns)


def _refuse_values(head: Sequence[str], layout: Layout) -> None:
    numbers = [cell for cell in head if shape_of(cell) in ("int", "float")]
    if layout.header is None and 2 * len(numbers) > len(head):
        raise Unreadable(
            f"has values such as {numbers[0]} where column names are expected; say -o header=false if it has no names, "
            "or -o header=true if these are the names"
        )


def named(head: Sequence[str]) -> tuple[list[str], bool]:
    """The names of the columns, and whether the first one is left out because it holds row names.

    Raises:
        Unreadable: There is none, there are too many, or two of one name.
    """
    dropped = len(head) > 1 and not head[0]
    names = [name or f"column_{place}" for place, name in enumerate(head, start=1)][1 if dropped else 0 :]
    if len(names) > MAX_COLUMNS:
        raise Unreadable(f"has {len(names):,} columns, more than {MAX_COLUMNS:,}")
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise Unreadable(f"has two columns {shortened(repr(twice[0]))}")
    if not names:
        raise Unreadable("has no column")
    return names, dropped


def _rows(records: _Records) -> Iterator[Row]:
    number = 0
    with translated():
        for cells in records.cells:
            if not cells:
                continue
            number += 1
            if len(cells) == records.width:
                yield Row(number, [cell.strip() for cell in cells[records.skipped :]])
            else:
                yield Row(number, (), error=_of_another_width(cells, records))


def _of_another_width(cells: Sequence[str], records: _Records) -> str:
    return f"has {len(cells)} cells where there are {records.width} columns"


@dataclass(frozen=True)
class Texts:
    """An opened CSV file, read some rows at a time.

    Args:
        names: Of its columns, each once.
        batches: Once through: the cells as `Table` gives them, by column, and the error of each row or None; a row with
            an error has nulls.
    """

    names: tuple[str, ...]
    batches: "Iterator[tuple[list[pa.Array], list[str | None]]]"


@contextmanager
def opened_texts(path: Path, layout: Layout) -> Iterator[Texts]:
    """As `opened`, of a CSV file, in half the time.

    Raises:
        Unreadable: As `opened`; the rows before the place that cannot be read come first.
    """
    with translated(), path.open(encoding=_codec(layout.encoding), newline="") as text:
        records = _records(text, layout)
        yield Texts(records.names, _text_batches(records))


def _text_batches(records: _Records) -> "Iterator[tuple[list[pa.Array], list[str | None]]]":
    ended = False
    while not ended:
        packet, failure = _packet(records)
        ended = len(packet) < _BATCH_ROWS
        rows = [cells for cells in packet if cells]
        if rows:
            yield _arrays(rows, records)
        if failure is not None:
            raise failure


def _packet(records: _Records) -> tuple[list[list[str]], Unreadable | None]:
    """Some rows, fewer at the end, and why there are no more where that is not the end of the file."""
    packet: list[list[str]] = []
    try:
        with translated():
            for cells in records.cells:
                packet.append(cells)
                if len(packet) == _BATCH_ROWS:
                    break
    except Unreadable as failure:
        return packet, failure
    return packet, None


def _arrays(rows: list[list[str]], records: _Records) -> "tuple[list[pa.Array], list[str | None]]":
    import pyarrow as pa
    import pyarrow.compute as compute

    errors = [None if len(cells) == records.width else _of_another_width(cells, records) for cells in rows]
    blank = (None,) * records.width
    columns = zip(*(cells if error is None else blank for cells, error in zip(rows, errors, strict=True)), strict=True)
    arrays = (pa.array(column, pa.string()) for column in list(columns)[records.skipped :])
    return [
        compute.utf8_trim(array, characters=_blanks()) if _may_begin_blank(array) else array for array in arrays
    ], errors


def _may_begin_blank(texts: "pa.Array") -> bool:
    """Whether there is white space anywhere among them, or what is not ASCII and may be."""
    import numpy as np

    content = texts.buffers()[2]
    if content is None:
        return False
    return bool(np.any(np.frombuffer(content, np.uint8) - np.uint8(_FIRST_INK) >= _INKS))


@cache
def _blanks() -> str:
    """What `str.strip` takes away."""
    return "".join(filter(str.isspace, map(chr, range(sys.maxunicode + 1))))


# Parquet


def _parquet(file: IO[bytes], layout: Layout) -> Table:
    opened_file, names, fields = _columns(file, layout)
    shapes = [_shape(field.type, name) for name, field in zip(names, fields, strict=True)]
    rows = _parquet_rows(opened_file, [field.name for field in fields])
    return Table(names=names, rows=rows, shapes=lambda place: shapes[place])


def _columns(file: IO[bytes], layout: Layout) -> "tuple[Any, tuple[str, ...], list[pa.Field]]":
    """A Parquet file, and the columns of it that are read: what they are called here, and as what they are stored."""
    import pyarrow.parquet as parquet

    opened_file = parquet.ParquetFile(file, buffer_size=_BLOCK_BYTES)
    fields = [field for field in opened_file.schema_arrow if field.name != _PANDAS_INDEX]
    names, dropped = named([field.name for field in fields])
    kept = [place for place, name in enumerate(names) if name not in layout.drop]
    return opened_file, tuple(names[place] for place in kept), [fields[place + dropped] for place in kept]


@dataclass(frozen=True)
class Arrays:
    """An opened Parquet file, read a batch at a time.

    Args:
        names: Of its columns, each once.
        shapes: What the cells of each look like, see `Table`.
        batches: Once through; truth values, numbers and text as `Table` gives them.
    """

    names: tuple[str, ...]
    shapes: tuple[str, ...]
    batches: "Iterator[list[pa.Array]]"


@contextmanager
def opened_arrays(path: Path, layout: Layout) -> Iterator[Arrays]:
    """As `opened`, of a Parquet file and without a Python object for every cell.

    Raises:
        Unreadable: As `opened`.
    """
    with translated(), path.open("rb") as file:
        opened_file, names, fields = _columns(file, layout)
        shapes = tuple(_shape(field.type, name) for name, field in zip(names, fields, strict=True))
        yield Arrays(names, shapes, _parquet_batches(opened_file, [field.name for field in fields]))


def _shape(kind: "pa.DataType", name: str) -> str:
    """What cells of a type look like.

    Raises:
        Unreadable: They are no single values.
    """
    from pyarrow import types

    if types.is_dictionary(kind):
        return _shape(kind.value_type, name)
    if types.is_boolean(kind):
        return "bool"
    if types.is_integer(kind):
        return "int"
    if types.is_floating(kind) or types.is_decimal(kind) or types.is_duration(kind):
        return "float"
    if types.is_null(kind):
        return "null"
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind) or types.is_temporal(kind):
        return "text"
    raise Unreadable(
        f"has the column {shortened(repr(name))} of {shortened(str(kind))}, which is no single value; "
        f"leave it out with -o 'drop=[{shortened(name)}]', or write its values as columns"
    )


def _parquet_rows(file: Any, columns: Sequence[str]) -> Iterator[Row]:
    number = 0
    for arrays in _parquet_batches(file, columns):
        read = [array.to_pylist() for array in arrays]
        for cells in zip(*read, strict=True) if read else ():
            number += 1
            yield Row(number, cells)


def _parquet_batches(file: Any, columns: Sequence[str]) -> "Iterator[list[pa.Array]]":
    rows = 0
    with translated():
        for group in range(file.num_row_groups):  # one after another: what was read of each is held until its end
            for batch in file.iter_batches(_BATCH_ROWS, row_groups=[group], columns=list(columns), use_threads=False):
                rows += batch.num_rows
                yield [_plain(batch.column(batch.schema.get_field_index(name))) for name in columns]
        if rows != file.metadata.num_rows:
            raise Unreadable(f"declares {file.metadata.num_rows:,} rows and holds {rows:,}")


def _plain(column: "pa.Array") -> "pa.Array":
    """The cells as truth values, numbers and text."""
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if types.is_dictionary(kind):
        return _plain(column.dictionary_decode())
    if types.is_decimal(kind) or types.is_floating(kind):
        return column.cast(pa.float64())
    if types.is_duration(kind):
        units = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
        seconds = [None if value is None else value / units for value in column.cast(pa.int64()).to_pylist()]
        return pa.array(seconds, pa.float64())
    if types.is_timestamp(kind):
        zone = "Z" if kind.tz else ""
        texts = column.cast(pa.timestamp(kind.unit)).cast(pa.string()).to_pylist()
        return pa.array([None if text is None else f"{text.replace(' ', 'T')}{zone}" for text in texts], pa.string())
    return column.cast(pa.string()) if types.is_temporal(kind) else column
