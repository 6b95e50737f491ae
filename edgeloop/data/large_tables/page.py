"""The page that shows the validation of a table of any size: that of `edgeloop.data.page`, from what SQL tells.

Counts and statistics are of all rows. Distributions are drawn from rows that are as good as drawn by lot, the same
every time, and from the first rows at fault.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edgeloop.data.dataset import SPLITS, DatasetCard
from edgeloop.data.features import Column
from edgeloop.data.features.table import COLUMNS
from edgeloop.data.listing import MAX_COLUMNS, ListedCell, ListedRow, Listing, shortened
from edgeloop.data.page import Bar, faults_first, rendered
from edgeloop.data.spreads import MAX_MARKS, drawn, spreads_of
from edgeloop.data.statistics import ColumnStatistics, statistics_of
from edgeloop.data.statistics.table import Table, text
from edgeloop.data.verdict import Verdict

if TYPE_CHECKING:
    import pandas as pd

    from edgeloop.data.suite import Checked

DRAWN_ROWS = 20_000
_SHOWN_FAULTS = 12
_SHOWN_CLASSES = 20
_SHOWN_ROWS_OF_CLASS = 3
NO_SPLIT = "unsplit"
"""What the page calls rows of which the data says no split."""


@dataclass(frozen=True)
class _Described:
    """What the template reads of a profile."""

    features: tuple[ColumnStatistics, ...]
    modes: Mapping[str, int]


def page_of_large(
    table: Table, features: Sequence[Column], verdict: Verdict, checks: Sequence["Checked"], *, name: str
) -> str:
    """The page as HTML.

    Args:
        table: Its rows, see `edgeloop.data.large_tables.rows`.
        features: What is looked at in each.
        verdict: What was decided.
        checks: What the suite found, with the ids of the first rows at fault.
        name: Of the table.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    counts = _counts(table)
    splits = [split for split in (*SPLITS, NO_SPLIT) if counts[split]]
    classes = tuple(sorted(set().union(*counts.values()) - {""}))
    ordered = faults_first(verdict)
    shown = [(result, result.first_ids[:_SHOWN_FAULTS]) for result in ordered if result.first_ids]
    examples = _examples(table, classes[:_SHOWN_CLASSES])
    names = [column.name for column in features if column not in COLUMNS]
    rows = _rows(table, names, {i for ids in (*(ids for _, ids in shown), *examples.values()) for i in ids})
    of_rows, split = ("the training split", "train") if counts["train"] else ("all rows", None)
    numbers = [column.name for column in features if column.type != "text"]
    described = statistics_of(table.only("split", split) if split else table, columns=numbers)
    frame = _frame(table, [*numbers, "id", "label"], checks)
    return rendered(
        card=DatasetCard(
            source="table",
            kind="table",
            name=name,
            classes=classes,
            counts={split: counts[split].total() for split in splits},
            digests={},
            unreadable=int(table.fetch(table.selected("count(*)", f"AND NOT {_column(table, 'readable')}"))[0][0]),
        ),
        verdict=verdict,
        profile=_Described(described.columns, {}),
        statistics_of=of_rows,
        expectations=ordered,
        faults=[(result, _listing(names, ids, rows)) for result, ids in shown],
        classes=[(label, _listing(names, ids, rows)) for label, ids in examples.items()],
        bars=_bars(counts, splits),
        breakdowns=[],
        spreads=[(spread, drawn(spread)) for spread in spreads_of(frame, _among(checks, frame), {})],
        drawn_rows=len(frame) if len(frame) < verdict.samples else 0,
        meanings={column.name: column.says for column in features},
        splits=splits,
    )


def _column(table: Table, name: str) -> str:
    return f"c{table.position(name)}"


def _counts(table: Table) -> dict[str, Counter[str]]:
    """Split, then class, then rows; an empty text is no class."""
    split, label = (f"coalesce({_column(table, name)}, '')" for name in ("split", "label"))
    found: dict[str, Counter[str]] = {name: Counter() for name in (*SPLITS, NO_SPLIT)}
    for of_split, of_class, rows in table.fetch(table.selected(f"{split}, {label}, count(*)", "GROUP BY 1, 2")):
        found[of_split if of_split in SPLITS else NO_SPLIT][of_class] += rows
    return found


