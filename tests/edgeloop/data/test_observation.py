"""Reading samples: what is found out, in how many processes, and what a hostile file does."""

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from edgeloop.canonical import sha256_of_bytes
from edgeloop.data.features import Features
from edgeloop.data.features.image import plugin
from edgeloop.data.observation import MAX_FILE_BYTES, Observation, _travels, observation, observed
from edgeloop.data.processes import available_cores
from edgeloop.data.sources import RawSample
from edgeloop.errors import EnvironmentFault


def raw(path: Path) -> RawSample:
    return RawSample(id=path.name, label="a", uri=path.as_uri())


PLUGIN = """
import os, signal, time
from edgeloop.data.features import Column
from edgeloop.errors import DataFault

class Lengths:
    columns = (Column("length", "int", "of the content"),)

    def read(self, content, sample):
        if content == b"deadly":
            os.kill(os.getpid(), signal.SIGKILL)
        if content == b"slow":
            time.sleep(0.02)
        if not content:
            raise DataFault("is empty")
        return {"length": len(content)}
"""

SCRIPT = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from edgeloop.data.observation import observed
from edgeloop.data.sources import RawSample
from lengths import Lengths

print(os.getpid(), flush=True)
samples = [RawSample(id=str(n), label="a", content=sys.argv[1].encode()) for n in range(64 + int(sys.argv[2]))]
print(len(observed(samples, Lengths(), processes=2)), flush=True)
"""


@pytest.fixture
def lengths(tmp_path, monkeypatch) -> Features:
    """Features that another process can import."""
    (tmp_path / "lengths.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "lengths", raising=False)
    return importlib.import_module("lengths").Lengths()


@pytest.fixture
def script(tmp_path, root, lengths):
    """Starts SCRIPT, without a guard against being run again, in a group of its own."""
    (tmp_path / "script.py").write_text(SCRIPT)
    started: list[subprocess.Popen[str]] = []

    def start(content: str, count: int) -> subprocess.Popen[str]:
        command = [sys.executable, "script.py", content, str(count)]
        environment = {"PYTHONPATH": str(root), "PATH": os.environ["PATH"]}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True, **pipes))
        return started[-1]

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def children(group: int) -> list[int]:
    """The other processes of a group, without those that have ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, _parent, its_group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z" and int(folder.name) != group:
                found.append(int(folder.name))
    return found


def until(fact: Callable[[], object]) -> None:
    """Waits for something that is sure to come, or fails with the test's own limit."""
    for _ in range(2000):
        if fact():
            return
        time.sleep(0.01)
    raise AssertionError("did not come")


@pytest.fixture
def samples(pictures: Path) -> list[RawSample]:
    """The 47 pictures twice, and one that is none."""
    (pictures / "cat/bad.png").write_bytes(b"rubbish")
    paths = sorted(path for path in pictures.rglob("*") if path.is_file())
    return [raw(path) for path in (*paths, *paths)]


def test_a_picture_has_its_digest_and_features(pictures):
    path = pictures / "cat/01.png"
    found = observation(raw(path), plugin)
    assert found.sha256 == sha256_of_bytes(path.read_bytes())
    assert found.features is not None
    assert found.features["width"] == 12


def test_an_empty_file_is_no_picture(tmp_path):
    (tmp_path / "a.png").touch()
    assert observation(raw(tmp_path / "a.png"), plugin).error == "cannot be read as an image (no known format)"


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    assert observation(raw(tmp_path / "a.png"), plugin) == Observation(error="is not a regular file")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_not_opened(device):
    assert observation(raw(Path(device)), plugin) == Observation(error="is not a regular file")


def test_a_folder_is_no_file(tmp_path):
    assert observation(raw(tmp_path), plugin) == Observation(error="is not a regular file")


def test_a_file_that_is_gone_says_so_without_its_path(tmp_path):
    found = observation(raw(tmp_path / "gone.png"), plugin)
    assert found == Observation(error="cannot be read (No such file or directory)")


