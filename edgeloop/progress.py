"""Progress of long work, for whoever watches.

At a terminal it is a bar on stderr. Where `EDGELOOP_PROGRESS=lines` is set (a parent process watches) each change is
one line on stderr that begins with `MARK` and goes on as JSON: `step`, `done`, `total`, `text`. Elsewhere it is silent.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

VARIABLE = "EDGELOOP_PROGRESS"
MARK = "::progress "

Advance = Callable[[int, str], None]
"""Called with how many units were done since the last call, and a short text such as `val accuracy 0.97`."""


T = TypeVar("T")


def counted(items: Iterable[T], step: str) -> Iterator[T]:
    """The items, while `step` shows how many there are so far: nobody knows how many will come.

    It is shown after ten, and then whenever there are a twentieth more.
    """
    done, shown = 0, 0
    with progress(step, None) as advance:
        for done, item in enumerate(items, start=1):
            yield item
            if done >= shown + max(10, shown // 20):
                advance(done - shown, f"{done:,} found")
                shown = done


@contextmanager
def progress(step: str, total: int | None) -> Iterator[Advance]:
    """Shows `step` going through `total` units of work; None where nobody knows: then the total is what is done."""
    if os.environ.get(VARIABLE) == "lines":
        yield _lines(step, total)
    elif sys.stderr.isatty():
        with _bar(step, total) as advance:
            yield advance
    else:
        yield lambda _done, _text: None


@contextmanager
def share(advance: Advance, units: int) -> Iterator[Advance]:
    """A part of the work, of so many units: counts no more than those, and all of them once it has ended or failed."""
    left, said = units, ""

    def counted(done: int, text: str) -> None:
        nonlocal left, said
        done = min(done, left)
        left, said = left - done, text
        advance(done, text)

    try:
        yield counted
    finally:
        if left:
            advance(left, said)


def _lines(step: str, total: int | None) -> Advance:
    done, stream = 0, sys.stderr

    def advance(units: int, text: str) -> None:
        nonlocal done
        done += units
        change = {"step": step, "done": done, "total": done if total is None else total, "text": text}
        print(MARK + json.dumps(change), file=stream, flush=True)

    return advance


@contextmanager
def _bar(step: str, total: int | None) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[text]}"),
    )  # fmt: skip
    # the stream of now: a library may be kept quiet meanwhile (`edgeloop.quieting`)
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bars:
        task = bars.add_task(step, total=total, text="")
        yield lambda units, text: bars.update(task, advance=units, text=text)
