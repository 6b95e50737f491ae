"""CSV files read row by row, whatever somebody put in them; no cell is ever evaluated.

CSV is text in the encoding that is named, UTF-8 with or without its mark otherwise, with any line ends, quotes doubled
inside quotes, and a first line of column names. The separator is the one of comma, semicolon, tab and bar that cuts the
first line into the most cells. White space around a cell is none of it, and a line without any cell is no row. A row
with more or fewer cells than there are columns is given as such.
"""

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from edgeloop.data.cells import shape_of
from edgeloop.data.table_rows import (
    MAX_ROW_CHARACTERS,
    Encoding,
    Layout,
    Row,
    Table,
    Unreadable,
    named,
    translated,
)

if TYPE_CHECKING:
    import pyarrow as pa

SEPARATORS = ",;\t|"

_BATCH_ROWS = 1 << 12
_BLOCK_BYTES = 1 << 20
_FIRST_INK, _INKS = 33, 95
"""The ASCII characters that are no white space, and no control character but DEL."""


@contextmanager
def opened_csv(path: Path, layout: Layout) -> Iterator[Table]:
    """See `edgeloop.data.tables.opened`."""
    with translated(), path.open(encoding=_codec(layout.encoding), newline="") as text:
        records = _records(text, layout)
        yield Table(records.names, _rows(records))


def _codec(encoding: Encoding) -> str:
    return "utf-8-sig" if encoding == "utf-8" else encoding


def lines_at_most(path: Path) -> int:
    """A number that the lines of a CSV file do not exceed, in any of the encodings; found without decoding it."""
    ends = {b"\n": 0, b"\r": 0}
    with translated(), path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            for end in ends:
                ends[end] += block.count(end)
    return 1 + sum(ends.values()) if ends[b"\r"] != ends[b"\n"] else 1 + ends[b"\n"]


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