def test_a_huge_file_is_not_read(tmp_path):
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    found = observation(raw(tmp_path / "a.png"), plugin)
    assert (found.sha256, (found.error or "")[:15]) == (None, "is a file of 26")


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"some bytes")
    real = os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        found = real(descriptor)
        with path.open("ab") as file:
            file.write(b"more")
        return found

    monkeypatch.setattr(os, "fstat", fstat)
    assert observation(raw(path), plugin) == Observation(error="changed while it was read")


def test_a_source_says_itself_why_a_sample_is_bad():
    assert observation(RawSample(id="a", label=None, error="is a link"), plugin) == Observation(error="is a link")


def test_a_sample_without_bytes_is_an_error():
    assert observation(RawSample(id="a", label=None), plugin).error == "has neither content nor uri"


def test_nothing_to_look_at_gives_nothing():
    assert list(observed([], plugin)) == []


def test_few_samples_are_looked_at_by_this_process(samples, monkeypatch):
    monkeypatch.setattr("edgeloop.data.processes.ProcessPoolExecutor", None)
    assert len(observed(samples, plugin)) == 96


@pytest.mark.slow  # every process imports its libraries
@pytest.mark.parametrize("processes", [2, 3])
def test_the_number_of_processes_changes_nothing(samples, processes):
    assert list(observed(samples, plugin, processes=processes)) == list(observed(samples, plugin, processes=1))


@pytest.mark.slow
def test_contents_of_a_source_travel_to_the_processes(lengths):
    samples = [RawSample(id=str(number), label="a", content=b"x" * number) for number in range(100)]
    found = list(observed(samples, lengths, processes=2))
    assert [row.features for row in found[1:]] == [{"length": number} for number in range(1, 100)]
    assert found[0].error == "is empty"


@pytest.mark.slow
def test_a_process_that_dies_is_a_fault_of_the_machine_that_names_the_samples(lengths):
    samples = [RawSample(id=f"{n:03d}", label="a", content=b"deadly" if n == 90 else b"fine") for n in range(100)]
    with pytest.raises(EnvironmentFault, match=r"samples \d+ to 099: a process that looked at samples died"):
        observed(samples, lengths, processes=2)


@pytest.mark.slow
def test_a_script_without_a_guard_is_not_run_again(script):
    out, err = script("fine", 100).communicate(timeout=60)
    assert (out.split()[1:], err) == (["164"], "")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="a process learns of its parent's end on Linux only")
def test_a_killed_parent_leaves_no_process_behind(script):
    process = script("slow", 100_000)
    until(lambda: len(children(process.pid)) >= 3)  # two that look at samples, and multiprocessing's own
    process.kill()
    process.wait()
    until(lambda: not children(process.pid))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are listed in /proc")
def test_ctrl_c_ends_all_processes_without_a_word_of_theirs(script):
    process = script("slow", 100_000)
    until(lambda: len(children(process.pid)) >= 3)
    os.killpg(process.pid, signal.SIGINT)
    _out, err = process.communicate(timeout=60)
    until(lambda: not children(process.pid))
    assert err.count("Traceback") == err.count("KeyboardInterrupt") == 1


def test_ctrl_c_waits_until_all_processes_have_started(python, tmp_path):
    """One that came between two of them would leave the first waiting for ever."""
    script = """
import signal
from multiprocessing import get_context
from edgeloop.data.processes import _startable
if __name__ == "__main__":
    with _startable():
        process = get_context("spawn").Process(target=int)
        process.start()
        print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))
    process.join()
    print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""
    ended = python(tmp_path, "-c", script)
    assert (ended.returncode, ended.stdout) == (0, "True\nFalse\n"), ended.stderr


def test_a_plugin_that_no_other_process_can_import_stays_in_this_one():
    class Local:
        columns = ()

    assert not _travels(Local())


def test_a_share_of_a_core_is_one_core(tmp_path, monkeypatch):
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    monkeypatch.setattr("edgeloop.data.processes._SHARE_OF_CPU", tmp_path / "cpu.max")
    assert available_cores() == 1


def test_without_a_limit_all_bound_cores_are_used(tmp_path, monkeypatch):
    (tmp_path / "cpu.max").write_text("max 100000\n")
    monkeypatch.setattr("edgeloop.data.processes._SHARE_OF_CPU", tmp_path / "cpu.max")
    assert available_cores() == len(os.sched_getaffinity(0))
