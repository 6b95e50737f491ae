"""What only the whole table can tell of a row, in SQL: see `edgeloop.data.frame` and `edgeloop.data.table_frame`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeloop.data.statistics.table import Table, text
from edgeloop.data.table_frame import NO_COLUMN
from edgeloop.data.telltales import MOST_ROWS, telltales

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Derived:
    """SQL for the derived columns, by name, and the joins that they need behind the view `looked_at`."""

    columns: dict[str, str]
    joins: str


def derived(table: Table, names: Sequence[str]) -> Derived:
    """What is derived from the view `looked_at`, see `edgeloop.data.large_tables.rows`.

    Args:
        table: With that view; temporary tables are made in it.
        names: What the features that are columns of the table are called, in the order of `v0`, `v1` …
    """
    _make_repeated(table, len(names))
    _make_groups(table)
    largest = _make_classes(table)
    has_target = bool(table.fetch("SELECT count(coalesce(label, metadata)) FROM looked_at")[0][0])
    target = "coalesce(looked_at.label, looked_at.metadata)"
    values = "NULL"
    if has_target:
        distinct = "SELECT DISTINCT coalesce(label, metadata) AS t FROM looked_at WHERE readable"
        values = str(table.fetch(f"SELECT count(t) FROM ({distinct})")[0][0])  # noqa: S608
    with_split = "CAST(looked_at.split IS NOT NULL AS BIGINT)"
    with_label = "CAST(looked_at.label IS NOT NULL AS BIGINT)"
    columns = {
        "readable": "looked_at.readable",
        "copies": "coalesce(r.copies, 1)",
        "labels_of_bytes": f"coalesce(r.labels, CASE WHEN looked_at.readable THEN {with_label} ELSE 1 END)",
        "splits_of_bytes": f"coalesce(r.splits, CASE WHEN looked_at.readable THEN {with_split} ELSE 1 END)",
        "splits_of_group": f"coalesce(g.splits, CASE WHEN looked_at.grp IS NULL THEN 1 ELSE {with_split} END)",
        "class_balance": f"c.rows / {largest}.0",
        "split_share": "CASE WHEN c.rows > 0 THEN s.rows / CAST(c.rows AS DOUBLE) END",
        "copies_by_chance": "coalesce(r.by_chance, 0.0)",
        "has_target": str(has_target).lower(),
        "target_missing": f"CAST({target} IS NULL AND looked_at.readable AS DOUBLE)"
        if has_target
        else "CAST(NULL AS DOUBLE)",
        "target_values": f"CAST({values} AS DOUBLE)",
        "tells_target": text(", ".join(telltales(*_drawn(table, names))) or NO_COLUMN),
        "constant_columns": text(", ".join(_constant(table, names)) or NO_COLUMN),
    }
    joins = (
        "LEFT JOIN repeated r ON looked_at.h = r.h LEFT JOIN torn g ON looked_at.grp = g.grp "
        "LEFT JOIN classes c ON looked_at.label = c.label "
        "LEFT JOIN shares s ON looked_at.label = s.label AND looked_at.split = s.split"
    )
    return Derived(columns, joins)


def _make_repeated(table: Table, width: int) -> None:
    """Makes `repeated`: of every hash that several rows have, copies, labels, splits, and the copies by chance."""
    table.make("CREATE TEMP TABLE hashes AS SELECT h FROM looked_at WHERE h IS NOT NULL")
    table.make("CREATE TEMP TABLE again (h UBIGINT)")
    for part in table.parts("SELECT count(*), 0 FROM hashes", "h"):
        table.make(f"INSERT INTO again SELECT h FROM hashes WHERE {part} GROUP BY h HAVING count(*) > 1")  # noqa: S608
    table.make("DROP TABLE hashes")
    of_columns = "".join(f", any_value(hash(k{place})) AS k{place}" for place in range(width))
    table.make(
        f"""CREATE TEMP TABLE examples AS SELECT h, count(*) AS copies, count(DISTINCT label) AS labels,
        count(DISTINCT split) AS splits {of_columns} FROM looked_at WHERE h IN (SELECT h FROM again) GROUP BY h"""  # noqa: S608
    )
    rows = int(table.fetch("SELECT count(*) FROM looked_at")[0][0])
    table.make(
        "CREATE TEMP TABLE repeated AS SELECT h, copies, labels, splits, "  # noqa: S608
        f"ln({max(rows, 1)}.0) AS by_chance FROM examples"
    )
    if not table.fetch("SELECT count(*) FROM examples")[0][0]:
        return
    for place in range(width):
        key = f"k{place}"
        table.make(
            f"""CREATE OR REPLACE TEMP TABLE usual AS SELECT hash({key}) AS k, ln(count(*) / {rows}.0) AS share
            FROM looked_at WHERE hash({key}) IN (SELECT {key} FROM examples) GROUP BY hash({key})"""  # noqa: S608
        )
        table.make(
            "CREATE OR REPLACE TEMP TABLE added AS SELECT e.h, u.share "  # noqa: S608
            f"FROM examples e JOIN usual u ON e.{key} = u.k"
        )
        table.make("UPDATE repeated SET by_chance = by_chance + added.share FROM added WHERE repeated.h = added.h")
    table.make("UPDATE repeated SET by_chance = exp(by_chance)")


def _make_groups(table: Table) -> None:
    """Makes `torn`: the groups that several splits have."""
    table.make(
        """CREATE TEMP TABLE torn AS SELECT grp, count(DISTINCT split) AS splits FROM looked_at
        WHERE grp IS NOT NULL AND split IS NOT NULL GROUP BY grp HAVING min(split) <> max(split)"""
    )


def _make_classes(table: Table) -> int:
    """Makes `classes` and `shares`: readable rows of every class, and of those in every split; the largest class."""
    readable = "count(*) FILTER (readable) AS rows FROM looked_at WHERE label IS NOT NULL"
    table.make(f"CREATE TEMP TABLE classes AS SELECT label, {readable} GROUP BY label")
    table.make(
        f"CREATE TEMP TABLE shares AS SELECT label, split, {readable} AND split IS NOT NULL GROUP BY label, split"
    )
    return max(1, int(table.fetch("SELECT coalesce(max(rows), 0) FROM classes")[0][0]))


def _drawn(table: Table, names: Sequence[str]) -> tuple["pd.DataFrame", Sequence[str]]:
    """Some of the rows with a label, as good as drawn and the same in every order."""
    import pandas as pd

    values = "".join(f", v{place}" for place in range(len(names)))
    chosen = f"SELECT h FROM looked_at WHERE h IS NOT NULL AND label IS NOT NULL ORDER BY h LIMIT {MOST_ROWS}"  # noqa: S608
    last = table.fetch(f"SELECT max(h) FROM ({chosen})")[0][0]  # noqa: S608
    rows = table.fetch_arrays(
        f"SELECT printf('%020d', h) AS sha256, label{values} FROM looked_at "  # noqa: S608
        f"WHERE label IS NOT NULL AND h <= {last or 0} ORDER BY h LIMIT {2 * MOST_ROWS}"
    )
    frame = pd.DataFrame({name: pd.Series(_plain(column)) for name, column in rows.items()})
    return frame.set_axis(["sha256", "label", *names], axis=1), names


def _plain(column: Any) -> Any:
    """A masked array with its gaps as None or NaN."""
    if not hasattr(column, "filled"):
        return column
    return column.astype(float).filled(float("nan")) if column.dtype.kind in "iuf" else column.filled(None)


def _constant(table: Table, names: Sequence[str]) -> list[str]:
    """The columns with one value, or none, in all readable rows."""
    asked = ", ".join(
        f"count(v{place}) = 0 OR (count(v{place}) = count(*) AND min(v{place}) = max(v{place}))"
        for place in range(len(names))
    )
    told = table.fetch(f"SELECT {asked} FROM looked_at WHERE readable")[0]  # noqa: S608
    return [name for name, constant in zip(names, told, strict=True) if constant]
