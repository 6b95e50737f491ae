"""Rows of a table as people read them on a page: a few rows, the columns with something wrong first."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgeloop.data.dataset import Dataset, Sample
from edgeloop.data.features.table import is_formula, row_of
from edgeloop.errors import DataFault

MAX_COLUMNS = 8
_CHARACTERS = 40


@dataclass(frozen=True)
class ListedCell:
    """What is written in a cell, and whether something is wrong with it."""

    text: str
    odd: bool = False


@dataclass(frozen=True)
class ListedRow:
    """One row; `error` says why it has no cells."""

    id: str
    target: str
    split: str
    cells: tuple[ListedCell, ...]
    error: str = ""


@dataclass(frozen=True)
class Listing:
    """Some rows of a table, with at most MAX_COLUMNS of its columns and the number of those that are left out."""

    columns: tuple[str, ...]
    rows: tuple[ListedRow, ...]
    more_columns: int

    def __len__(self) -> int:
        return len(self.rows)


def listing(dataset: Dataset, samples: Sequence[Sample]) -> Listing:
    """Those samples of a table."""
    read = [(sample, *_read(dataset, sample)) for sample in samples]
    odd = {name for _, row, _ in read for name, cell in row.items() if _is_odd(cell)}
    names = sorted({name for _, row, _ in read for name in row}, key=lambda name: (name not in odd, name))
    columns = tuple(names[:MAX_COLUMNS])
    rows = tuple(
        ListedRow(
            id=sample.id,
            target=_target(sample),
            split=sample.split,
            cells=tuple(_cell(row.get(name)) for name in columns) if row else (),
            error=error,
        )
        for sample, row, error in read
    )
    return Listing(columns, rows, more_columns=len(names) - len(columns))


def _read(dataset: Dataset, sample: Sample) -> tuple[Mapping[str, Any], str]:
    """The cells of a row, or why there are none."""
    if sample.error is not None:
        return {}, sample.error
    try:
        return row_of(dataset.content(sample), where=sample.id), ""
    except DataFault as fault:
        return {}, fault.what


def _target(sample: Sample) -> str:
    if sample.label is not None:
        return sample.label
    return str(json.loads(sample.metadata or "{}").get("target", ""))


def _is_odd(cell: Any) -> bool:
    return isinstance(cell, dict) or is_formula(cell)


def _cell(cell: Any) -> ListedCell:
    if cell is None:
        return ListedCell("–")
    value = next(iter(cell.values())) if isinstance(cell, dict) else cell
    text = value if isinstance(value, str) else json.dumps(value)
    return ListedCell(shortened(text), odd=_is_odd(cell))


def shortened(text: str) -> str:
    """So much of a text as a cell has room for."""
    return text if len(text) <= _CHARACTERS else f"{text[: _CHARACTERS - 1]}…"
