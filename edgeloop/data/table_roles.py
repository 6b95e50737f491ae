"""Which column of a table has which role: what the user names, else the column of the usual name."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Literal

from pydantic import Field, model_validator

from edgeloop.contract import Contract
from edgeloop.data.table_rows import Encoding, Layout
from edgeloop.errors import DataFault

USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "target": ("label", "target", "class"),
    "id": ("id",),
    "group": ("group",),
    "time": ("timestamp", "datetime", "date"),
    "split": ("split",),
}
"""In any case; the first that is there has the role."""


class TableOptions(Contract):
    """What the columns mean, and how files are read."""

    target: str | None = Field(default=None, description='what is learned; null: label, target or class; "": none')
    target_is: Literal["class", "quantity"] | None = Field(
        default=None, description="null: text and up to 100 whole numbers are classes, other numbers a quantity"
    )
    id: str | None = Field(default=None, description='a name for each row; null: id; "" or not there: file and row')
    group: str | None = Field(default=None, description='rows that a split must not part; null: group; "": none')
    time: str | None = Field(default=None, description='null: timestamp, datetime or date; "": none')
    split: str | None = Field(default=None, description='train, val or test; null: split; "": none')
    drop: tuple[str, ...] = Field(default=(), description="columns that are left out")
    encoding: Encoding = Field(default="utf-8", description="of CSV files")
    separator: str | None = Field(default=None, min_length=1, max_length=1, description="of CSV files; null: guessed")
    header: bool | None = Field(default=None, description="false: CSV files have no names: column_1, column_2, …")

    @model_validator(mode="after")
    def _apart(self) -> "TableOptions":
        used = [*self.drop, *filter(None, (self.target, self.id, self.group, self.time, self.split))]
        if twice := sorted({name for name in used if used.count(name) > 1}):
            raise ValueError(f"the column {twice[0]!r} is named twice")
        return self

    @property
    def layout(self) -> Layout:
        """How files are read."""
        return Layout(encoding=self.encoding, separator=self.separator, header=self.header, drop=self.drop)


def role_column(role: str, options: TableOptions, names: Sequence[str]) -> str | None:
    """The column that has a role, or None."""
    named: str | None = getattr(options, role)
    if named is not None:
        return named or None
    taken = {options.target, options.id, options.group, options.time, options.split, *options.drop}
    free = {name.lower(): name for name in reversed(names) if name not in taken}
    return next((free[usual] for usual in USUAL_NAMES[role] if usual in free), None)


def refuse_unknown(options: TableOptions, names: Sequence[str], where: str) -> None:
    """Raises `DataFault`, which names the nearest right one, where a column has a role and is not there."""
    for name in filter(None, (options.target, options.id, options.group, options.time, options.split)):
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(names[:20])}"
            raise DataFault(f"has no column {name!r}", where=where, fix=hint)
