"""CSV and Parquet files with a row a sample; one file, or a folder of them at any depth.

The columns of all files together are those of the table; a file without one of them has nulls there. What a column
holds is decided from all cells of all files, see `edgeloop.data.cells`, so equal rows have equal contents wherever they
stand. Files are read twice: once for that, and once for the rows.

A row's content is canonical JSON: a value for every column but the roles (target, id, group, time, split) and what is
dropped. Where no column is named for a role, the column of the usual name has it, see `USUAL_NAMES`; the empty text
says that none has.

A target of text, of truth values, or of at most MAX_CLASSES different whole numbers is the label. Any other target of
numbers is a quantity: the label is null, and the number stands in the metadata under `target`.

Nothing that is wrong is dropped. A row with too few or too many cells, without an id, or with the id of another row
is a sample with an error; a file that cannot be read, or not to its end, is one sample with an error beside the rows
before it. Hidden files and files of other kinds are no samples.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from edgeloop.canonical import canonical_json
from edgeloop.contract import Contract
from edgeloop.data.cells import Cell, Kind, json_cell, kind_of, shape_of
from edgeloop.data.csv_tables import lines_at_most
from edgeloop.data.folders import OF_A_QUARANTINE, relative_name
from edgeloop.data.parquet_tables import declared_size
from edgeloop.data.sources import RawSample
from edgeloop.data.table_files import table_files as found_files
from edgeloop.data.table_rows import MAX_ROW_CHARACTERS, Encoding, Layout, Row, Unreadable
from edgeloop.data.tables import SUFFIXES, opened
from edgeloop.errors import DataFault
from edgeloop.progress import progress

MAX_ROWS = 1_000_000
MAX_CELLS = 20_000_000
"""All rows are held in memory: measured are 2.1 KB a row and 0.07 KB a cell, so 3.6 GB for a million rows of 20."""

MAX_CLASSES = 100
MAX_ID_CHARACTERS = 1_000

_ROWS_A_STEP = 10_000

USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "target": ("label", "target", "class"),
    "id": ("id",),
    "group": ("group",),
    "time": ("timestamp", "datetime", "date"),
    "split": ("split",),
}
"""In any case; the first that is there has the role."""

SPLIT_NAMES = {"training": "train", "valid": "val", "validation": "val", "testing": "test"}


class TableOptions(Contract):
    """What the columns mean, and how files are read."""

    target: str | None = Field(default=None, description='what is learned; null: label, target or class; "": none')
    target_is: Literal["class", "quantity"] | None = Field(
        default=None, description="null: text and up to 100 whole numbers are classes, other numbers a quantity"
    )
    id: str | None = Field(default=None, description='a name for each row; null: id; "" or not there: file and row')
    group: str | None = Field(default=None, description='rows that a split must not part; null: group; "": none')
    time: str | None = Field(default=None, description='null: timestamp, datetime or date; "": none')
    split: str | None = Field(default=None, description='train, val or test; null: split; "": none')
    drop: tuple[str, ...] = Field(default=(), description="columns that are left out")
    encoding: Encoding = Field(default="utf-8", description="of CSV files")
    separator: str | None = Field(default=None, min_length=1, max_length=1, description="of CSV files; null: guessed")
    header: bool | None = Field(default=None, description="false: CSV files have no names: column_1, column_2, …")

    @model_validator(mode="after")
    def _apart(self) -> "TableOptions":
        used = [*self.drop, *filter(None, (self.target, self.id, self.group, self.time, self.split))]
        if twice := sorted({name for name in used if used.count(name) > 1}):
            raise ValueError(f"the column {twice[0]!r} is named twice")
        return self

    @property
    def layout(self) -> Layout:
        """How files are read."""
        return Layout(encoding=self.encoding, separator=self.separator, header=self.header, drop=self.drop)


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


def table_files(path: Path | None) -> list["TableFile"]:
    """The files of a table, in the order of their paths.

    Raises:
        DataFault: The path is missing or holds no table.
        MissingExtra: pyarrow is not installed.
    """
    found = found_files(path, SUFFIXES, skipped=_is_record)
    return [TableFile(file.path, relative_name(file.path, file.folder), file.fault) for file in found]


@dataclass(frozen=True)
class TableFile:
    """One file of the dataset, or what stands in its place; `fault` says why it must not be opened, or None."""

    path: Path
    id: str
    fault: str | None

    def faulty(self, reason: str) -> RawSample:
        """The sample that says why it cannot be used."""
        return RawSample(id=self.id, label=None, uri=self.path.as_uri(), error=reason)


def _is_record(path: Path) -> bool:
    """Whether a file is what a quarantine has left beside the clean set."""
    from edgeloop.data.decision import QUARANTINE_COLUMNS

    if path.name != OF_A_QUARANTINE:
        return False
    try:
        with opened(path, Layout()) as table:
            return table.names == QUARANTINE_COLUMNS
    except Unreadable:
        return False


def _samples(files: Sequence[TableFile], options: TableOptions, *, where: str) -> Iterator[Located]:
    schema = _schema(files, options, where=where)
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


# what the columns hold


@dataclass
class _Scan:
    """What is known of all files after they have been read once."""

    shapes: dict[str, Counter[str]] = field(default_factory=dict)
    targets: set[Cell] = field(default_factory=set)
    rows: int = 0
    cells: int = 0

    def add(self, file: TableFile, options: TableOptions, *, where: str) -> None:
        """Reads a file.

        Raises:
            Unreadable: As far as it can be read it counts.
            DataFault: There are too many rows.
        """
        with opened(file.path, options.layout) as table:
            target = role_column("target", options, table.names)
            place = table.names.index(target) if target in table.names else None
            counters = [self.shapes.setdefault(name, Counter()) for name in table.names]
            of_types = [table.shapes(n) for n in range(len(counters))] if table.shapes else None
            for row in table.rows:
                self.rows += 1
                self.cells += len(counters)
                if self.rows > MAX_ROWS or self.cells > MAX_CELLS:
                    raise _too_large(where)
                if row.error is not None:
                    continue
                for counter, shape in zip(counters, of_types or _shapes(row.cells), strict=True):
                    counter[shape] += 1
                if place is not None and len(self.targets) <= MAX_CLASSES:
                    self.targets.add(row.cells[place])


def _shapes(cells: Sequence[Cell]) -> list[str]:
    return [shape_of(cell) if isinstance(cell, str) else "null" for cell in cells]


def _too_large(where: str) -> DataFault:
    return DataFault(
        f"has more than {MAX_ROWS:,} rows or {MAX_CELLS:,} cells, and all are held in memory",
        where=where,
        fix="draw a sample of its rows to learn from; `edgeloop data validate` judges a table of any size",
    )


def is_too_large(path: Path, options: TableOptions) -> bool:
    """Whether a table has more rows or cells than are held in memory.

    What a Parquet file says of itself is believed. Of a CSV file lines are counted first, and rows only where there are
    enough lines; nothing is looked at beyond what decides.

    Raises:
        DataFault: The path is missing or holds no table.
        MissingExtra: pyarrow is not installed.
    """
    rows = cells = 0
    for file in table_files(path):
        for more, width in _counted_rows(file, options):
            rows += more
            cells += more * width
            if rows > MAX_ROWS or cells > MAX_CELLS:
                return True
    return False


def _counted_rows(file: TableFile, options: TableOptions) -> Iterator[tuple[int, int]]:
    """Numbers of rows and of columns that add up to those of a file, as far as it can be read."""
    if file.fault is not None:
        return
    try:
        if file.path.suffix.lower() == ".parquet":
            yield declared_size(file.path, options.layout)
            return
        with opened(file.path, options.layout) as table:
            width = len(table.names)
            lines = lines_at_most(file.path)
            if lines <= MAX_ROWS and lines * width <= MAX_CELLS:
                yield lines, width
            else:
                yield from ((1, width) for _ in table.rows)
    except Unreadable:
        return  # said when the rows are read


@dataclass(frozen=True)
class _Schema:
    """The columns of the table.

    Args:
        kinds: Of every column, the roles too.
        roles: The column of each role that has one.
        quantity: Whether the target is a number to be estimated, and no class.
        rows: Of all files.
    """

    kinds: Mapping[str, Kind]
    roles: Mapping[str, str]
    quantity: bool
    rows: int

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The columns that are neither dropped nor a role."""
        roles = set(self.roles.values())
        return tuple(name for name in self.kinds if name not in roles)


