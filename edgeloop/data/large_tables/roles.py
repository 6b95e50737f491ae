"""Id, label, group, split, time and error of each row, in SQL: the rules of the source `table`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeloop.data.large_tables.cells import Cell
from edgeloop.data.large_tables.staging import Staged
from edgeloop.data.sources.table import MAX_ID_CHARACTERS, SPLIT_NAMES
from edgeloop.data.statistics.table import Table, text
from edgeloop.data.table_roles import USUAL_NAMES, TableOptions, refuse_unknown, role_column
from edgeloop.data.table_schema import MAX_CLASSES
from edgeloop.errors import DataFault

PLACE = "file || CASE WHEN number > 0 THEN ':' || printf('%07d', number) ELSE '' END"
_NULL = "CAST(NULL AS VARCHAR)"


@dataclass(frozen=True)
class Roles:
    """Which columns mean what.

    Args:
        columns: Of each role that has one, by name.
        features: All others, sorted.
        quantity: Whether the target is a number to be estimated, and no class.
    """

    columns: Mapping[str, str]
    features: tuple[str, ...]
    quantity: bool


def roles_of(table: Table, staged: Staged, cells: Mapping[str, Cell], options: TableOptions, *, where: Path) -> Roles:
    """The roles of a staged table.

    Raises:
        DataFault: A column that is named is nowhere, or no column is left beside the named ones.
    """
    refuse_unknown(options, staged.names, str(where))
    found = {role: role_column(role, options, staged.names) for role in USUAL_NAMES}
    columns = {role: name for role, name in found.items() if name is not None}
    features = tuple(name for name in staged.names if name not in columns.values())
    if not features:
        raise DataFault("has no column beside the named ones", where=str(where), fix="correct the options")
    target = cells.get(columns.get("target", ""))
    return Roles(columns, features, quantity=target is not None and _is_quantity(table, target, options))


def _is_quantity(table: Table, target: Cell, options: TableOptions) -> bool:
    if target.kind not in ("int", "float"):
        return False
    if options.target_is is not None:
        return options.target_is == "quantity"
    values = f"SELECT DISTINCT {target.value} AS v FROM cells WHERE c3 IS NULL LIMIT {MAX_CLASSES + 2}"  # noqa: S608
    ((count, whole),) = table.fetch(f"SELECT count(v), coalesce(bool_and(v = trunc(v)), true) FROM ({values})")  # noqa: S608
    return not whole or count > MAX_CLASSES


def make_roles(table: Table, staged: Staged, cells: Mapping[str, Cell], roles: Roles) -> None:
    """Makes the view `roles`: file_number, number, id, label, metadata, grp, split, time and error of each row.

    Beside them it has all columns of the table. Of rows with the same id the first keeps it.
    """
    of = {role: staged.column(name) for role, name in roles.columns.items()}
    kinds = {role: staged.types[staged.names.index(name)] for role, name in roles.columns.items()}
    target = cells.get(roles.columns.get("target", ""))
    label = _NULL if target is None else _named(target, quantity=roles.quantity)
    metadata = f"""'{{"target":"' || {label} || '"}}'""" if roles.quantity else _NULL
    name = _text(of.get("id"))
    table.make(
        f"""CREATE VIEW named AS SELECT *, c0 AS file_number, c1 AS number, c2 AS file, {name} AS name,
        {_NULL if roles.quantity else label} AS label, {metadata} AS metadata, {_text(of.get("group"))} AS grp,
        {_split(_text(of.get("split")))} AS split, {_time(of.get("time"), kinds.get("time", ""))} AS time
        FROM cells"""  # noqa: S608
    )
    if "id" not in of:
        table.make(f"CREATE VIEW roles AS SELECT *, {PLACE} AS id, c3 AS error FROM named")  # noqa: S608
        return
    _make_first(table)
    again = "f.name IS NOT NULL AND (named.file_number, named.number) <> (f.file_number, f.number)"
    table.make(
        f"""CREATE VIEW roles AS SELECT * EXCLUDE (error), coalesce(c3, error) AS error,
        CASE WHEN c3 IS NULL AND error IS NULL THEN name ELSE {PLACE} END AS id FROM (SELECT named.*, CASE
        WHEN named.name IS NULL THEN 'has no id'
        WHEN length(named.name) > {MAX_ID_CHARACTERS} THEN 'has an id of more than {MAX_ID_CHARACTERS:,} characters'
        WHEN {again} THEN 'has the id ' || chr(39) || named.name || chr(39) || ' of ' || f.place END AS error
        FROM named LEFT JOIN first_of f ON named.name = f.name)"""  # noqa: S608
    )


def _make_first(table: Table) -> None:
    """Makes `first_of`: of every id that occurs more than once, where it occurs first."""
    table.make("CREATE TEMP TABLE names AS SELECT name FROM named WHERE c3 IS NULL AND name IS NOT NULL")
    table.make("CREATE TEMP TABLE names_again (name VARCHAR)")
    for part in table.parts("SELECT count(*), coalesce(avg(strlen(name)), 0) FROM names", "name"):
        table.make(
            f"INSERT INTO names_again SELECT name FROM names WHERE {part} GROUP BY name HAVING count(*) > 1"  # noqa: S608
        )
    table.make("DROP TABLE names")
    table.make(
        f"""CREATE TEMP TABLE first_of AS SELECT name, first.f AS file_number, first.n AS number, first.p AS place
        FROM (SELECT name, min({{'f': file_number, 'n': number, 'p': {PLACE}}}) AS first FROM named
        WHERE c3 IS NULL AND name IN (SELECT name FROM names_again) GROUP BY name)"""  # noqa: S608
    )


def _named(target: Cell, *, quantity: bool) -> str:
    """SQL: a target as text."""
    value = f"({target.value})"
    if target.kind == "bool":
        return f"CASE {value} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
    if target.kind == "float" and not quantity:
        whole = f"{value} = trunc({value}) AND abs({value}) < 1e18"
        return f"CASE WHEN {whole} THEN CAST(CAST({value} AS BIGINT) AS VARCHAR) ELSE CAST({value} AS VARCHAR) END"
    return f"CAST({value} AS VARCHAR)"


def _text(column: str | None) -> str:
    return _NULL if column is None else f"nullif(trim(CAST({column} AS VARCHAR)), '')"


def _split(name: str) -> str:
    known = " ".join(f"WHEN {text(other)} THEN {text(usual)}" for other, usual in SPLIT_NAMES.items())
    return f"CASE lower({name}) {known} ELSE lower({name}) END"


def _time(column: str | None, kind: str) -> str:
    """SQL: text that sorts like time."""
    if column is None or kind == "bool":
        return _NULL
    number = f"TRY_CAST({column} AS DOUBLE)"
    counted = f"CASE WHEN {number} >= 0 AND {number} < 1e12 THEN printf('%020.6f', {number}) END"
    if kind != "text":
        return counted
    written = f"strftime(make_timestamp(epoch_us(TRY_CAST({column} AS TIMESTAMPTZ))), '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"CASE WHEN {number} IS NULL THEN {written} ELSE {counted} END"
