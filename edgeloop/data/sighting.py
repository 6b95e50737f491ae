"""Whether a CSV or Parquet file holds signals or a table, told from its columns and its first rows.

    a clock: a column of times that go on in equal steps                  signals
    no clock, and a column called as a label is, or one with text          table
    numbers only                                                           signals

A clock is a column with a usual name, whose values rise, nine steps in ten of them by about the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise
from pathlib import Path
from statistics import median

from edgeloop.data.cells import Cell, shape_of
from edgeloop.data.table_rows import Layout, Unreadable
from edgeloop.data.tables import opened

CLOCKS = {"t", "ts", "time", "timestamp", "datetime", "date", "seconds", "time_s", "time_ms", "time_us", "time_ns"}
LABELS = {"label", "target", "class"}

_ROWS = 200
_LEAST_ROWS = 8
_REGULAR = 0.9
_ABOUT = 0.2


@dataclass(frozen=True)
class Sighting:
    """What a file holds, `signals` or `table`, and what speaks for it."""

    source: str
    because: str


def sighted(path: Path, layout: Layout) -> Sighting:
    """What the file at `path` holds; one that cannot be read is taken for signals."""
    try:
        with opened(path, layout) as table:
            rows = [row.cells for row in islice(table.rows, _ROWS) if row.error is None]
            columns = dict(zip(table.names, zip(*rows, strict=True), strict=False)) if rows else {}
    except Unreadable:
        return Sighting("signals", f"a {path.suffix.lower()} file")
    clock = next((name for name, cells in columns.items() if is_clock(name, cells)), None)
    if clock is not None:
        return Sighting("signals", f"the column {clock!r} is a clock")
    label = next((name for name in columns if name.lower() in LABELS), None)
    if label is not None:
        return Sighting("table", f"no clock, and a column {label!r}")
    text = next((name for name, cells in columns.items() if _is_text(cells)), None)
    if text is not None:
        return Sighting("table", f"no clock, and text in the column {text!r}")
    return Sighting(
        "signals",
        "numbers only and no label, so a row is taken for a reading" if columns else f"a {path.suffix.lower()} file",
    )


def is_clock(name: str, cells: Sequence[Cell]) -> bool:
    """Whether a column is the time stamps of readings that follow one another."""
    times = [moment for cell in cells if (moment := _moment(cell)) is not None]
    steps = [after - before for before, after in pairwise(times)]
    if name.lower() not in CLOCKS or len(times) < max(_LEAST_ROWS, _REGULAR * len(cells)):
        return False
    usual = median(steps)
    regular = sum(abs(step - usual) <= _ABOUT * usual for step in steps)
    return usual > 0 and regular >= _REGULAR * len(steps)


def _moment(cell: Cell) -> float | None:
    if isinstance(cell, bool) or cell is None:
        return None
    if not isinstance(cell, str):
        return float(cell)
    if shape_of(cell) in ("int", "float"):
        return float(cell)
    try:
        return datetime.fromisoformat(cell).timestamp()
    except (ValueError, OverflowError):
        return None


def _is_text(cells: Sequence[Cell]) -> bool:
    """Whether most of the cells that are given are words, and no times."""
    given = [cell for cell in cells if cell not in (None, "")]
    words = [cell for cell in given if isinstance(cell, str) and shape_of(cell) == "text" and _moment(cell) is None]
    return 2 * len(words) > len(given)
