"""A CSV or Parquet file once more, with some of its rows.

Of CSV each row that is kept, and the line of names, is there letter by letter: quotes, white space, line ends, encoding
and byte order mark. Of Parquet the types, the metadata, the row groups and the compression of each column stay; within
a row group values are written anew.
"""

import codecs
import csv
import io
import sys
from collections.abc import Iterator, Set
from itertools import chain
from pathlib import Path
from typing import IO, Any

from edgeloop.data.csv_tables import lines_of, separator_in
from edgeloop.data.table_rows import Encoding, Layout, translated

_BATCH_ROWS = 1 << 16
_MARKS = {
    "utf-8": ((codecs.BOM_UTF8, "utf-8"),),
    "utf-16": ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")),
}


def copy_rows(source: Path, target: Path, *, layout: Layout, kept: Set[int]) -> None:
    """Writes `target`.

    Args:
        source: A file that `edgeloop.data.tables.opened` reads, as far as the last row that is kept.
        target: File to write.
        layout: How `source` is read.
        kept: Numbers of rows, as of `edgeloop.data.table_rows.Row`.

    Raises:
        Unreadable: `source` cannot be read that far.
    """
    with translated():
        if source.suffix.lower() == ".parquet":
            _copy_parquet(source, target, kept)
        else:
            _copy_csv(source, target, layout, kept)


def _copy_csv(source: Path, target: Path, layout: Layout, kept: Set[int]) -> None:
    with source.open("rb") as content, target.open("wb") as copy:
        encoding, mark = _encoding(content, layout.encoding)
        copy.write(mark)
        last, reached = max(kept, default=0), 0
        for number, text in _records(io.TextIOWrapper(content, encoding, newline=""), layout):
            if number is None or number in kept:
                copy.write(text.encode(encoding))
            reached = number or reached
            if reached >= last:
                break


def _encoding(content: IO[bytes], named: Encoding) -> tuple[str, bytes]:
    """The very encoding, and the mark that says so, which is read then."""
    head = content.read(4)
    for mark, encoding in _MARKS.get(named, ()):
        if head.startswith(mark):
            content.seek(len(mark))
            return encoding, mark
    content.seek(0)
    return (f"utf-16-{sys.byteorder[0]}e" if named == "utf-16" else named), b""


def _records(file: IO[str], layout: Layout) -> Iterator[tuple[int | None, str]]:
    """The number of each row and its text with its end; None for what is no row: names, and lines without a cell."""
    taken: list[str] = []

    def remembered(lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    lines = lines_of(file)
    first = next(lines, "")
    separator = layout.separator or separator_in(first)
    number, names_are_next = 0, layout.header is not False
    for cells in csv.reader(remembered(chain([first], lines)), delimiter=separator, strict=True):
        text = "".join(taken)
        taken.clear()
        is_row = bool(cells) and not names_are_next
        names_are_next = False
        number += is_row
        yield number if is_row else None, text


def _copy_parquet(source: Path, target: Path, kept: Set[int]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(source) as file:
        schema, number = file.schema_arrow, 0
        with parquet.ParquetWriter(target, schema, compression=_compression(file)) as writer:
            for group in range(file.num_row_groups):
                batches = []
                for batch in file.iter_batches(_BATCH_ROWS, row_groups=[group], use_threads=False):
                    chosen = pa.array([number + row in kept for row in range(1, batch.num_rows + 1)], pa.bool_())
                    batches.append(batch.filter(chosen))
                    number += batch.num_rows
                rows = pa.Table.from_batches(batches, schema)
                if rows.num_rows:
                    writer.write_table(rows, row_group_size=rows.num_rows)


def _compression(file: Any) -> dict[str, str]:
    """The compression of each column, as it was in the first row group."""
    metadata = file.metadata
    if not metadata.num_row_groups:
        return {}
    first = metadata.row_group(0)
    columns = [first.column(place) for place in range(metadata.num_columns)]
    return {column.path_in_schema: column.compression.lower().replace("uncompressed", "none") for column in columns}
