"""A table of any size as the one that a suite looks at: index, features, and what only the whole table can tell.

Its columns are those of `edgeloop.data.frame.of_table`, see `edgeloop.data.large_tables` for what differs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeloop.data.features import Column
from edgeloop.data.features.table import COLUMNS, SHOWN_CHARACTERS, SHOWN_FLAWS, feature_name
from edgeloop.data.large_tables.cells import Cell, cells_of, make_cells
from edgeloop.data.large_tables.derivation import derived
from edgeloop.data.large_tables.roles import make_roles, roles_of
from edgeloop.data.large_tables.staging import Staged, staged
from edgeloop.data.statistics import opened
from edgeloop.data.statistics.table import Table, text
from edgeloop.data.table_roles import TableOptions
from edgeloop.errors import DataFault
from edgeloop.progress import progress

_GROUP_ROWS = 1 << 17
_OF_INDEX = {
    "id": "looked_at.id",
    "uri": "CAST(NULL AS VARCHAR)",
    "sha256": "CAST(NULL AS VARCHAR)",
    "split": "looked_at.split",
    "label": "looked_at.label",
    "group": "looked_at.grp",
    "boxes": "CAST(NULL AS VARCHAR)",
    "metadata": "looked_at.metadata",
    "time": "looked_at.time",
    "error": "looked_at.error",
}


@dataclass(frozen=True)
class Rows:
    """The table, opened, and what its features are."""

    table: Table
    features: tuple[Column, ...]


@contextmanager
def rows_of(path: Path, options: TableOptions, *, scratch: Path, memory_mib: int, threads: int) -> Iterator[Rows]:
    """The table at `path`, open for the length of the block.

    Args:
        path: A file, or a folder of them.
        options: Of the source `table`.
        scratch: Existing folder; it receives the table twice.
        memory_mib: For the engine, see `edgeloop.data.statistics.opened`.
        threads: For the engine.

    Raises:
        DataFault: The path is missing or holds no table, no row can be used, or two columns differ in case only.
        EnvironmentFault: Memory or scratch space do not suffice.
        MissingExtra: A package of the extra `data` or `validation` is not installed.
    """
    raw = scratch / "raw"
    raw.mkdir()
    whole = scratch / "rows.parquet"
    before = staged(path, options, raw)
    with opened(list(before.files), memory_mib=memory_mib, threads=threads, scratch=scratch) as table:
        features = _write(table, before, options, path, whole)
    for file in before.files:
        file.unlink()
    with opened(whole, memory_mib=memory_mib, threads=threads, scratch=scratch) as table:
        yield Rows(table, features)


def _write(table: Table, before: Staged, options: TableOptions, path: Path, target: Path) -> tuple[Column, ...]:
    """Writes the rows; what the features among their columns are."""
    cells = cells_of(table, before)
    make_cells(table, cells)
    roles = roles_of(table, before, cells, options, where=path)
    own = {feature_name(name): (name, cells[name]) for name in roles.features}
    _refuse_twins([*_OF_INDEX, *(column.name for column in COLUMNS), *own], path)
    make_roles(table, before, cells, roles)
    table.make(f"CREATE VIEW looked_at AS {_looked_at(dict(own.values()))}")
    _refuse_unusable(table, path)
    from_all = derived(table, list(own))
    selected = {
        **_OF_INDEX,
        **{column.name: f"looked_at.{column.name}" for column in COLUMNS},
        **{name: f"looked_at.v{place}" for place, name in enumerate(own)},
        **from_all.columns,
    }
    _write_rows(table, selected, from_all.joins, target)
    return (*COLUMNS, *(_feature(called, name, cell) for called, (name, cell) in own.items()))


def _feature(called: str, name: str, cell: Cell) -> Column:
    kind = "text" if cell.kind == "text" else "float" if cell.kind == "float" else "int"
    return Column(called, kind, f"the column {name}")  # type: ignore[arg-type]


def _looked_at(cells: Mapping[str, Cell]) -> str:
    """SQL: every row with what is looked at in it; `v0`, `v1` … are its values, `k0` … tell them apart, `h` all."""
    every = list(cells.values())
    values = [f"CASE WHEN error IS NULL THEN {cell.value} END AS v{place}" for place, cell in enumerate(every)]
    keys = [f"CASE WHEN error IS NULL THEN {cell.key} END AS k{place}" for place, cell in enumerate(every)]
    counts = {
        "nulls": _count(cell.null for cell in every),
        "mistyped": _count(cell.mistyped for cell in every),
        "nan_cells": _count(cell.nan for cell in every),
        "infinite_cells": _count(cell.infinite for cell in every),
        "formulas": _count(cell.formula for cell in every),
    }
    counted = [f"CASE WHEN error IS NULL THEN {count} END AS {name}" for name, count in counts.items()]
    read = (
        "SELECT id, split, label, grp, metadata, time, error, error IS NULL AS readable, "  # noqa: S608
        f"{', '.join([*values, *keys, *counted])}, "
        f"CASE WHEN error IS NULL THEN {_flawed(cells)} END AS flawed FROM roles"
    )
    every_key = ", ".join(f"k{place}" for place in range(len(every)))
    return (
        f"SELECT *, nulls / {len(every)}.0 AS null_share, {_FLAWS} AS flaws, "  # noqa: S608
        f"CASE WHEN readable THEN hash({every_key}) END AS h FROM ({read})"
    )


def _count(conditions: Iterable[str]) -> str:
    told = [f"CAST(coalesce({condition}, false) AS BIGINT)" for condition in conditions if condition != "false"]
    return " + ".join(told) or "CAST(0 AS BIGINT)"


def _flawed(cells: Mapping[str, Cell]) -> str:
    """SQL: a list of the cells at fault and what they hold."""
    said = [
        f"CASE WHEN {cell.flawed} THEN {text(f'{name}: ')} || left({cell.shown}, {SHOWN_CHARACTERS}) END"
        for name, cell in cells.items()
        if cell.flawed != "false"
    ]
    return f"list_filter(CAST([{', '.join(said)}] AS VARCHAR[]), lambda one: one IS NOT NULL)"


_FLAWS = (
    f"nullif(array_to_string(list_slice(flawed, 1, {SHOWN_FLAWS}), ', ') || "
    f"CASE WHEN len(flawed) > {SHOWN_FLAWS} THEN ' and ' || (len(flawed) - {SHOWN_FLAWS}) || ' more' ELSE '' END, '')"
)
"""SQL: that list, as `edgeloop.data.features.table.flaws` says it."""


def _refuse_twins(names: Sequence[str], path: Path) -> None:
    """Refuses two columns whose names differ in case only: the engine takes them for one."""
    lower: dict[str, str] = {}
    for name in names:
        if (twin := lower.setdefault(name.lower(), name)) != name:
            raise DataFault(
                f"has the columns {twin!r} and {name!r}, which differ in case only",
                where=str(path),
                fix="rename one of them, or leave it out with -o drop; a table this large needs it",
            )


def _refuse_unusable(table: Table, path: Path) -> None:
    rows, usable, first = table.fetch(
        "SELECT count(*), count(*) FILTER (readable), min(error) FILTER (NOT readable) FROM looked_at"
    )[0]
    if not usable:
        what = f"no row can be used, such as: {first}" if rows else "has no row"
        raise DataFault(what, where=str(path), fix="correct the files or the options")


def _write_rows(table: Table, selected: Mapping[str, str], joins: str, target: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    columns = ", ".join(f"{expression} AS o{place}" for place, expression in enumerate(selected.values()))
    writer: parquet.ParquetWriter | None = None
    rows = int(table.fetch("SELECT count(*) FROM source")[0][0])
    try:
        with progress("derive", rows) as advance:
            for batch in table.batches(f"SELECT {columns} FROM looked_at {joins}", rows=_GROUP_ROWS):  # noqa: S608
                written = pa.Table.from_batches([batch]).rename_columns(list(selected))
                writer = writer or parquet.ParquetWriter(target, written.schema)
                writer.write_table(written, row_group_size=_GROUP_ROWS)
                advance(batch.num_rows, "")
    finally:
        if writer is not None:
            writer.close()