def _bars(counts: Mapping[str, Counter[str]], splits: Sequence[str]) -> list[Bar]:
    """One a class, in the order of their names; of very many the largest."""
    totals = sum((counts[split] for split in splits), Counter[str]())
    largest = max(totals.values(), default=1)
    return [
        Bar(
            label or "no class",
            totals[label],
            {s: (counts[s][label], 100 * counts[s][label] / largest) for s in splits},
        )
        for label in sorted(label for label, _ in totals.most_common(100))
    ]


def _examples(table: Table, classes: Sequence[str]) -> dict[str, list[str]]:
    """The first ids of each class."""
    if not classes:
        return {}
    label, named = _column(table, "label"), ", ".join(text(name) for name in classes)
    first = f"{label}, min({_column(table, 'id')}, {_SHOWN_ROWS_OF_CLASS})"
    return dict(sorted(table.fetch(table.selected(first, f"AND {label} IN ({named}) GROUP BY 1"))))


def _rows(table: Table, names: Sequence[str], ids: set[str]) -> dict[str, ListedRow]:
    """Those rows as they are listed, by id; what is wrong with the cells of one stands first."""
    if not ids:
        return {}
    asked = ["id", "label", "metadata", "split", "error", "flaws", *names[: MAX_COLUMNS - 1]]
    columns = ", ".join(_column(table, name) for name in asked)
    known = f"AND {_column(table, 'id')} IN ({', '.join(text(i) for i in sorted(ids))})"
    found = {}
    for row_id, label, metadata, split, error, flaws, *cells in table.fetch(table.selected(columns, known)):
        target = label or str(json.loads(metadata or "{}").get("target", ""))
        shown = (_cell(flaws, odd=bool(flaws)), *(_cell(cell) for cell in cells))
        found[row_id] = ListedRow(row_id, target, split or "–", () if error else shown, error or "")
    return found


def _cell(value: Any, *, odd: bool = False) -> ListedCell:
    if value is None:
        return ListedCell("–")
    return ListedCell(shortened(value if isinstance(value, str) else json.dumps(value, default=str)), odd)


def _listing(names: Sequence[str], ids: Sequence[str], rows: Mapping[str, ListedRow]) -> Listing:
    columns = ("flaws", *names[: MAX_COLUMNS - 1])
    return Listing(columns, tuple(rows[i] for i in ids if i in rows), max(0, len(names) - MAX_COLUMNS + 1))


def _frame(table: Table, names: Sequence[str], checks: Sequence["Checked"]) -> "pd.DataFrame":
    """The drawn rows, and of each expectation the first at fault."""
    import pandas as pd

    faulty = sorted({i for check in checks for i in check.failing_ids[:MAX_MARKS]})
    row_id = _column(table, "id")
    lot = table.fetch(table.selected(f"hash({row_id})", f"ORDER BY 1 LIMIT {DRAWN_ROWS}"))
    last = lot[-1][0] if lot else 0
    among = f" OR {row_id} IN ({', '.join(text(i) for i in faulty)})" if faulty else ""
    columns = ", ".join(f"{_column(table, name)} AS v{place}" for place, name in enumerate(names))
    arrays = table.fetch_arrays(table.selected(columns, f"AND (hash({row_id}) <= {last}{among})"))
    frame = pd.DataFrame({name: _plain(arrays[f"v{place}"]) for place, name in enumerate(names)})
    return frame.sort_values("id", ignore_index=True)


def _plain(column: Any) -> Any:
    """A masked array with its gaps as None or NaN."""
    if not hasattr(column, "filled"):
        return column
    return column.astype(float).filled(float("nan")) if column.dtype.kind in "iuf" else column.filled(None)


def _among(checks: Sequence["Checked"], frame: "pd.DataFrame") -> list["Checked"]:
    """The checks with those of their rows at fault that were taken."""
    taken = set(frame["id"])
    return [replace(check, failing_ids=tuple(i for i in check.failing_ids if i in taken)) for check in checks]
