"""A Python that has imported the large libraries already, and forks for every command that a test runs.

Most of what a small command takes is the import of torch, MLflow, Great Expectations and the like. The commands of a
test are therefore forks of one process that has imported them, as the later steps of `pipelines.warm` are: each is a
process of its own, with its memory, environment, folder, streams and exit code. What is ours is imported by the fork,
from the folder that it runs in. One such process serves all the test processes of a run; it ends with the last of them.

`python imported_python.py SOCKET` serves; `Imported(SOCKET).run(…)` asks for a fork.
"""

import array
import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LIBRARIES = (
    "torch._dynamo", "torch.export", "torch.onnx", "onnx", "onnxscript", "onnxruntime.quantization",
    "sklearn.datasets", "pyarrow.parquet", "pandas", "duckdb", "PIL.Image", "great_expectations", "evidently",
    "matplotlib.pyplot", "matplotlib.backends.backend_agg", "jinja2",
    "mlflow.tracking", "mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store",
    "model_signing", "dvc.cli", "dvc.cli.parser", "dvc.repo", "kfp.dsl.executor_main", "kfp.compiler", "kfp.local",
)  # fmt: skip
OURS = ("edgeloop", "components", "pipelines")
NEW_NETWORK = 0x40000000
"""CLONE_NEWNET of unshare(2)."""
REQUEST_BYTES = 1 << 17


class Imported:
    """The process, as those see it who ask it for forks; it stays while they do."""

    def __init__(self, address: Path) -> None:
        self.address = address
        self._lease = self._connected()

    def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.connect(str(self.address))
        return connection

    def run(
        self, folder: Path, arguments: Sequence[str], environment: Mapping[str, str], *, network: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        """What `python ARGUMENT…` would do in a folder.

        Args:
            folder: Where it runs.
            arguments: `-m MODULE …`, `-c CODE …` or `FILE …`.
            environment: All of it.
            network: Without, the process has none, which root alone may ask for.
        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            code = self.exit_code(folder, arguments, environment, streams=[out.fileno(), err.fileno()], network=network)
            said = [_text(stream) for stream in (out, err)]
        return subprocess.CompletedProcess([sys.executable, *arguments], code, *said)

    def exit_code(
        self,
        folder: Path,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        streams: Sequence[int],
        network: bool,
    ) -> int:
        """As `run`, with stdout and stderr given; -N for what signal N ended."""
        asked = {"folder": str(folder), "arguments": [*arguments], "environment": dict(environment), "network": network}
        with self._connected() as connection:
            passed = array.array("i", streams)
            connection.sendmsg([json.dumps(asked).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])
            answer = connection.recv(64)
        assert answer, "the process that forks is gone"
        return int(answer)

    def write_program(self, path: Path, *words: str, network: bool) -> None:
        """An executable file that does what `python WORD…` would do."""
        facts = {"here": str(Path(__file__).parent), "address": str(self.address), "words": words, "network": network}
        path.write_text(PROGRAM.format(python=sys.executable, **facts))
        path.chmod(0o755)


PROGRAM = """\
#!{python} -IS
import os, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from imported_python import Imported
forks, arguments = Imported(Path({address!r})), [*{words!r}, *sys.argv[1:]]
code = forks.exit_code(Path.cwd(), arguments, os.environ, streams=[1, 2], network={network!r})
sys.exit(code if code >= 0 else 128 - code)
"""


def started(place: Path, environment: Mapping[str, str]) -> Path:
    """Starts the process, which may live longer than this one; its address.

    Args:
        place: Folder for what it says.
        environment: Of its imports.
    """
    address = Path(tempfile.mkdtemp()) / "socket"  # the path of a socket has to be short
    silent = {**environment, "GX_ANALYTICS_ENABLED": "false"}
    silent.pop("PYTHONPATH", None)
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(place / "log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    pid = os.posix_spawn(
        sys.executable, [sys.executable, __file__, str(address)], silent, file_actions=streams, setsid=True
    )
    while not address.exists():
        assert os.waitpid(pid, os.WNOHANG) == (0, 0), (place / "log").read_text()
        time.sleep(0.01)
    return address


def _text(stream: Any) -> str:
    stream.seek(0)
    return stream.read().decode()


def listening(address: Path) -> socket.socket:
    """Takes requests from now on; who asks waits until there is an answer."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    unnamed = address.with_suffix(".new")
    listener.bind(str(unnamed))
    listener.listen(64)
    unnamed.rename(address)
    return listener


def serve(listener: socket.socket) -> None:
    """Forks for whoever asks, until nobody is connected any more."""
    leases: set[socket.socket] = set()
    running: dict[int, tuple[int, socket.socket]] = {}
    while True:
        ready, _, _ = select.select([listener, *leases, *running], [], [])
        for one in ready:
            if one is listener:
                leases.add(listener.accept()[0])
            elif isinstance(one, int):
                pid, asker = running.pop(one)
                os.close(one)
                with contextlib.suppress(OSError), asker:  # who asked may be gone
                    asker.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
            else:
                leases.remove(one)
                request, streams, _, _ = socket.recv_fds(one, REQUEST_BYTES, 2)
                if not request:
                    one.close()
                    continue
                if (pid := os.fork()) == 0:
                    for mine in (listener, one, *leases, *(asker for _, asker in running.values())):
                        mine.close()
                    for gone in running:
                        os.close(gone)
                    _become(json.loads(request), streams)
                for stream in streams:
                    os.close(stream)
                running[os.pidfd_open(pid)] = (pid, one)
        if not leases and not running:
            return


def _become(asked: Mapping[str, Any], streams: Sequence[int]) -> None:
    """This fork runs a command to its end; it does not return."""
    code = 1
    try:
        for number, stream in enumerate(streams, start=1):
            os.dup2(stream, number)
            os.close(stream)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if not asked["network"] and ctypes.CDLL(None, use_errno=True).unshare(NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "unshare")
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        added = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
        sys.path[:1] = [asked["folder"], *added]
        _run(asked["arguments"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        threading._shutdown()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _run(arguments: Sequence[str]) -> None:
    match arguments:
        case ["-m", module, *more]:
            sys.argv = [module, *more]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-c", code, *more]:
            sys.argv = ["-c", *more]
            exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
        case [file, *more]:
            sys.argv = [file, *more]
            sys.path[0] = str(Path(file).parent)
            runpy.run_path(file, run_name="__main__")


if __name__ == "__main__":
    place = Path(sys.argv[1])
    listener = listening(place)
    gc.disable()
    for name in LIBRARIES:
        importlib.import_module(name)
    assert not set(OURS) & set(sys.modules)
    gc.enable()
    gc.freeze()  # a fork that looked for garbage in all this would copy its memory
    serve(listener)
    place.unlink()
    place.parent.rmdir()
