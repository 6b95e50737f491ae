"""What the cells of a table are: numbers, truth values or text, decided for a column from all of its cells.

A column whose given cells are numbers, but for at most one in ten, holds numbers, and the others are *mistyped*: a
typing error makes no text of a million numbers. Text stays text, as it stands: dates, formulas, codes with leading
zeros, numbers of more than 18 digits. In CSV an empty cell is null; among numbers and truth values so are NA, N/A,
null, none, `?` and `-`, which in a column of text are words like any other.

As a JSON value a cell is null, true or false, a number, or text. Two things that JSON has no word for are an object of
one key: `{"text": "12a"}` for a mistyped cell, and `{"number": "nan"}`, `inf` or `-inf` for a number that is none.
"""

import math
import re
from collections import Counter
from typing import Literal

Kind = Literal["int", "float", "bool", "text"]
Cell = str | int | float | bool | None
"""As a reader gives it: text of a CSV file, or a value of a Parquet file."""

JsonCell = str | int | float | bool | None | dict[str, str]

MISTYPED_SHARE = 0.1
INT_LIMIT = 1 << 63

NULLS = {"", "na", "n/a", "#n/a", "null", "none", "?", "-"}
ENDLESS = {"nan", "inf", "infinity"}
_TRUTH = {"true": True, "false": False}
WHOLE = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,17})")
NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9][0-9]{0,17})(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
CODE = re.compile(r"[+-]?[0-9]+")


def shape_of(text: str) -> str:
    """What a cell of a CSV file looks like: `null`, `unsaid`, `int`, `float`, `bool`, `code` or `text`.

    `unsaid` is null among numbers and a word among words; a `code` is written in digits and is no number to count with.
    """
    if not text:
        return "null"
    if WHOLE.fullmatch(text):
        return "int"
    if NUMBER.fullmatch(text):
        return "float"
    if CODE.fullmatch(text):
        return "code"
    lower = text.lower()
    if lower in NULLS:
        return "unsaid"
    if lower.lstrip("+-") in ENDLESS:
        return "float"
    return "bool" if lower in _TRUTH else "text"


def kind_of(shapes: Counter[str]) -> Kind:
    """What a column holds, from how many of its cells look like what."""
    said = shapes.total() - shapes["null"] - shapes["unsaid"]
    numbers = shapes["int"] + shapes["float"]
    if numbers and not shapes["code"] and numbers >= (1 - MISTYPED_SHARE) * said:
        return "float" if shapes["float"] else "int"
    return "bool" if said and shapes["bool"] == said else "text"


def json_cell(cell: Cell, kind: Kind) -> JsonCell:
    """A cell as a JSON value of its column's kind, see this module's rules."""
    if cell is None:
        return None
    if kind == "text":
        return _text(cell) or None
    if isinstance(cell, str):
        if kind == "float" and NUMBER.fullmatch(cell):
            return _float(float(cell))
        if cell.lower() in NULLS:
            return None
    value = _TRUTH.get(cell.lower()) if isinstance(cell, str) else cell
    if kind == "bool":
        return value if isinstance(value, bool) else {"text": _text(cell)}
    number = _number(cell)
    if number is None or (isinstance(number, int) and abs(number) >= INT_LIMIT):
        return {"text": _text(cell)}
    if kind == "float":
        return _float(float(number))
    return number if isinstance(number, int) else {"text": _text(cell)}


def _float(number: float) -> JsonCell:
    return number + 0.0 if math.isfinite(number) else {"number": str(number)}  # minus zero plus zero is zero


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else str(cell).lower() if isinstance(cell, bool) else str(cell)


def _number(cell: Cell) -> int | float | None:
    if isinstance(cell, str):
        shape = shape_of(cell)
        return int(cell) if shape == "int" else float(cell) if shape == "float" else None
    return None if isinstance(cell, bool) else cell
