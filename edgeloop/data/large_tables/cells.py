"""What a column holds, and a cell as a value, in SQL: the rules of `edgeloop.data.cells`."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from edgeloop.data.cells import CODE, ENDLESS, NULLS, NUMBER, WHOLE, Kind, kind_of
from edgeloop.data.features.table import FORMULA
from edgeloop.data.large_tables.staging import Staged
from edgeloop.data.statistics.table import Table, text

_NOTHING = "false"


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
        value = f"nullif({x}, '')"
        return Cell(kind, value, value, f"{value} IS NULL", formula=formula, shown=x)
    null = f"({x} IS NULL OR {_among(x, NULLS)})"
    if kind == "bool":
        is_one, value = _among(x, ("true", "false")), f"CAST(lower({x}) = 'true' AS BIGINT)"
    elif kind == "int":
        is_one, value = _like(x, WHOLE), f"TRY_CAST({x} AS BIGINT)"
    else:
        is_one, value = _like(x, NUMBER), f"TRY_CAST({x} AS DOUBLE) + 0.0"
    value = f"CASE WHEN {is_one} THEN {value} END"
    endless = _endless(x) if kind == "float" else _NOTHING
    mistyped = f"(NOT {null} AND NOT {is_one} AND NOT {endless})"
    cell = Cell(kind, value, "", null, mistyped=mistyped, formula=f"({mistyped} AND {formula})", shown=x)
    if kind != "float":
        return replace(cell, key=f"coalesce(CAST({value} AS VARCHAR), {x})")
    is_nan = f"({endless} AND contains(lower({x}), 'nan'))"
    infinite = f"(({endless} AND NOT contains(lower({x}), 'nan')) OR coalesce(isinf({value}), false))"
    finite = f"CASE WHEN isfinite({value}) THEN {value} END"
    return replace(cell, value=finite, key=f"coalesce(CAST({finite} AS VARCHAR), {x})", nan=is_nan, infinite=infinite)


def _like(x: str, pattern: "re.Pattern[str]") -> str:
    return f"regexp_full_match({x}, {text(pattern.pattern)})"


def _among(x: str, words: Iterable[str]) -> str:
    return f"lower({x}) IN ({', '.join(text(word) for word in sorted(words))})"


def _endless(x: str) -> str:
    return f"ltrim(lower({x}), '+-') IN ({', '.join(text(word) for word in sorted(ENDLESS))})"