def _schema(files: Sequence[TableFile], options: TableOptions, *, where: str) -> _Schema:
    scan = _Scan()
    for file in files:
        if file.fault is None:
            try:
                scan.add(file, options, where=where)
            except Unreadable:
                continue  # said once more, and in its place, when the rows are read
    if scan.shapes:
        refuse_unknown(options, list(scan.shapes), where)
    kinds = {name: kind_of(scan.shapes[name]) for name in sorted(scan.shapes) if name not in options.drop}
    found = {role: role_column(role, options, tuple(kinds)) for role in USUAL_NAMES}
    roles = {role: name for role, name in found.items() if name is not None}
    schema = _Schema(kinds, roles, quantity=_is_quantity(roles.get("target"), kinds, scan, options), rows=scan.rows)
    if kinds and not schema.features:
        raise DataFault("has no column beside the named ones", where=where, fix="correct prepare_data.options")
    return schema


def role_column(role: str, options: TableOptions, names: Sequence[str]) -> str | None:
    """The column that has a role, or None."""
    named: str | None = getattr(options, role)
    if named is not None:
        return named or None
    taken = {options.target, options.id, options.group, options.time, options.split, *options.drop}
    free = {name.lower(): name for name in reversed(names) if name not in taken}
    return next((free[usual] for usual in USUAL_NAMES[role] if usual in free), None)


def refuse_unknown(options: TableOptions, names: Sequence[str], where: str) -> None:
    """Raises `DataFault`, which names the nearest right one, where a column has a role and is not there."""
    for name in filter(None, (options.target, options.id, options.group, options.time, options.split)):
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(names[:20])}"
            raise DataFault(f"has no column {name!r}", where=where, fix=hint)


def _is_quantity(target: str | None, kinds: Mapping[str, Kind], scan: _Scan, options: TableOptions) -> bool:
    if target is None or kinds[target] not in ("int", "float"):
        return False
    if options.target_is is not None:
        return options.target_is == "quantity"
    numbers = [json_cell(cell, "float") for cell in scan.targets]
    whole = all(number.is_integer() for number in numbers if isinstance(number, float))
    return not whole or len(numbers) > MAX_CLASSES


# the rows


def _samples_of(file: TableFile, schema: _Schema, options: TableOptions, seen: dict[str, str]) -> Iterator[Located]:
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


def _sample(file: TableFile, row: Row, places: Mapping[str, int], schema: _Schema, seen: dict[str, str]) -> RawSample:
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


def _target(schema: _Schema, values: Mapping[str, object]) -> str | None:
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
