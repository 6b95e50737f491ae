"""Child processes of this machine: what the contract does not say."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeloop import plugins
from edgeloop.errors import DeviceFault
from edgeloop.transports import Connection, local

SILENT = "import sys\nfor line in sys.stdin: pass\n"
PARENT = """
import subprocess, sys
child = subprocess.Popen(["sleep", "1000"])
for line in sys.stdin:
    print(child.pid, flush=True)
"""
STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for line in sys.stdin: print("here", flush=True)
time.sleep(1000)
"""
GREEDY = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
ENDLESS = "import sys\nfor line in sys.stdin:\n  while True: sys.stdout.write('x' * 65536)\n"
NOISY = "import sys\nfor line in sys.stdin:\n  sys.stderr.write('e' * 1_000_000 + chr(10))\n  print('ok', flush=True)\n"
DYING = "import sys\nsys.stdin.readline()\nprint('first\\nlast word', file=sys.stderr)\nsys.exit(4)\n"


Program = Callable[[str], list[str]]


@pytest.fixture
def connection() -> Connection:
    with plugins.load("transports", "local").connected(None) as connection:
        return connection


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    def written(text: str) -> list[str]:
        (tmp_path / "their_program.py").write_text(text)
        return ["their_program"]

    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return written


def test_a_program_that_does_not_answer_is_given_up(connection: Connection, program: Program) -> None:
    with (
        pytest.raises(DeviceFault, match=r"did not answer within 0\.2 s"),
        connection.converse(program(SILENT)) as conversation,
    ):
        conversation.ask("hello", timeout_s=0.2)


def alive(pid: int) -> bool:
    """A zombie, whose parent was killed before it could wait, has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_a_program_started_ends_with_it(connection: Connection, program: Program) -> None:
    with connection.converse(program(PARENT)) as conversation:
        child = int(conversation.ask("who?", timeout_s=30))
        assert alive(child)
    deadline = time.monotonic() + 10
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(child)


def test_a_program_that_does_not_want_to_end_is_killed(
    connection: Connection, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "GRACE_S", 0.1)
    began = time.monotonic()
    with connection.converse(program(STUBBORN)) as conversation:
        conversation.ask("here?", timeout_s=30)
    assert time.monotonic() - began < 100


def test_a_killed_program_is_told_from_one_that_ended(connection: Connection, program: Program) -> None:
    with (
        pytest.raises(DeviceFault, match="killed by signal 9, as by a machine that is out of memory"),
        connection.converse(program(GREEDY)) as conversation,
    ):
        conversation.ask("hello", timeout_s=30)


def test_an_endless_answer_is_cut(connection: Connection, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "MAX_LINE_BYTES", 1 << 20)
    with (
        pytest.raises(DeviceFault, match="more than 1048576 bytes"),
        connection.converse(program(ENDLESS)) as conversation,
    ):
        conversation.ask("hello", timeout_s=30)


def test_a_program_may_complain_as_much_as_it_likes(connection: Connection, program: Program) -> None:
    with connection.converse(program(NOISY)) as conversation:
        assert [conversation.ask("more", timeout_s=30) for _ in range(5)] == ["ok"] * 5


def test_exit_code_and_last_words_are_told(connection: Connection, program: Program) -> None:
    with (
        pytest.raises(DeviceFault, match=r"exit code 4 \(last words: last word\)"),
        connection.converse(program(DYING)) as conversation,
    ):
        conversation.ask("hello", timeout_s=30)


def test_arguments_are_seen_by_no_shell(connection: Connection, program: Program, tmp_path: Path) -> None:
    harm = f"; touch {tmp_path}/harm $(touch {tmp_path}/harm)"
    echo = program("import sys\nfor line in sys.stdin: print(sys.argv[1], flush=True)\n")
    with connection.converse([*echo, harm]) as conversation:
        assert conversation.ask("what?", timeout_s=30) == harm
    assert not (tmp_path / "harm").exists()


def test_a_program_does_not_get_the_signals_of_the_terminal(connection: Connection, program: Program) -> None:
    group = program("import os, sys\nfor line in sys.stdin: print(os.getpgid(0), flush=True)\n")
    with connection.converse(group) as conversation:
        assert int(conversation.ask("group?", timeout_s=30)) != os.getpgid(0)
