"""What is looked at in a row of a table: what is wrong with its cells, and the cells themselves.

A row is JSON as the source `table` writes it, see `edgeloop.data.cells` for its cells. Each of its columns is a
feature: of whole numbers, numbers or text; true is 1 and false is 0; null where a cell is mistyped or no finite number.
A feature is called as its column is; where something else has that name already, `column_` stands before it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

from edgeloop.data.dataset import INDEX_COLUMNS
from edgeloop.data.features import Column, Value
from edgeloop.data.sources import RawSample
from edgeloop.errors import DataFault

COLUMNS = (
    Column("nulls", "int", "cells without a value"),
    Column("null_share", "float", "cells without a value / all cells"),
    Column("mistyped", "int", "cells with text in a column of numbers or truth values", compared=False),
    Column("nan_cells", "int", "cells with a number that is none (NaN)", compared=False),
    Column("infinite_cells", "int", "cells with an infinite number", compared=False),
    Column("formulas", "int", "cells that a spreadsheet would evaluate; here they are text", compared=False),
    Column("flaws", "text", "which cells are mistyped, NaN, infinite or formulas, and what they hold"),
)

DERIVED_NAMES = (
    "readable", "copies", "labels_of_bytes", "splits_of_bytes", "splits_of_group", "class_balance", "split_share",
    "copies_by_chance", "has_target", "target_missing", "target_values", "tells_target", "constant_columns",
)  # fmt: skip
"""What `edgeloop.data.frame` adds."""

_TAKEN = {*INDEX_COLUMNS, *DERIVED_NAMES, *(column.name for column in COLUMNS), "mode", "size_bytes"}
"""The last two mean something to the profile and to drift."""

FORMULA = re.compile(r"=\S|[@+-][A-Za-z]+[(|!]")
SHOWN_CHARACTERS = 40
SHOWN_FLAWS = 5


class Table:
    """See `edgeloop.data.features.Features`."""

    columns = COLUMNS

    def described(self, rows: Iterable[Mapping[str, Value]]) -> tuple[Column, ...]:
        """Behind `columns`, those of the table by name; one without any value is text."""
        kinds: dict[str, set[type]] = {}
        for row in rows:
            for name, value in row.items():
                kinds.setdefault(name, set()).add(type(value))
        own = {column.name for column in COLUMNS}
        return (*COLUMNS, *(_column(name, kinds[name]) for name in sorted(kinds.keys() - own)))

    def read(self, content: bytes, sample: RawSample) -> Mapping[str, Value]:
        """A value for every column.

        Raises:
            DataFault: It is no row as the source writes it.
        """
        row = row_of(content, where=sample.id)
        cells = {feature_name(name): _value(value) for name, value in row.items()}
        nulls = sum(value is None for value in row.values())
        marked = [value for value in row.values() if isinstance(value, dict)]
        numbers = [value["number"] for value in marked if "number" in value]
        return {
            "nulls": nulls,
            "null_share": nulls / len(row),
            "mistyped": len(marked) - len(numbers),
            "nan_cells": numbers.count("nan"),
            "infinite_cells": len(numbers) - numbers.count("nan"),
            "formulas": sum(is_formula(value) for value in row.values()),
            "flaws": flaws(row),
            **cells,
        }


def row_of(content: bytes, *, where: str) -> dict[str, Any]:
    """The cells of a row by column.

    Raises:
        DataFault: It is no row as the source writes it.
    """
    try:
        row = json.loads(content)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict) or not row or not all(map(_is_cell, row.values())):
        raise DataFault("is no row of a table", where=where, fix="run prepare_data again")
    return row


def _is_cell(value: Any) -> bool:
    if isinstance(value, dict):
        return len(value) == 1 and all(k in ("text", "number") and isinstance(v, str) for k, v in value.items())
    return not isinstance(value, list)


@cache
def feature_name(name: str) -> str:
    """What the feature of a column is called; no two columns share one."""
    told_apart = name
    while told_apart.startswith("column_"):
        told_apart = told_apart.removeprefix("column_")
    return f"column_{name}" if told_apart in _TAKEN else name


def is_formula(cell: Any) -> bool:
    """Whether a spreadsheet would evaluate a cell : it begins with `=`, or with `@`, `+` or `-` and a call."""
    text = cell.get("text") if isinstance(cell, dict) else cell
    return isinstance(text, str) and FORMULA.match(text) is not None


def flaws(row: Mapping[str, Any]) -> str | None:
    """What is wrong in which cells, such as `age: 12a`; None where nothing is."""
    found = [
        f"{name}: {(next(iter(cell.values())) if isinstance(cell, dict) else cell)[:SHOWN_CHARACTERS]}"
        for name, cell in row.items()
        if isinstance(cell, dict) or is_formula(cell)
    ]
    more = f" and {len(found) - SHOWN_FLAWS} more" if len(found) > SHOWN_FLAWS else ""
    return f"{', '.join(found[:SHOWN_FLAWS])}{more}" if found else None


def _value(cell: Any) -> Value:
    if isinstance(cell, dict):
        return None
    value: Value = int(cell) if isinstance(cell, bool) else cell
    return value


def _column(name: str, kinds: set[type]) -> Column:
    numbers: Literal["int", "float"] = "float" if float in kinds else "int"
    return Column(name, "text" if str in kinds or not kinds & {int, float} else numbers, f"the column {name}")


plugin = Table()
