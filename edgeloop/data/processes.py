"""Work on every core, in processes of its own, whose results come in the order of what was asked.

Threads would wait for the interpreter. A process begins anew, so that it has none of this one's threads and locks; it
ends with this one, whatever ends that, and computes on one core.
"""

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context, resource_tracker
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from edgeloop.orphans import ENGINE_PID_VARIABLE, end_with_engine

Piece = TypeVar("Piece")
Result = TypeVar("Result")

_WORTHWHILE_S = 1.0
"""Less work than that is done before a second process has imported its libraries."""

_SHARE_OF_CPU = Path("/sys/fs/cgroup/cpu.max")


class ProcessDied(Exception):
    """A process ended by itself, such as for want of memory.

    Args:
        unanswered: The pieces that were asked and not answered, in their order.
    """

    def __init__(self, unanswered: Sequence[Any]) -> None:
        super().__init__(f"{len(unanswered)} pieces were not answered")
        self.unanswered = unanswered


def paying(work_s: float) -> int:
    """How many processes pay for their start with that much work: at most one a core, and never two for little."""
    return max(1, min(available_cores(), int(work_s / _WORTHWHILE_S)))


def available_cores() -> int:
    """The cores that this process may use: those it is bound to, or fewer where its container has a smaller share."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = _SHARE_OF_CPU.read_text(encoding="ascii").split()
        return max(1, min(bound, int(quota) // int(period)))
    except (OSError, ValueError):  # no control groups, or "max": no limit
        return bound


def in_processes(work: Callable[[Piece], Result], pieces: Iterator[Piece], *, processes: int) -> Iterator[Result]:
    """What `work` returns for every piece, in their order; at most one piece waits for each process.

    Args:
        work: That can be pickled, as the pieces and results can.
        pieces: Taken as they are needed.
        processes: How many.

    Raises:
        ProcessDied: One did.
    """
    context = get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(os.getpid(),))
    waiting: deque[tuple[Piece, Future[Result]]] = deque()

    def ask(count: int) -> None:
        with _startable():
            waiting.extend((piece, pool.submit(work, piece)) for piece in islice(pieces, count))

    try:
        ask(2 * processes)
        while waiting:
            yield waiting[0][1].result()
            waiting.popleft()
            ask(1)
    except BrokenProcessPool as error:
        raise ProcessDied([piece for piece, _ in waiting]) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(parent: int) -> None:
    """Begins a process: it ends with its parent, whatever ends that, and computes on one core."""
    os.environ[ENGINE_PID_VARIABLE] = str(parent)
    end_with_engine()
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"


@contextmanager
def _startable() -> Iterator[None]:
    """While processes start, they neither hear Ctrl-C, which is the parent's to answer, nor run its script again.

    A script without the guard `if __name__ == "__main__"` would start itself in each of them.
    """
    main = sys.modules["__main__"]
    resource_tracker.ensure_running()  # would be started with the first process, and lets Ctrl-C through again
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # is inherited, and never lifted there
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
