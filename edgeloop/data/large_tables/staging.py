"""The user's files as Parquet of one schema in a scratch folder.

Rows are those that `edgeloop.data.tables` reads; none is left out, and what cannot be used says why. The columns:

    0 file_number  position of the file among those of the table
    1 number       of the row in its file, from 1; 0 where the row stands for a file that cannot be read, or not further
    2 file         id of the file, the path from the root
    3 error        why the row cannot be used, or null
    4 typed        it is from a Parquet file, whose types say what a cell is
    5 …            the cells, by the name of their column; a column that is of several types is text
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeloop.data.csv_tables import opened_texts
from edgeloop.data.parquet_tables import opened_arrays
from edgeloop.data.table_roles import TableOptions
from edgeloop.data.table_rows import Unreadable
from edgeloop.data.table_schema import TableFile, table_files
from edgeloop.data.tables import opened
from edgeloop.errors import DataFault
from edgeloop.progress import progress

if TYPE_CHECKING:
    import pyarrow as pa

BOOKKEEPING = ("file_number", "number", "file", "error", "typed")
_GROUP_ROWS = 1 << 16
_TYPES = {"bool": "bool", "int": "int64", "float": "double", "text": "string"}


@dataclass(frozen=True)
class Staged:
    """The table as it was staged.

    Args:
        files: Parquet, in the order of the table's own files.
        names: Of the columns, sorted.
        types: As what each is stored: bool, int, float or text.
        typed_shapes: What the cells of each look like in the Parquet files that have it.
    """

    files: tuple[Path, ...]
    names: tuple[str, ...]
    types: tuple[str, ...]
    typed_shapes: tuple[frozenset[str], ...]

    def column(self, name: str) -> str:
        """How SQL calls the cells of a column."""
        return f"c{len(BOOKKEEPING) + self.names.index(name)}"


@dataclass(frozen=True)
class _Described:
    """A file with the names of its columns, and their shapes where it is Parquet; none where it cannot be opened."""

    file: TableFile
    names: tuple[str, ...] = ()
    shapes: tuple[str, ...] | None = None


def staged(path: Path, options: TableOptions, scratch: Path) -> Staged:
    """Writes the files of a table to `scratch`, one after another; memory does not grow with them.

    Raises:
        DataFault: The path is missing or holds no table, or no column.
        MissingExtra: pyarrow is not installed.
    """
    described = [_described(file, options) for file in table_files(path)]
    shapes: dict[str, set[str]] = {}
    typed: dict[str, set[str]] = {}
    for one in described:
        for place, name in enumerate(one.names):
            shapes.setdefault(name, set()).add(one.shapes[place] if one.shapes else "text")
            typed.setdefault(name, set()).update(one.shapes[place : place + 1] if one.shapes else ())
    if not shapes:
        raise DataFault("has no file that can be read", where=str(path), fix="validate one file to see what is wrong")
    for name, found in typed.items():
        if "text" in found and found - {"text", "null"}:
            what = f"the column {name!r} is text in one Parquet file and {min(found - {'text', 'null'})} in another"
            raise DataFault(what, where=str(path), fix="write it as one type in all of them")
    names = tuple(sorted(shapes))
    types = tuple(_type(shapes[name]) for name in names)
    files = []
    with progress("read rows", None) as advance:
        for number, one in enumerate(described):
            files.append(scratch / f"{number:07d}.parquet")
            where = f"{one.file.id}, file {number + 1:,} of {len(described):,}"
            for count in _written(one, number, options, names=names, types=types, target=files[-1]):
                advance(count, where)
    return Staged(tuple(files), names, types, tuple(frozenset(typed[name]) for name in names))


def _described(file: TableFile, options: TableOptions) -> _Described:
    if file.fault is not None:
        return _Described(file)
    try:
        with opened(file.path, options.layout) as table:
            shapes = tuple(table.shapes(place) for place in range(len(table.names))) if table.shapes else None
            return _Described(file, table.names, shapes)
    except Unreadable:
        return _Described(file)  # said when the rows are read


def _type(shapes: set[str]) -> str:
    """What holds cells of these shapes."""
    said = shapes - {"null"}
    if said == {"int"} or said == {"bool"}:
        return said.pop()
    return "float" if said and said <= {"int", "float"} else "text"


def _written(
    described: _Described,
    number: int,
    options: TableOptions,
    *,
    names: Sequence[str],
    types: Sequence[str],
    target: Path,
) -> Iterator[int]:
    """Writes a file, some rows at a time; how many."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    bookkeeping = [pa.int32(), pa.int64(), pa.string(), pa.string(), pa.bool_()]
    kinds = [*bookkeeping, *(pa.type_for_alias(_TYPES[kind]) for kind in types)]
    called = [*BOOKKEEPING, *(f"cells {place}" for place in range(len(names)))]  # no two alike in any case
    schema = pa.schema(list(zip(called, kinds, strict=True)))
    with parquet.ParquetWriter(target, schema) as writer:
        waiting: list[pa.RecordBatch] = []
        rows = 0
        for columns, kept in _batches(described, number, options, names=names, kinds=kinds[len(bookkeeping) :]):
            waiting.append(pa.record_batch([*kept, *columns], schema=schema))
            rows += waiting[-1].num_rows
            if rows >= _GROUP_ROWS:
                writer.write_table(pa.Table.from_batches(waiting), row_group_size=_GROUP_ROWS * 2)
                yield rows
                waiting.clear()
                rows = 0
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting), row_group_size=_GROUP_ROWS * 2)
            yield rows


