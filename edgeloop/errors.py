"""Every error that edgeloop raises on purpose, as one tree.

An error says *what* happened, *where*, and *what to do*, on one line. Expected outcomes (a failed gate, a lost
device) are values; they become a `GateRefused` only at the edge of a step, where a pipeline has to stop.

    EdgeloopError                     exit code
    ├── GateRefused                   1   a limit of the user's said no; nothing is broken
    ├── InputFault                    2   something the user wrote or passed
    │   ├── ParamsFault                   params.yaml, an override, a scenario
    │   ├── DataFault                     a dataset, a sample, a validation suite
    │   ├── ModelFault                    a model file, a variant, a bundle
    │   └── PluginFault                   a plug-in name that does not exist
    └── EnvironmentFault              3   the machine, not the user's work
        ├── MissingExtra                  an optional dependency is not installed
        ├── NotWritable                   a read-only or forbidden place
        ├── DiskFull                      no space left
        ├── DeviceFault                   a device or a runtime on it cannot do what was asked
        └── ServerFault                   a registry or another server does not answer
"""

import errno
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeloop.killing import belong_to
from edgeloop.orphans import end_with_engine
from edgeloop.privacy import opt_out

EXIT_DONE, EXIT_GATE, EXIT_INPUT, EXIT_ENVIRONMENT = 0, 1, 2, 3

FAULT_FILE_VARIABLE = "EDGELOOP_FAULT_FILE"
"""Names a file that receives the fault of a step that runs in a child process, as JSON."""


class EdgeloopError(Exception):
    """What happened, where, and what to do about it.

    Args:
        what: The fact, in a few words.
        where: The file, key, device or step.
        fix: What the reader should do now.
        facts: Anything a program may want to read, kept as attributes of `facts`.
    """

    exit_code = EXIT_ENVIRONMENT

    def __init__(self, what: str, *, where: str = "", fix: str = "", **facts: object) -> None:
        self.what, self.where, self.fix, self.facts = what, where, fix, facts
        super().__init__(self.line())

    def line(self) -> str:
        """The error as one line of text; what would steer a terminal, such as a name of a file, is written out."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        words = " ".join((f"{text}; {self.fix}" if self.fix else text).split())
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)

    def reason(self) -> str:
        """What and what to do, on one line, for a record that outlives the place."""
        return EdgeloopError(self.what, fix=self.fix).line()


class GateRefused(EdgeloopError):
    """A limit that the user set was not met."""

    exit_code = EXIT_GATE


class InputFault(EdgeloopError):
    """Something that the user wrote or passed is wrong."""

    exit_code = EXIT_INPUT


class ParamsFault(InputFault):
    """A wrong key, type, range or contradiction in the parameters."""


class DataFault(InputFault):
    """A dataset, a sample or a validation suite cannot be used."""


class ModelFault(InputFault):
    """A model file, a variant or a bundle cannot be used."""


class PluginFault(InputFault):
    """No plug-in of that kind has that name."""


class EnvironmentFault(EdgeloopError):
    """The machine stands in the way."""


class MissingExtra(EnvironmentFault):
    """An optional dependency is not installed."""


class NotWritable(EnvironmentFault):
    """A place that has to be written is read-only or forbidden."""


class DiskFull(EnvironmentFault):
    """No space is left where something has to be written."""


class DeviceFault(EnvironmentFault):
    """A device, or a runtime on it, cannot do what was asked."""


class ServerFault(EnvironmentFault):
    """A server does not answer, or refuses."""


def from_os_error(error: OSError, where: Path | str) -> EdgeloopError:
    """The fault of ours that says what `error`, raised while using `where`, means to the user."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull("no space left on this disk", where=str(where), fix="free some space and run again")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return NotWritable(
            f"cannot be written ({error.strerror})", where=str(where), fix="make it writable or choose another folder"
        )
    if isinstance(error, FileNotFoundError):
        return InputFault("does not exist", where=str(where), fix="check the path")
    if isinstance(error, IsADirectoryError):
        return InputFault("is a folder, not a file", where=str(where), fix="check the path")
    reason = error.strerror or str(error) or type(error).__name__
    return EnvironmentFault(reason, where=str(where), fix="check the path and the disk")


@contextmanager
def translated(where: Path | str) -> Iterator[None]:
    """Turns an `OSError` raised inside into a fault of ours that names `where`."""
    try:
        yield
    except OSError as error:
        raise from_os_error(error, error.filename or where) from error


@contextmanager
def reported(step: str) -> Iterator[None]:
    """The edge of a step that runs in a process of its own; no library beneath reports usage from here on.

    The process belongs to the step until it ends, and ends with the engine that started it, see `edgeloop.orphans`.
    Whatever stops the step is one line on stderr and, where `EDGELOOP_FAULT_FILE` names a file, JSON that the
    parent process reads to end with the right exit code. The exception goes on, so that the engine sees a failure.
    """
    opt_out()
    belong_to(step)
    end_with_engine()
    try:
        with translated(step):
            yield
    except EdgeloopError as error:
        print(f"{step}: {error.line()}", file=sys.stderr, flush=True)
        write_fault(step, error)
        raise


def write_fault(step: str, error: EdgeloopError) -> None:
    """Leaves `error` where the parent process asked for it, if it asked."""
    if target := os.environ.get(FAULT_FILE_VARIABLE):
        fault = {"step": step, "kind": type(error).__name__, "line": error.line(), "exit_code": error.exit_code}
        try:
            Path(target).write_text(json.dumps(fault), encoding="utf-8")
        except OSError as failure:  # the disk may be what failed: the line on stderr has to do
            print(f"{target}: fault not kept ({failure.strerror})", file=sys.stderr)
