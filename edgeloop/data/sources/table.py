"""CSV and Parquet files with a row a sample; one file, or a folder of them at any depth.

The columns of all files together are those of the table; a file without one of them has nulls there. What a column
holds is decided from all cells of all files, see `edgeloop.data.cells`, so equal rows have equal contents wherever they
stand. Files are read twice: once for that, and once for the rows.

A row's content is canonical JSON: a value for every column but the roles (target, id, group, time, split) and what is
dropped. Where no column is named for a role, the column of the usual name has it, see `edgeloop.data.table_roles`; the
empty text says that none has.

A target of text, of truth values, or of at most MAX_CLASSES different whole numbers is the label. Any other target of
numbers is a quantity: the label is null, and the number stands in the metadata under `target`.

Nothing that is wrong is dropped. A row with too few or too many cells, without an id, or with the id of another row
is a sample with an error; a file that cannot be read, or not to its end, is one sample with an error beside the rows
before it. Hidden files and files of other kinds are no samples.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from edgeloop.canonical import canonical_json
from edgeloop.data.cells import Cell, json_cell
from edgeloop.data.sources import RawSample
from edgeloop.data.table_roles import TableOptions
from edgeloop.data.table_rows import MAX_ROW_CHARACTERS, Row, Unreadable
from edgeloop.data.table_schema import TableFile, TableSchema, schema_of, table_files
from edgeloop.data.tables import opened
from edgeloop.errors import DataFault
from edgeloop.progress import progress

MAX_ID_CHARACTERS = 1_000

_ROWS_A_STEP = 10_000

SPLIT_NAMES = {"training": "train", "valid": "val", "validation": "val", "testing": "test"}


class Table:
    """Ids are what the id column says, else the path from the root and the number of the row: `a.csv:0000017`."""

    kind = "table"
    needs_place = True
    options = TableOptions

    def samples(self, path: Path | None, options: TableOptions) -> Iterator[RawSample]:
        """Every row, file by file in the order of their paths.

        Raises:
            DataFault: The path is missing or holds no table; at its beginning, if a column that is named is nowhere,
                or the table is larger than MAX_ROWS or MAX_CELLS; at the end, if no row can be used.
            MissingExtra: pyarrow is not installed.
        """
        return (found.sample for found in located(path, options))


class Located(NamedTuple):
    """A sample, and where its row stands: its number in the file, from 1; 0 where the sample is about the file."""

    path: Path
    number: int
    sample: RawSample


def located(path: Path | None, options: TableOptions) -> Iterator[Located]:
    """The samples of `Table`, in the same order, each with its place.

    Raises:
        As `Table.samples`.
    """
    return _samples(table_files(path), options, where=str(path))


def _samples(files: Sequence[TableFile], options: TableOptions, *, where: str) -> Iterator[Located]:
    schema = schema_of(files, options, where=where)
    seen: dict[str, str] = {}
    first: RawSample | None = None
    usable = False
    with progress("read", schema.rows) as advance:
        for number, found in enumerate(chain(*(_samples_of(file, schema, options, seen) for file in files)), start=1):
            usable = usable or found.sample.error is None
            first = first or found.sample
            yield found
            if number % _ROWS_A_STEP == 0:
                advance(_ROWS_A_STEP, "")
    if not usable:
        what = f"no row can be used; the first: {first.error}" if first else "has no row"
        raise DataFault(what, where=first.id if first else where, fix="correct the files or prepare_data.options")


def _samples_of(file: TableFile, schema: TableSchema, options: TableOptions, seen: dict[str, str]) -> Iterator[Located]:
    """The rows of a file as samples.

    Args:
        file: Where they come from.
        schema: Of all files.
        options: Of the source.
        seen: Where each id of the id column came from; grows.
    """
    if file.fault is not None:
        yield Located(file.path, 0, file.faulty(file.fault))
        return
    try:
        with opened(file.path, options.layout) as table:
            places = {name: place for place, name in enumerate(table.names)}
            for row in table.rows:
                yield Located(file.path, row.number, _sample(file, row, places, schema, seen))
    except Unreadable as reason:
        yield Located(file.path, 0, file.faulty(str(reason)))


def _sample(
    file: TableFile, row: Row, places: Mapping[str, int], schema: TableSchema, seen: dict[str, str]
) -> RawSample:
    place = f"{file.id}:{row.number:07d}"
    if row.error is not None:
        return RawSample(id=place, label=None, uri=file.path.as_uri(), error=row.error)

    def cell(role: str) -> Cell:
        name = schema.roles.get(role)
        return None if name is None or name not in places else row.cells[places[name]]

    values = {
        name: json_cell(row.cells[places[name]], kind) if name in places else None
        for name, kind in schema.kinds.items()
    }
    target = _target(schema, values)
    content = canonical_json({name: values[name] for name in schema.features})
    sample_id, error = _id(cell("id"), place, seen) if "id" in schema.roles else (place, None)
    if len(content) > MAX_ROW_CHARACTERS:
        error = error or f"holds more than {MAX_ROW_CHARACTERS:,} bytes"
    return RawSample(
        id=sample_id,
        label=None if schema.quantity else target,
        uri=file.path.as_uri() if error else None,
        content=None if error else content,
        group=_name(cell("group")),
        error=error,
        metadata={"target": target} if schema.quantity and target is not None else {},
        split=_split(_name(cell("split"))),
        time=_time(cell("time")),
    )


def _id(cell: Cell, place: str, seen: dict[str, str]) -> tuple[str, str | None]:
    """The id of a row, and why it is none."""
    name = _name(cell)
    if name is None:
        return place, "has no id"
    if len(name) > MAX_ID_CHARACTERS:
        return place, f"has an id of more than {MAX_ID_CHARACTERS:,} characters"
    if name in seen:
        return place, f"has the id {name!r} of {seen[name]}"
    seen[name] = place
    return name, None


def _target(schema: TableSchema, values: Mapping[str, object]) -> str | None:
    value = values.get(schema.roles.get("target", ""))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and not schema.quantity:
        return str(int(value))
    if isinstance(value, int | float):
        return repr(value)
    return value if isinstance(value, str) else None


def _name(cell: Cell) -> str | None:
    return None if cell is None else str(cell).strip() or None


def _split(name: str | None) -> str | None:
    return None if name is None else SPLIT_NAMES.get(name.lower(), name.lower())


def _time(cell: Cell) -> str | None:
    """As text that sorts like time: ISO 8601 in UTC to the microsecond, or a number of fixed width."""
    value = json_cell(cell, "float") if not isinstance(cell, bool) else None
    if isinstance(value, float):
        return f"{value:020.6f}" if 0 <= value < 1e12 else None
    try:
        when = datetime.fromisoformat(str(cell))
    except ValueError:
        return None
    zoned = when if when.tzinfo else when.replace(tzinfo=UTC)
    return zoned.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


plugin = Table()
