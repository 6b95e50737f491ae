"""One run at a time in a project, whichever engine runs it: two of them would write to the same folders."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeloop.errors import EnvironmentFault, translated

ARTIFACTS = Path("artifacts")


@contextmanager
def alone(folder: Path = ARTIFACTS) -> Iterator[None]:
    """Holds the project for one run; the lock goes with the process, however it ends.

    Raises:
        EnvironmentFault: Another run holds it.
        NotWritable, DiskFull: The folder cannot be written.
    """
    with translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w", encoding="utf-8")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EnvironmentFault(
                "another run is under way in this project", where=str(folder), fix="wait for it, or run elsewhere"
            ) from error
        yield
