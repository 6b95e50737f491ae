"""Faults of rows of a table, in a CSV file of an id, a label and columns that do not tell the label for certain."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faults.matrix import Clean, Fault

ROWS = 120
FILE = "a.csv"

Cells = dict[str, Any]


def clean_rows() -> list[Cells]:
    """Two classes that no column tells apart for certain."""
    random = np.random.default_rng(0)
    return [
        {
            "id": f"r{number:03d}",
            "label": "ab"[number % 2],
            "width": f"{random.normal(number % 2, 1):.4f}",
            "height": f"{random.normal(5, 1):.4f}",
            "count": str(random.integers(100)),
            "colour": str(random.choice(["red", "green", "blue"])),
        }
        for number in range(ROWS)
    ]


def write(rows: list[Cells], path: Path) -> Path:
    """Writes a table with the columns of its last row; what a row lacks is a cell less."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(rows[-1])
    lines = [",".join(str(row[name]) for name in names if name in row) for row in rows]
    path.write_text("\n".join([",".join(names), *lines]) + "\n")
    return path


def write_clean(root: Path) -> Path:
    """The clean table."""
    return write(clean_rows(), root / FILE).parent


def write_split(root: Path) -> Path:
    """The clean table with a split and a group for every row."""
    return write(_with_splits(clean_rows()), root / FILE).parent


def _with_splits(rows: list[Cells]) -> list[Cells]:
    splits = ("train", "train", "val", "test")
    return [row | {"split": splits[n // 2 % 4], "group": f"g{n}"} for n, row in enumerate(rows)]


TABLE = Clean("table: CSV", "table", write_clean)
SPLIT_TABLE = Clean("table: CSV with splits and groups", "table", write_split)


def _changed(change: Callable[[list[Cells]], object], rows: Callable[[], list[Cells]] = clean_rows) -> Any:
    """A plant that writes the table anew, after a change of its rows."""

    def plant(root: Path) -> None:
        table = rows()
        change(table)
        write(table, root / FILE)

    return plant


def _cell(name: str, text: str) -> Any:
    return _changed(lambda rows: rows[7].update({name: text}))


def _of_row(name: str, plant: Any, column: str, severity: str, *, sample_id: str = "r007") -> Fault:
    return Fault(name, TABLE, frozenset({sample_id}), ((column, severity),), plant)


def _twice(rows: list[Cells]) -> None:
    rows[22] = rows[20] | {"id": "r022"}


def _two_labels(rows: list[Cells]) -> None:
    rows[22] = rows[20] | {"id": "r022", "label": "b"}


def _two_splits(rows: list[Cells]) -> None:
    rows[4] = rows[0] | {"id": "r004", "split": "val", "group": "g4"}


def _torn_group(rows: list[Cells]) -> None:
    rows[0]["group"] = rows[4]["group"] = "torn"


def _few_of_b(rows: list[Cells]) -> None:
    for number, row in enumerate(rows):
        row["label"] = "a" if number % 12 else "b"


def _one_class(rows: list[Cells]) -> None:
    for row in rows:
        row["label"] = "a"


def _code_of_label(rows: list[Cells]) -> None:
    for row in rows:
        row["diagnosis_code"] = {"a": "E11", "b": "I10"}[row["label"]]


def _split_all_a(rows: list[Cells]) -> None:
    for row in rows:
        row["split"] = "train" if row["label"] == "a" else row["split"]


def _constant(rows: list[Cells]) -> None:
    for row in rows:
        row["colour"] = "red"


def _split_rows() -> list[Cells]:
    return _with_splits(clean_rows())


_GIVEN = {"split_by": "given"}
_CRITICAL, _WARNING, _INFO = "critical", "warning", "info"
_COPIES = ("copies", _WARNING)
_ALL = frozenset(row["id"] for row in clean_rows())

FAULTS = (
    _of_row(
        "a cell too few",
        _changed(lambda rows: rows[7].pop("colour")),
        "readable",
        _CRITICAL,
        sample_id=f"{FILE}:0000008",  # a row that cannot be cut into cells has no id but its place
    ),
    _of_row("no target", _cell("label", ""), "target_missing", _CRITICAL),
    _of_row("a word among numbers", _cell("count", "many"), "mistyped", _CRITICAL),
    _of_row("an infinite number", _cell("width", "inf"), "infinite_cells", _CRITICAL),
    _of_row("NaN", _cell("width", "nan"), "nan_cells", _WARNING),
    _of_row("a formula", _cell("colour", "=1+1"), "formulas", _WARNING),
    _of_row(
        "a row of nothing",
        _changed(lambda rows: rows[7].update(width="", height="", count="")),
        "null_share",
        _WARNING,
    ),
    Fault("duplicates", TABLE, frozenset({"r020", "r022"}), (_COPIES,), _changed(_twice)),
    Fault(
        "one row under two labels",
        SPLIT_TABLE,
        frozenset({"r020", "r022"}),
        (("labels_of_bytes", _CRITICAL), ("labels_of_bytes", _INFO), _COPIES),
        _changed(_two_labels, _split_rows),
        prepare=_GIVEN,
    ),
    Fault(
        "equal rows across splits",
        SPLIT_TABLE,
        frozenset({"r000", "r004"}),
        (("splits_of_bytes", _CRITICAL), _COPIES),
        _changed(_two_splits, _split_rows),
        prepare=_GIVEN,
    ),
    Fault(
        "group leakage",
        SPLIT_TABLE,
        frozenset({"r000", "r004"}),
        (("splits_of_group", _CRITICAL),),
        _changed(_torn_group, _split_rows),
        prepare=_GIVEN,
    ),
    Fault(
        "class balance",
        TABLE,
        frozenset(f"r{number:03d}" for number in range(0, ROWS, 12)),
        (("class_balance", _WARNING),),
        _changed(_few_of_b),
    ),
    Fault("one class", TABLE, _ALL, (("target_values", _CRITICAL),), _changed(_one_class)),
    Fault(
        "split shares: a class all in train",
        SPLIT_TABLE,
        frozenset(row["id"] for row in clean_rows() if row["label"] == "a"),
        (("split_share", _INFO),),
        _changed(_split_all_a, _split_rows),
        prepare=_GIVEN,
    ),
    Fault(
        "target leakage: a column that tells the label",
        TABLE,
        frozenset({"diagnosis_code"}),
        (("tells_target", _WARNING),),
        _changed(_code_of_label),
    ),
    Fault("a column of one value", TABLE, frozenset({"colour"}), (("constant_columns", _INFO),), _changed(_constant)),
)