def _batches(
    described: _Described,
    file_number: int,
    options: TableOptions,
    *,
    names: Sequence[str],
    kinds: "Sequence[pa.DataType]",
) -> "Iterator[tuple[list[pa.Array], list[pa.Array]]]":
    """The cells of some rows by column, and what is kept of each row."""
    import pyarrow as pa

    file, done = described.file, 0

    def kept(numbers: Sequence[int], errors: Sequence[str | None]) -> "list[pa.Array]":
        count = len(numbers)
        return [
            pa.array([file_number] * count, pa.int32()),
            pa.array(numbers, pa.int64()),
            pa.array([file.id] * count, pa.string()),
            pa.array(errors, pa.string()),
            pa.array([described.shapes is not None] * count, pa.bool_()),
        ]

    fault = file.fault
    if fault is None:
        try:
            reader = _typed if described.shapes is not None else _read
            for columns, errors in reader(file.path, options, names, kinds):
                yield columns, kept(range(done + 1, done + len(errors) + 1), errors)
                done += len(errors)
        except Unreadable as reason:
            fault = str(reason)
    if fault is not None:
        yield [pa.nulls(1, kind) for kind in kinds], kept([0], [fault])


Batch = tuple[list[Any], Sequence[str | None]]


def _read(path: Path, options: TableOptions, names: Sequence[str], kinds: "Sequence[pa.DataType]") -> Iterator[Batch]:
    """The cells of a CSV file, and the errors of its rows."""
    import pyarrow as pa

    with opened_texts(path, options.layout) as table:
        places = {name: place for place, name in enumerate(table.names)}
        for columns, errors in table.batches:
            cells = [
                columns[places[name]].cast(kind) if name in places else pa.nulls(len(errors), kind)
                for name, kind in zip(names, kinds, strict=True)
            ]
            yield cells, errors


def _typed(path: Path, options: TableOptions, names: Sequence[str], kinds: "Sequence[pa.DataType]") -> Iterator[Batch]:
    """The cells of a Parquet file."""
    import pyarrow as pa

    with opened_arrays(path, options.layout) as table:
        places = {name: place for place, name in enumerate(table.names)}
        for batch in table.batches:
            count = len(batch[0])
            cells = [
                batch[places[name]].cast(kind) if name in places else pa.nulls(count, kind)
                for name, kind in zip(names, kinds, strict=True)
            ]
            yield cells, [None] * count
