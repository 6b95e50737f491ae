"""What a column holds, and a cell as a value, in SQL: the rules of `edgeloop.data.cells`."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from edgeloop.data.cells import CODE, ENDLESS, NULLS, NUMBER, WHOLE, Kind, kind_of
from edgeloop.data.features.table import FORMULA
from edgeloop.data.large_tables.staging import Staged
from edgeloop.data.statistics.table import Table, text

_NOTHING = "false"
_LAYERS = 3


@dataclass(frozen=True)
class Cell:
    """SQL for the cells of one column of a row that can be read.

    Args:
        kind: What the column holds.
        value: Number, text, or 1 and 0 for true and false; null where there is none, or another thing.
        key: What tells it from other cells.
        null: Whether nothing is given.
        mistyped: Whether it is text among numbers or truth values.
        nan: Whether it is no number (NaN).
        infinite: Whether it is an infinite number.
        formula: Whether a spreadsheet would evaluate it.
        shown: Itself as text.
        parts: SQL by name of what the above is made of, a layer on another: each is computed once, and the engine
            keeps some vectors for every part of an expression.
    """

    kind: Kind
    value: str
    key: str
    null: str
    mistyped: str = _NOTHING
    nan: str = _NOTHING
    infinite: str = _NOTHING
    formula: str = _NOTHING
    shown: str = "''"
    parts: tuple[Mapping[str, str], ...] = ()

    @property
    def flawed(self) -> str:
        """SQL: whether something is wrong with it."""
        flaws = [flaw for flaw in (self.mistyped, self.nan, self.infinite, self.formula) if flaw != _NOTHING]
        return f"coalesce({' OR '.join(flaws)}, false)" if flaws else _NOTHING


def cells_of(table: Table, staged: Staged) -> dict[str, Cell]:
    """The cells of every column by name.

    Args:
        table: What was staged, opened.
        staged: What it is.
    """
    found = {}
    for name, kind, shapes in zip(staged.names, staged.types, staged.typed_shapes, strict=True):
        column = staged.column(name)
        if kind == "text":
            found[name] = _of_text(column, _kind(table, column, is_text="text" in shapes))
        else:
            found[name] = _of_type(column, kind)
    return found


def _kind(table: Table, column: str, *, is_text: bool) -> Kind:
    """What a column of text holds.

    Args:
        table: With the column.
        column: Its name in SQL.
        is_text: Whether Parquet files say that it is text.
    """
    shape = f"CASE WHEN c4 THEN 'text' ELSE {_shape(column)} END" if is_text else _shape(column)
    counted = table.fetch(f"SELECT {shape} AS shape, count(*) FROM source WHERE c3 IS NULL GROUP BY shape")  # noqa: S608
    return kind_of(Counter(dict(counted)))


def _shape(x: str) -> str:
    """SQL: what a cell of a CSV file looks like, as `edgeloop.data.cells.shape_of` has it."""
    return f"""CASE WHEN coalesce({x}, '') = '' THEN 'null' WHEN {_like(x, WHOLE)} THEN 'int'
        WHEN {_like(x, NUMBER)} THEN 'float' WHEN {_like(x, CODE)} THEN 'code' WHEN {_among(x, NULLS)} THEN 'unsaid'
        WHEN {_endless(x)} THEN 'float' WHEN {_among(x, ("true", "false"))} THEN 'bool' ELSE 'text' END"""


def _of_type(x: str, kind: str) -> Cell:
    """Cells that a Parquet file has a type for."""
    null = f"{x} IS NULL"
    if kind == "int":
        return Cell("int", x, x, null)
    if kind == "bool":
        return Cell("bool", f"CAST({x} AS BIGINT)", x, null)
    value = f"CASE WHEN isfinite({x}) THEN {x} + 0.0 END"
    return Cell(
        "float", value, f"{x} + 0.0", null, nan=f"isnan({x})", infinite=f"isinf({x})", shown=f"CAST({x} AS VARCHAR)"
    )


def _of_text(x: str, kind: Kind) -> Cell:
    """Cells that are stored as text, of a column that holds `kind`."""
    formula = f"regexp_matches({x}, {text(f'^(?:{FORMULA.pattern})')})"
    if kind == "text":
        parts = ({f"{x}_value": f"nullif({x}, '')", f"{x}_formula": formula},)
        value = f"{x}_value"
        return Cell(kind, value, value, f"{value} IS NULL", formula=f"{x}_formula", shown=x, parts=parts)
    is_one, value = {
        "bool": (_among(x, ("true", "false")), f"CAST(lower({x}) = 'true' AS BIGINT)"),
        "int": (_like(x, WHOLE), f"TRY_CAST({x} AS BIGINT)"),
        "float": (_like(x, NUMBER), f"TRY_CAST({x} AS DOUBLE) + 0.0"),
    }[kind]
    first = {
        f"{x}_one": is_one,
        f"{x}_null": f"({x} IS NULL OR {_among(x, NULLS)})",
        f"{x}_end": _endless(x) if kind == "float" else _NOTHING,
    }
    second = {
        f"{x}_read": f"CASE WHEN {x}_one THEN {value} END",
        f"{x}_mistyped": f"NOT {x}_null AND NOT {x}_one AND NOT {x}_end",
    }
    third = {
        f"{x}_value": f"CASE WHEN isfinite({x}_read) THEN {x}_read END" if kind == "float" else f"{x}_read",
        f"{x}_formula": f"{x}_mistyped AND {formula}",
    }
    cell = Cell(
        kind,
        value=f"{x}_value",
        key=f"coalesce(CAST({x}_value AS VARCHAR), {x})",
        null=f"{x}_null",
        mistyped=f"{x}_mistyped",
        formula=f"{x}_formula",
        shown=x,
        parts=(first, second, third),
    )
    if kind != "float":
        return cell
    third[f"{x}_nan"] = f"{x}_end AND contains(lower({x}), 'nan')"
    third[f"{x}_inf"] = f"({x}_end AND NOT contains(lower({x}), 'nan')) OR coalesce(isinf({x}_read), false)"
    return replace(cell, nan=f"{x}_nan", infinite=f"{x}_inf")


def make_cells(table: Table, cells: Mapping[str, Cell]) -> None:
    """Makes the view `cells`: all columns of the table, and beside them what the cells are made of."""
    before = "source"
    for layer in range(_LAYERS):
        parts = (cell.parts[layer] for cell in cells.values() if layer < len(cell.parts))
        added = [f", {sql} AS {name}" for part in parts for name, sql in part.items()]
        after = "cells" if layer == _LAYERS - 1 else f"cells_{layer}"
        table.make(f"CREATE VIEW {after} AS SELECT *{''.join(added)} FROM {before}")  # noqa: S608
        before = after


def _like(x: str, pattern: "re.Pattern[str]") -> str:
    return f"regexp_full_match({x}, {text(pattern.pattern)})"


def _among(x: str, words: Iterable[str]) -> str:
    return f"lower({x}) IN ({', '.join(text(word) for word in sorted(words))})"


def _endless(x: str) -> str:
    return f"ltrim(lower({x}), '+-') IN ({', '.join(text(word) for word in sorted(ENDLESS))})"
