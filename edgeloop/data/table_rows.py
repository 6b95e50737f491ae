"""What is read of a file row by row, how, and why it cannot be.

An unnamed first column holds row names, as pandas and R write them: it is left out. Another column without a name is
called after its place, such as `column_3`.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from edgeloop.data.cells import Cell

Encoding = Literal["utf-8", "utf-16", "latin-1", "cp1252"]

MAX_COLUMNS = 1_000
MAX_ROW_CHARACTERS = 1 << 20

_REASON_LENGTH = 160


class Unreadable(Exception):
    """Why a file cannot be used, or not further, without its path."""


@dataclass(frozen=True)
class Layout:
    """How files are read.

    Args:
        encoding: Of CSV files.
        separator: Of CSV files; None to guess it.
        header: Whether CSV files begin with names; None: they do, and a first line of numbers is refused.
        drop: Columns that are not read, so may be of any type.
    """

    encoding: Encoding = "utf-8"
    separator: str | None = None
    header: bool | None = None
    drop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One row of a file.

    Args:
        number: From 1, in the file.
        cells: One for each column; or none where `error` says why.
        error: Why it cannot be used, or None.
    """

    number: int
    cells: Sequence[Cell]
    error: str | None = None


@dataclass(frozen=True)
class Table:
    """An opened file.

    Args:
        names: Of its columns, each once.
        rows: Once through.
        shapes: What the cells of a column look like (`edgeloop.data.cells.shape_of`) where its type says so for all of
            them; None in a CSV file.
    """

    names: tuple[str, ...]
    rows: Iterator[Row]
    shapes: Callable[[int], str] | None = None


@contextmanager
def translated() -> Iterator[None]:
    """What readers raise, as the reason why a file cannot be used."""
    import pyarrow as pa

    try:
        yield
    except UnicodeError as error:
        raise Unreadable("is not text of that encoding; say which it is, such as -o encoding=latin-1") from error
    except csv.Error as error:
        raise Unreadable(f"is no CSV table ({shortened(str(error))})") from error
    except MemoryError as error:
        raise Unreadable("needs more memory than there is") from error
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        known = error.strerror if isinstance(error, OSError) else None
        raise Unreadable(f"cannot be read ({shortened(known or str(error) or type(error).__name__)})") from error


def shortened(text: str) -> str:
    """One line of at most _REASON_LENGTH characters."""
    line = " ".join(text.split())
    return line if len(line) <= _REASON_LENGTH else f"{line[: _REASON_LENGTH - 1]}…"


def named(head: Sequence[str]) -> tuple[list[str], bool]:
    """The names of the columns, and whether the first one is left out because it holds row names.

    Raises:
        Unreadable: There is none, there are too many, or two of one name.
    """
    dropped = len(head) > 1 and not head[0]
    names = [name or f"column_{place}" for place, name in enumerate(head, start=1)][1 if dropped else 0 :]
    if len(names) > MAX_COLUMNS:
        raise Unreadable(f"has {len(names):,} columns, more than {MAX_COLUMNS:,}")
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise Unreadable(f"has two columns {shortened(repr(twice[0]))}")
    if not names:
        raise Unreadable("has no column")
    return names, dropped
