import os
import signal
import subprocess
import sys
import time

import pytest

ENGINE = """
import os, subprocess, sys
os.environ["EDGELOOP_ENGINE_PID"] = str(os.getpid())
subprocess.run([sys.executable, "-c", sys.argv[1]])
"""
STEP = """
import pathlib, time
from edgeloop.orphans import end_with_engine
end_with_engine()
pathlib.Path("began").touch()
time.sleep(3)
pathlib.Path("went on").touch()
"""


@pytest.fixture
def engine(tmp_path, root):
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen([sys.executable, "-c", ENGINE, STEP], cwd=tmp_path, env=environment) as process:
        while not (tmp_path / "began").exists():
            assert process.poll() is None
            time.sleep(0.02)
        yield process


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_step_ends_with_the_engine_that_is_killed_even_before_anybody_waits_for_it(engine, tmp_path, end):
    engine.send_signal(end)
    time.sleep(3.5)
    assert not (tmp_path / "went on").exists()


def test_a_step_whose_engine_is_gone_already_does_not_begin(tmp_path, root):
    with subprocess.Popen(["true"]) as gone:
        pass
    environment = {**os.environ, "PYTHONPATH": str(root), "EDGELOOP_ENGINE_PID": str(gone.pid)}
    ended = subprocess.run([sys.executable, "-c", STEP], cwd=tmp_path, env=environment)
    assert ended.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


def test_a_step_that_nobody_started_goes_on(tmp_path, root):
    environment = {**os.environ, "PYTHONPATH": str(root)}
    code = STEP.replace("sleep(3)", "sleep(0)")
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment).returncode == 0
    assert (tmp_path / "went on").exists()
