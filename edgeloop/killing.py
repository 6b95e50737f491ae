"""Ends this process at one of its renames: the fault hook of the tests of what a kill leaves behind.

`EDGELOOP_KILL_AT_RENAME=N` is right before the N-th rename of any process, counted from 1, and `N+` right after it.
`train:N` means the process of the step train alone, and `:N` one that is no step's, such as the engine's.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

KILL_VARIABLE = "EDGELOOP_KILL_AT_RENAME"

_step = ""
_renames = 0


def belong_to(step: str) -> None:
    """Says that this process runs a step, until it ends."""
    global _step
    _step = step


@contextmanager
def rename_point() -> Iterator[None]:
    """One rename."""
    global _renames
    _renames += 1
    _end_at(f"{_renames}")
    yield
    _end_at(f"{_renames}+")


def _end_at(moment: str) -> None:
    if os.environ.get(KILL_VARIABLE) in (moment, f"{_step}:{moment}"):
        os.kill(os.getpid(), signal.SIGKILL)
