"""Parquet files read row by row, or a batch of rows at a time.

Numbers, text, truth values, dates, times and durations (in seconds) are read, and dictionaries of those; dates and
times are ISO 8601 text, with a zone in UTC.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from edgeloop.data.table_rows import Layout, Row, Table, Unreadable, named, shortened, translated

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 1 << 12
_BLOCK_BYTES = 1 << 20
_PANDAS_INDEX = "__index_level_0__"


@contextmanager
def opened_parquet(path: Path, layout: Layout) -> Iterator[Table]:
    """See `edgeloop.data.tables.opened`."""
    with translated(), path.open("rb") as file:
        opened_file, names, fields = _columns(file, layout)
        shapes = [_shape(field.type, name) for name, field in zip(names, fields, strict=True)]
        rows = _parquet_rows(opened_file, [field.name for field in fields])
        yield Table(names=names, rows=rows, shapes=lambda place: shapes[place])


def declared_size(path: Path, layout: Layout) -> tuple[int, int]:
    """The rows and columns that a Parquet file says it has.

    Raises:
        Unreadable: It says nothing.
    """
    with translated(), path.open("rb") as file:
        opened_file, names, _ = _columns(file, layout)
        return opened_file.metadata.num_rows, len(names)


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
