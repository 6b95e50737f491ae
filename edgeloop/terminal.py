"""The two streams of a command: the result on stdout, everything else on stderr."""

import json
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import typer

from edgeloop.errors import EXIT_INPUT, EdgeloopError, from_os_error
from edgeloop.privacy import opt_out

WIDTH = 160
"""Of a table that nobody's terminal limits."""
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""Of all that is wrong with the words of a command line; typer exports the subclass only."""


@contextmanager
def exiting(*, debug: bool = False) -> Iterator[None]:
    """The edge of a command: an error of ours is one line on stderr and its exit code; no usage is reported.

    Args:
        debug: Show the traceback as well.
    """
    opt_out()
    try:
        yield
    except OSError as error:
        _exit(from_os_error(error, error.filename or "this command"), debug=debug)
    except EdgeloopError as error:
        _exit(error, debug=debug)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def run_app(app: typer.Typer) -> NoReturn:
    """The whole of a program: words that it does not know are one line on stderr too, and exit code 2."""
    try:
        code = app(standalone_mode=False)
    except EdgeloopError as error:  # before a command began
        _exit(error, debug=False)
    except _UsageError as error:
        _say_usage(error)
        sys.exit(EXIT_INPUT)
    except typer.Abort:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def _say_usage(error: Any) -> None:
    """What is wrong with the words, and where more is said; no words at all were answered with the help already."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return
    path = error.ctx.command_path if error.ctx else ""
    what = " ".join(error.format_message().split())
    print(f"error: {path}: {what.rstrip('.')}; see {path} --help", file=sys.stderr)


def _exit(error: EdgeloopError, *, debug: bool) -> NoReturn:
    if debug:
        traceback.print_exc()
    print(f"error: {error.line()}", file=sys.stderr)
    sys.exit(error.exit_code)


def print_json(value: Any) -> None:
    """The result of a command with `--json`."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The result of a command as a table that a person reads; numbers are already text with their unit.

    The title is a line of its own: in the table it would be broken at the table's width, a path in it as well.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="bold", expand=False)
    for index, column in enumerate(columns):
        table.add_column(escape(column), justify="left" if index == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(Text(title, style="bold"), soft_wrap=True)
    console.print(table)


def worded(value: Any, *, digits: int = 4) -> str:
    """A figure with so many digits, what has parts as its parts that are known, everything else as it is."""
    if isinstance(value, dict):
        known = {key: part for key, part in value.items() if part not in (None, "", [], {})}
        return ", ".join(f"{key} {worded(part, digits=digits)}" for key, part in known.items())
    if isinstance(value, list | tuple):
        return ", ".join(worded(part, digits=digits) for part in value)
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def print_pairs(pairs: Mapping[str, str]) -> None:
    """The result of a command as `key  value` lines."""
    width = max(map(len, pairs), default=0)
    for key, value in pairs.items():
        print(f"{key:<{width}}  {value}")
