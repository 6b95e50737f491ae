"""What a page is built of: frozen values that the template lays out. All text in them is plain text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from edgeloop.report.drawings.svg import Element
from edgeloop.report.numerals import NONE, SPACE, drop, percent, significant, size
from edgeloop.variants import Check

LONGEST_PIECE = 32
"""Characters of a name that may stand on one line without a break."""

GLYPHS = {
    "pass": "✓",
    "done": "✓",
    "fail": "✕",
    "stopped": "✕",
    "rejected": "✕",
    "invalid": "!",
    "not evaluated": "○",
    "not run": "○",
    "could not check": "?",
    "winner": "★",
}
"""Beside the word, so that nothing hangs on colour."""


@dataclass(frozen=True)
class Cell:
    """One cell of a table: a text, a second line in small, and what its colour says."""

    text: str
    note: str = ""
    mark: str = ""
    title: str = ""

    @property
    def pieces(self) -> tuple[str, ...]:
        """The text in pieces between which a line may break; a candidate breaks before its target only."""
        variant, at, target = self.text.partition("@")
        short = at and max(len(variant), len(target)) <= LONGEST_PIECE
        return (variant + at, target) if short else (self.text,)


@dataclass(frozen=True)
class Column:
    """Head of a column."""

    label: str
    note: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class Row:
    """One row; `mark` makes the whole of it stand out."""

    cells: tuple[Cell, ...]
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under heads; the first column names the row."""

    kind: ClassVar[str] = "table"
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""


@dataclass(frozen=True)
class Fact:
    """A name and a value."""

    label: str
    value: str
    note: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Facts:
    """Names and values in columns."""

    kind: ClassVar[str] = "facts"
    facts: tuple[Fact, ...]
    title: str = ""


@dataclass(frozen=True)
class Figure:
    """A picture and what to look at in it."""

    kind: ClassVar[str] = "figure"
    picture: Element
    title: str
    note: str = ""


@dataclass(frozen=True)
class Notice:
    """A sentence that must not be overlooked."""

    kind: ClassVar[str] = "notice"
    text: str
    mark: str = "open"


@dataclass(frozen=True)
class Paragraph:
    """Plain text."""

    kind: ClassVar[str] = "paragraph"
    text: str


@dataclass(frozen=True)
class Items:
    """A short list."""

    kind: ClassVar[str] = "items"
    title: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """Lines to copy."""

    kind: ClassVar[str] = "code"
    text: str
    title: str = ""


@dataclass(frozen=True)
class Node:
    """One node of a tree: a name, a value, a digest in full, and what it is made of."""

    label: str
    value: str = ""
    digest: str = ""
    children: tuple["Node", ...] = ()


@dataclass(frozen=True)
class Tree:
    """What is made of what."""

    kind: ClassVar[str] = "tree"
    root: Node


@dataclass(frozen=True)
class Side:
    """Blocks side by side where there is room."""

    kind: ClassVar[str] = "side"
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True)
class Fold:
    """Blocks behind a line that opens them."""

    kind: ClassVar[str] = "fold"
    summary: str
    blocks: "tuple[Block, ...]"


Block = Table | Facts | Figure | Notice | Paragraph | Items | Code | Tree | Side | Fold


@dataclass(frozen=True)
class Section:
    """One section of the page."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]


def status_cell(status: str, *, note: str = "") -> Cell:
    """A status as glyph, word and colour."""
    return Cell(f"{GLYPHS.get(status, '·')}{SPACE}{status}", note=note, mark=f"status {status.replace(' ', '-')}")


def check_facts(checks: Sequence[Check]) -> tuple[Fact, ...]:
    """One fact a judgement: the status, and what was compared."""
    return tuple(_check_fact(check) for check in checks)


def _check_fact(check: Check) -> Fact:
    side = "≥" if check.name.startswith("min_") else "≤"
    compared = ""
    if check.value is not None and check.limit is not None:
        compared = f"{check_number(check, check.value)}, limit {side}{SPACE}{check_number(check, check.limit)}"
    note = "; ".join(filter(None, (compared, check.reason)))
    status = status_cell(check.status)
    return Fact(f"gate {check.name}", status.text, note=note, mark=status.mark)


def side(blocks: Iterable["Block | None"]) -> "tuple[Block, ...]":
    """Those blocks that there are, side by side when there are several."""
    present = tuple(block for block in blocks if block is not None)
    return (Side(present),) if len(present) > 1 else present


def absent(anchor: str, title: str, reason: str) -> Section:
    """A section that has nothing to show."""
    text = "Not run." if reason == "not run" else f"Cannot be shown: {reason}"
    return Section(anchor, title, (Notice(text),))


def checks_table(title: str, checks: Sequence[tuple[str, Check]], *, subject: str) -> Table | None:
    """Judgements with value and limit, None where there is none.

    Args:
        title: Of the table.
        checks: What was judged, and the judgement.
        subject: Head of the first column.
    """
    if not checks:
        return None
    heads = (subject, "check", "status", "value", "limit", "reason")
    columns = tuple(Column(head, numeric=head in ("value", "limit")) for head in heads)
    rows = tuple(
        Row(
            (
                Cell(name, mark="name"),
                Cell(check.name),
                status_cell(check.status),
                Cell(check_number(check, check.value)),
                Cell(check_number(check, check.limit)),
                Cell(check.reason or NONE, mark="reason"),
            )
        )
        for name, check in checks
    )
    return Table(title, columns, rows)


def check_number(check: Check, value: float | None) -> str:
    """The value or the limit of a check, in the unit that the check's name tells."""
    if value is None:
        return NONE
    name = check.name
    if "bytes" in name:
        return size(value)
    if "drop" in name:
        return drop(value)
    if "ratio" in name:
        return f"{significant(value)}{SPACE}×"
    if name.endswith("_ms") or "latency" in name:
        return f"{significant(value)}{SPACE}ms"
    if any(word in name for word in ("accuracy", "agreement", "min_metric", "min_by", "min_class")):
        return percent(value)
    return significant(value)
