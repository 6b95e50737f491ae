"""This machine: programs run as child processes, and files are already where they have to be."""

import os
import selectors
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import edgeloop
from edgeloop.errors import DeviceFault, InputFault
from edgeloop.files import copy_file, whole_file

MAX_LINE_BYTES = 64 << 20
"""A program that answers with a longer line is broken; reading on would only fill the memory."""

GRACE_S = 5.0
"""How long a program may take to end itself before its process group is killed."""

_READ_BYTES = 1 << 16
_LAST_WORDS = 300


class Local:
    """See the module."""

    @contextmanager
    def connected(self, address: str | None) -> Iterator["_Here"]:
        """See `edgeloop.transports.Transport`."""
        if address is not None:
            raise InputFault(f"takes no address, got {address!r}", where="transport local", fix="remove `address`")
        yield _Here()


class _Here:
    def put(self, path: Path) -> str:
        if not path.exists():
            raise InputFault("does not exist", where=str(path), fix="check the path")
        return str(path.resolve())

    def get(self, remote: str, target: Path) -> None:
        if not Path(remote).is_file():
            raise DeviceFault("was not written on the device", where=remote, fix="see what the program said")
        with whole_file(target) as partial:
            copy_file(Path(remote), partial)

    @contextmanager
    def converse(self, arguments: Sequence[str]) -> Iterator["_Program"]:
        with tempfile.TemporaryFile() as words:
            program = _Program(arguments, words)
            try:
                yield program
            finally:
                program.close()


class _Program:
    """One child process in a process group of its own."""

    def __init__(self, arguments: Sequence[str], words: IO[bytes]) -> None:
        self._name = arguments[0]
        self._words = words
        self._pending = bytearray()
        self._grace_s = GRACE_S
        try:
            self._process = subprocess.Popen(  # noqa: S603  a vector of ours, no shell
                [sys.executable, "-m", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                start_new_session=True,
                env=_environment(),
            )
        except OSError as error:
            raise DeviceFault(f"cannot start ({error.strerror})", where=self._name, fix="check the machine") from error

    def ask(self, line: str, *, timeout_s: float) -> str:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise self._ended() from error
        return self._line(time.monotonic() + timeout_s, timeout_s)

    def close(self) -> None:
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        with suppress(OSError):  # the pipe of a program that has ended is broken already
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(self._grace_s)
        with suppress(ProcessLookupError):  # also what the program itself left behind
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()

    def _line(self, deadline_s: float, timeout_s: float) -> str:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while (end := self._pending.find(b"\n")) < 0:
                if not selector.select(max(0.0, deadline_s - time.monotonic())):
                    raise self._fault(f"did not answer within {timeout_s:g} s", fix="is the device overloaded?")
                block = os.read(self._process.stdout.fileno(), _READ_BYTES)
                if not block:
                    raise self._ended()
                self._pending += block
                if len(self._pending) > MAX_LINE_BYTES:
                    raise self._fault(f"answered with more than {MAX_LINE_BYTES} bytes", fix="is it the right program?")
        line = self._pending[:end].decode(errors="replace")
        del self._pending[: end + 1]
        return line

    def _ended(self) -> DeviceFault:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_S)
        return self._fault(_described_end(self._process.returncode), fix="see its last words")

    def _fault(self, what: str, *, fix: str) -> DeviceFault:
        self._grace_s = 0  # what does not answer is not waited for either
        return DeviceFault(f"{what}{self._last_words()}", where=self._name, fix=fix)

    def _last_words(self) -> str:
        """The end of what the program wrote on stderr, as ` (last words: …)`."""
        size = self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, size - _LAST_WORDS))
        text = self._words.read().decode(errors="replace").strip()
        return f" (last words: {text.splitlines()[-1].strip()})" if text else ""


def _environment() -> dict[str, str]:
    """The environment of the child, which imports the same edgeloop as this process."""
    environment = dict(os.environ)
    root = str(Path(edgeloop.__file__).resolve().parents[1])
    if root != sysconfig.get_paths()["purelib"]:
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{root}{os.pathsep}{known}" if known else root
    return environment


def _described_end(code: int | None) -> str:
    if code is None:
        return "closed its output"
    if code == -signal.SIGKILL:
        return "was killed by signal 9, as by a machine that is out of memory"
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


plugin = Local()
