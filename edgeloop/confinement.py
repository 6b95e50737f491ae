"""Work on files of strangers, in a process of its own with a limit of memory and of time.

What kills the process, or grows without end in it, is an error of one line here. The limit is of address space, so that
an allocation beyond it fails inside the process before the machine feels it.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from edgeloop import errors
from edgeloop.errors import EdgeloopError, ModelFault

MEMORY_BYTES = 6 << 30
"""Beyond the libraries, which take about 2 GB of addresses, and far less of memory."""

TIMEOUT_S = 600.0


def confined(
    function: str,
    arguments: dict[str, Any],
    *,
    where: Path,
    memory_bytes: int = MEMORY_BYTES,
    timeout_s: float = TIMEOUT_S,
) -> Any:
    """What `function` returns for the keyword arguments; both are JSON types.

    Args:
        function: Of this package, as `edgeloop.module:name`.
        arguments: Its keyword arguments; paths are absolute.
        where: The file that is worked on, for the error.
        memory_bytes: Of addresses.
        timeout_s: Wall clock.

    Raises:
        ModelFault: The process did not end by itself, or ran out of memory or time.
        EdgeloopError: Whatever the function raised.
    """
    with tempfile.TemporaryDirectory() as scratch:
        order, answer = Path(scratch) / "order.json", Path(scratch) / "answer.json"
        order.write_text(json.dumps({"function": function, "arguments": arguments, "memory_bytes": memory_bytes}))
        process = subprocess.Popen(  # noqa: S603 - this package's own module
            [sys.executable, "-m", "edgeloop.confinement", str(order), str(answer)],
            cwd=Path(__file__).parents[1],  # never the folder of a stranger's file, whose modules would be imported
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise ModelFault(f"takes more than {timeout_s:g} s", where=str(where), fix="use a smaller model") from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if not answer.is_file():
            raise ModelFault(_ended(code, memory_bytes), where=str(where), fix="check the file")
        return _answered(json.loads(answer.read_text()))


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
