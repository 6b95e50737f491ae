"""The files of a table, and what their columns hold, decided from all cells of all files.

The columns of all files together are those of the table, see `edgeloop.data.cells` for what one of them holds.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from edgeloop.data.cells import Cell, Kind, json_cell, kind_of, shape_of
from edgeloop.data.csv_tables import lines_at_most
from edgeloop.data.folders import OF_A_QUARANTINE, relative_name
from edgeloop.data.parquet_tables import declared_size
from edgeloop.data.sources import RawSample
from edgeloop.data.table_files import table_files as found_files
from edgeloop.data.table_roles import USUAL_NAMES, TableOptions, refuse_unknown, role_column
from edgeloop.data.table_rows import Layout, Unreadable
from edgeloop.data.tables import SUFFIXES, opened
from edgeloop.errors import DataFault

MAX_ROWS = 1_000_000
MAX_CELLS = 20_000_000
"""All rows are held in memory: measured are 2.1 KB a row and 0.07 KB a cell, so 3.6 GB for a million rows of 20."""

MAX_CLASSES = 100


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
class TableSchema:
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


def schema_of(files: Sequence[TableFile], options: TableOptions, *, where: str) -> TableSchema:
    """The columns of all files together; each file is read once.

    Args:
        files: Those that cannot be read count as far as they can.
        options: Of the source.
        where: For error messages.

    Raises:
        DataFault: A column that is named is nowhere, all columns have a role, or the table is larger than MAX_ROWS or
            MAX_CELLS.
    """
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
    schema = TableSchema(kinds, roles, quantity=_is_quantity(roles.get("target"), kinds, scan, options), rows=scan.rows)
    if kinds and not schema.features:
        raise DataFault("has no column beside the named ones", where=where, fix="correct prepare_data.options")
    return schema


def _is_quantity(target: str | None, kinds: Mapping[str, Kind], scan: _Scan, options: TableOptions) -> bool:
    if target is None or kinds[target] not in ("int", "float"):
        return False
    if options.target_is is not None:
        return options.target_is == "quantity"
    numbers = [json_cell(cell, "float") for cell in scan.targets]
    whole = all(number.is_integer() for number in numbers if isinstance(number, float))
    return not whole or len(numbers) > MAX_CLASSES
