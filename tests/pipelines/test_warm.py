"""Steps that are forks: they behave as the processes that KFP starts."""

import json
import multiprocessing.forkserver
import os
import signal

import pytest

from components import STEPS
from pipelines.warm import MEANWHILE, forking

pytestmark = pytest.mark.slow

SCRIPT = "python3 -m kfp.dsl.executor_main"


@pytest.fixture
def task(tmp_path, capfd):
    """Runs the body of a step as kfp.local does: its exit code and the lines that it said."""
    from kfp.local import subprocess_task_handler as handler

    def run(name, body, **variables):
        source = f"import os, sys, signal, atexit\ndef {name}():\n    {body}\n"
        asked = json.dumps({"inputs": {}, "outputs": {"outputFile": str(tmp_path / "out.json")}})
        command = ["sh", "-ec", SCRIPT, source, "--executor_input", asked, "--function_to_execute", name]
        code = handler.run_local_subprocess(command, variables)
        return code, capfd.readouterr().out.split("\n")

    return run


@pytest.fixture
def later(monkeypatch):
    monkeypatch.setattr("pipelines.warm.PRELOADED", "json")
    with forking(list(STEPS)):
        yield


def test_what_a_fork_says_on_both_streams_comes_in_order(later, task):
    code, lines = task("train", "print('one', flush=True); print('two', file=sys.stderr, flush=True); print('three')")
    assert code == 0
    assert [line for line in lines if line in ("one", "two", "three")] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("sys.exit(3)", 3),
        ("raise ValueError('broken')", 1),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("os._exit(7)", 7),
    ],
)
def test_the_exit_code_is_that_of_the_step(later, task, body, code):
    assert task("train", body)[0] == code


def test_the_text_of_an_exception_is_heard(later, task):
    _, lines = task("train", "raise ValueError('broken')")
    assert "ValueError: broken" in lines


def test_a_fork_has_the_environment_that_it_is_given_and_leaves_this_one_alone(later, task):
    _, lines = task("train", "print(os.environ['GIVEN'], os.environ['_KFP_RUNTIME'])", GIVEN="here")
    assert "here true" in lines
    assert "GIVEN" not in os.environ


def test_what_is_to_run_at_the_end_runs(later, task):
    _, lines = task("train", "atexit.register(print, 'at the end')")
    assert "at the end" in lines


def test_every_step_is_another_process(later, task):
    said = {task("train", "print('pid', os.getpid())")[1][0] for _ in range(3)}
    assert len(said) == 3
    assert f"pid {os.getpid()}" not in said


def test_the_libraries_are_imported_already_and_no_thread_computes(task):
    body = "import threading; print([n in sys.modules for n in ('torch', 'mlflow', 'onnx')], threading.active_count())"
    with forking(list(STEPS)):
        _, lines = task("train", body)
        server = multiprocessing.forkserver._forkserver._forkserver_pid
    assert "[True, True, True] 1" in lines
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)


@pytest.mark.parametrize("steps", [["check_params", "select"], list(MEANWHILE), ["check_params", "train", "convert"]])
def test_a_run_without_time_to_import_meanwhile_is_left_to_kfp(steps):
    from kfp.local import subprocess_task_handler as handler

    before = handler.run_local_subprocess
    with forking(steps):
        assert handler.run_local_subprocess is before


def test_kfp_is_as_before_after_a_run_that_breaks(later, monkeypatch):
    from kfp.local import subprocess_task_handler as handler

    inside = handler.run_local_subprocess
    with pytest.raises(ZeroDivisionError), forking(list(STEPS)):
        1 / 0  # noqa: B018
    assert handler.run_local_subprocess is inside
