"""A step does not outlive the engine that started it.

Whoever kills a run has nothing running on that writes later, and the next run begins alone. `EDGELOOP_ENGINE_PID`
names the engine's process; a step that is started by nobody, or by a cluster, has none.
"""

import os
import select
import signal
import threading

ENGINE_PID_VARIABLE = "EDGELOOP_ENGINE_PID"


def end_with_engine() -> None:
    """Has this process killed as soon as the engine's process is gone, if there is one to watch.

    A thread sleeps on the engine's pidfd, which also tells of an engine that nobody has waited for yet. Linux 5.3 or
    newer; elsewhere a step may outlive its engine.
    """
    engine = os.environ.get(ENGINE_PID_VARIABLE)
    if not engine or not hasattr(os, "pidfd_open"):
        return
    try:
        gone = os.pidfd_open(int(engine))
    except ProcessLookupError:
        _end()
    threading.Thread(target=_end_when, args=(gone,), name="end with engine", daemon=True).start()


def _end_when(gone: int) -> None:
    select.select([gone], [], [])
    _end()


def _end() -> None:
    """Not a clean end: what is half written must stay out of the way, as after any kill."""
    os.kill(os.getpid(), signal.SIGKILL)
