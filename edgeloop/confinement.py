"""Work in a process of its own, with a limit of memory and of time: on files of strangers, or in another environment.

What kills the process, or grows without end in it, is an error of one line here. The limit is of address space, so that
an allocation beyond it fails inside the process before the machine feels it.

The interpreter of another environment, whose packages cannot be installed beside those of this one, is given this
package alone: what it imports beside it is its own.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from edgeloop import errors
from edgeloop.errors import EdgeloopError, EnvironmentFault, ModelFault
from edgeloop.orphans import end_with_engine

MEMORY_BYTES = 6 << 30
"""Beyond the libraries, which take about 2 GB of addresses, and far less of memory."""

TIMEOUT_S = 600.0

FOREIGN_PLACES = ("PYTHONPATH", "PYTHONHOME")
"""Variables that would show another interpreter the packages of this one."""

_SAID_BYTES = 2000


def confined(
    function: str,
    arguments: dict[str, Any],
    *,
    where: Path,
    memory_bytes: int = MEMORY_BYTES,
    timeout_s: float = TIMEOUT_S,
    interpreter: Path | None = None,
) -> Any:
    """What `function` returns, see `confining`."""
    with confining(
        function, arguments, where=where, memory_bytes=memory_bytes, timeout_s=timeout_s, interpreter=interpreter
    ) as answer:
        return answer()


@contextmanager
def confining(
    function: str,
    arguments: dict[str, Any],
    *,
    where: Path,
    memory_bytes: int = MEMORY_BYTES,
    timeout_s: float = TIMEOUT_S,
    interpreter: Path | None = None,
) -> Iterator[Callable[[], Any]]:
    """Begins the work; what is yielded waits for its end, and is what `function` returns for the keyword arguments.

    When the block ends, the process is gone, whether it was waited for or not.

    Args:
        function: Of this package, as `edgeloop.module:name`.
        arguments: Its keyword arguments, JSON types like the result; paths are absolute.
        where: The file that is worked on, for the error.
        memory_bytes: Of addresses.
        timeout_s: Wall clock, from now on.
        interpreter: Python of another environment; this one's unless given.

    Raises:
        EnvironmentFault: The interpreter cannot be started, or cannot import this package.
        ModelFault: The process did not end by itself, or ran out of memory or time.
        EdgeloopError: Whatever the function raised.
    """
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        order, answer, said = (scratch / file for file in ("order.json", "answer.json", "said"))
        order.write_text(json.dumps({"function": function, "arguments": arguments, "memory_bytes": memory_bytes}))
        command = [str(interpreter or sys.executable), "-m", "edgeloop.confinement", str(order), str(answer)]
        end_s = time.monotonic() + timeout_s
        with _started(command, folder=_importable(scratch, interpreter), own=not interpreter, said=said) as process:

            def answered() -> Any:
                try:
                    code = process.wait(max(0.0, end_s - time.monotonic()))
                except subprocess.TimeoutExpired as error:
                    what = f"takes more than {timeout_s:g} s"
                    raise ModelFault(what, where=str(where), fix="use a smaller model") from error
                if answer.is_file():
                    return _answered(json.loads(answer.read_text()))
                if interpreter and code > 0:
                    what = f"cannot run edgeloop ({_last_line(said) or f'exit code {code}'})"
                    raise EnvironmentFault(what, where=str(interpreter), fix="build its environment again")
                raise ModelFault(_ended(code, memory_bytes), where=str(where), fix="check the file")

            yield answered


def _importable(scratch: Path, interpreter: Path | None) -> Path:
    """The folder to work in, from which modules are imported: never that of a stranger's file.

    Installed, this package lies among all the others of this environment; in a folder of its own it lies alone.
    """
    if interpreter is None:
        return Path(__file__).parents[1]
    alone = scratch / "alone"
    alone.mkdir()
    (alone / "edgeloop").symlink_to(Path(__file__).parent, target_is_directory=True)
    return alone


@contextmanager
def _started(command: list[str], *, folder: Path, own: bool, said: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process, of this environment's own interpreter or of another; it is gone when the block ends."""
    environment = {name: value for name, value in os.environ.items() if own or name not in FOREIGN_PLACES}
    with said.open("wb") as stderr:
        try:
            process = subprocess.Popen(  # noqa: S603 - this package's own module
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        except OSError as error:
            raise EnvironmentFault(
                f"cannot be started ({error.strerror})", where=command[0], fix="name another interpreter"
            ) from error
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _last_line(said: Path) -> str:
    """Of what the process wrote to stderr; a traceback ends with what it is about."""
    with said.open("rb") as file:
        file.seek(max(0, said.stat().st_size - _SAID_BYTES))
        lines = file.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _ended(code: int, memory_bytes: int) -> str:
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return f"ended the process that read it, {how}; it may have needed more than {memory_bytes / 1e9:.1f} GB"


def _answered(answer: dict[str, Any]) -> Any:
    if "fault" not in answer:
        return answer["result"]
    fault = answer["fault"]
    raise getattr(errors, fault["kind"])(fault["what"], where=fault["where"], fix=fault["fix"])


def _work(order: Path, answer: Path) -> None:
    """The child: reads the order, and leaves a result or a fault."""
    import resource

    end_with_engine()
    wanted = json.loads(order.read_text())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (wanted["memory_bytes"], wanted["memory_bytes"]))
    module, _, name = wanted["function"].partition(":")
    try:
        told: dict[str, Any] = {"result": getattr(import_module(module), name)(**wanted["arguments"])}
    except EdgeloopError as error:
        kind = type(error).__name__
        told = {"fault": {"kind": kind, "what": error.what, "where": error.where, "fix": error.fix}}
    except MemoryError:
        what = f"needs more than {wanted['memory_bytes'] / 1e9:.1f} GB"
        told = {"fault": {"kind": "ModelFault", "what": what, "where": "", "fix": "use a smaller model"}}
    partial = answer.with_suffix(".partial")
    partial.write_text(json.dumps(told))
    partial.rename(answer)


if __name__ == "__main__":
    _work(Path(sys.argv[1]), Path(sys.argv[2]))
