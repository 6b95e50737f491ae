"""What kfp.local prints, turned into a log file and a view of the run for people.

kfp.local and the processes of its tasks write everything to stdout. `Watcher` stands in for stdout: each line goes to
the log, and the few that mark progress move the view. stdout of the command itself stays free for its result.
"""

import io
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from edgeloop.progress import MARK
from pipelines.graph import step_name

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TASK = re.compile(r"Task '([^']+)' finished with status (\w+)|Executing task '([^']+)'")


class View(Protocol):
    """Somebody who is told how the run goes."""

    def started(self, step: str) -> None:
        """A step begins."""

    def advanced(self, step: str, done: int, total: int, text: str) -> None:
        """A step is under way."""

    def ended(self, step: str, *, succeeded: bool, seconds: float) -> None:
        """A step is over."""


class Watcher(io.TextIOBase):
    """A text stream that keeps a log and tells a view.

    Args:
        log: Where every line goes.
        view: Who is told.
        clock: Seconds, monotonic.
    """

    def __init__(self, log: TextIO, view: View, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._view, self._clock = log, view, clock
        self._pending = ""
        self._since: dict[str, float] = {}
        self.states: dict[str, str] = {}
        self.last_line = ""

    def write(self, text: str) -> int:
        """Takes text as it comes, acts on whole lines."""
        *lines, self._pending = (self._pending + text).split("\n")
        for line in lines:
            self._take(_COLOUR.sub("", line).rstrip())
        return len(text)

    def flush(self) -> None:
        """Hands the log to the disk's cache."""
        self._log.flush()

    def _take(self, line: str) -> None:
        if MARK in line:
            self._advance(line.split(MARK, 1)[1])
            return
        self._log.write(line + "\n")
        if line.strip():
            self.last_line = line.strip()
        if found := _TASK.search(line):
            ended, status, begun = found.groups()
            self._begin(step_name(begun)) if begun else self._end(step_name(ended), status)

    def _advance(self, text: str) -> None:
        try:
            change: dict[str, Any] = json.loads(text)
            self._view.advanced(change["step"], change["done"], change["total"], change["text"])
        except (ValueError, KeyError):  # two processes wrote into one line: the next mark comes soon
            self._log.write(text + "\n")

    def _begin(self, step: str) -> None:
        if not step.startswith("imported_"):
            self._since[step] = self._clock()
            self.states[step] = "running"
            self._view.started(step)

    def _end(self, step: str, status: str) -> None:
        if step in self._since:
            self.states[step] = status
            seconds = self._clock() - self._since[step]
            self._view.ended(step, succeeded=status == "SUCCESS", seconds=seconds)


@contextmanager
def view_of(steps: list[str], *, quiet: bool) -> Iterator[View]:
    """Bars at a terminal, a line a step elsewhere, nothing when `quiet`; always on stderr."""
    if quiet:
        yield Silent()
    elif sys.stderr.isatty():
        with _bars(steps) as view:
            yield view
    else:
        yield Lines(sys.stderr)


class Silent:
    """Says nothing."""

    def started(self, step: str) -> None:
        """See `View`."""

    def advanced(self, step: str, done: int, total: int, text: str) -> None:
        """See `View`."""

    def ended(self, step: str, *, succeeded: bool, seconds: float) -> None:
        """See `View`."""


@dataclass(frozen=True)
class Lines:
    """One line when a step is over, for logs and pipes."""

    stream: TextIO

    def started(self, step: str) -> None:
        """See `View`."""

    def advanced(self, step: str, done: int, total: int, text: str) -> None:
        """See `View`."""

    def ended(self, step: str, *, succeeded: bool, seconds: float) -> None:
        """See `View`."""
        print(f"{'done  ' if succeeded else 'FAILED'} {step:<14} {seconds:6.1f} s", file=self.stream, flush=True)


@contextmanager
def _bars(steps: list[str]) -> Iterator[View]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description:<14}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[text]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        yield _Bars(bars, {step: bars.add_task(step, start=False, total=1, text="") for step in steps})


@dataclass(frozen=True)
class _Bars:
    bars: Any
    rows: dict[str, Any]

    def started(self, step: str) -> None:
        self.bars.start_task(self.rows[step])
        self.bars.update(self.rows[step], total=None)

    def advanced(self, step: str, done: int, total: int, text: str) -> None:
        if step in self.rows:
            self.bars.update(self.rows[step], completed=done, total=total + 1, text=text)

    def ended(self, step: str, *, succeeded: bool, seconds: float) -> None:
        del seconds
        text = {} if succeeded else {"text": "[red]failed"}
        self.bars.update(self.rows[step], completed=1, total=1, **text)
        self.bars.stop_task(self.rows[step])
