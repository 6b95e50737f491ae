"""One run at a time in a project, whichever engine runs it: two of them would write to the same folders.

The same holds for a single step that writes elsewhere, and the folders that it writes into.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
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
        _lock(lock.fileno(), "another run is under way in this project", folder)
        yield


@contextmanager
def writing(outputs: Iterable[Path]) -> Iterator[None]:
    """Holds the places of a step's outputs: the project where they lie in its artifacts, else their folders.

    Raises:
        EnvironmentFault: Somebody else holds one of them.
        NotWritable, DiskFull: A folder cannot be made.
    """
    folders = {path.resolve().parent for path in outputs}
    outside = {folder for folder in folders if not folder.is_relative_to(ARTIFACTS.resolve())}
    with ExitStack() as held:
        if folders - outside:
            held.enter_context(alone())
        for folder in sorted(outside):
            held.enter_context(_alone_in(folder))
        yield


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Locks the folder itself: a file to lock would stay there for good."""
    with translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(handle, "another step is writing into this folder", folder)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, refusal: str, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise EnvironmentFault(refusal, where=str(folder), fix="wait for it, or write elsewhere") from error
