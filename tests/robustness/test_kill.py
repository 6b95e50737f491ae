"""SIGKILL anywhere: the next run answers as if nothing had been, and nothing is registered twice."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from components import STEPS
from edgeloop.killing import KILL_VARIABLE

pytestmark = pytest.mark.slow

DEAD = -signal.SIGKILL
SEED = 7
ENDS_WITHIN_S = 3.0
"""A step ends as soon as its engine is gone; this is patience for a busy machine."""

CHANCE = {
    "train": {"history/cost.json", "history/tracking.json"},
    "benchmark": {"measurements/report.json", "measurements/metrics.json"},
}
"""Files of a step that a clock or a server decides, relative to its folder."""


def moments(run: Callable[[str], Any]) -> None:
    """Calls `run` with every rename point of a process, before and after, until there are no more."""
    number = 1
    while run(f"{number}"):
        run(f"{number}+")
        number += 1
    assert number > 1, "nothing was renamed at all"


def whole_step(step: str, files: dict[str, str], untouched: dict[str, str]) -> None:
    """Asserts that what lies in a step's place is what an untouched run leaves, whatever of it is there."""
    for name, sha256 in files.items():
        if not name.endswith(".meta.json") and ".partial" not in name and ".replaced" not in name:
            assert decided(step, name) is False or untouched[name] == sha256, name


def decided(step: str, name: str) -> bool:
    """Whether code, parameters, seed and data alone decide a file."""
    return step not in ("benchmark", "select", "evaluate", "register") and name not in CHANCE.get(step, set())


def killed_at_every_rename(step: str, finished: Any) -> None:
    """Kills the step at each of its renames, looks at what is left, and runs it again."""
    project = finished.project

    def at(moment: str) -> bool:
        ended = project.step(step, **{KILL_VARIABLE: f"{step}:{moment}"})
        if ended.returncode != DEAD:
            assert ended.returncode == 0, ended.stderr
            return False
        whole_step(step, project.files(step), finished.files[step])
        again = project.step(step)
        assert again.returncode == 0, f"{moment}: {again.stderr}"
        assert "Traceback" not in again.stderr
        assert project.files(step).keys() == finished.files[step].keys(), moment
        whole_step(step, project.files(step), finished.files[step])
        return True

    moments(at)


@pytest.mark.parametrize("step", ["check_params", "select"])
def test_a_step_that_is_killed_at_any_rename_is_run_again(step: str, finished: Any) -> None:
    killed_at_every_rename(step, finished)


@pytest.mark.long
@pytest.mark.parametrize("step", [step for step in STEPS if step not in ("check_params", "select")])
def test_every_other_step_too(step: str, finished: Any) -> None:
    killed_at_every_rename(step, finished)
    assert finished.project.step("register").returncode == 0
    finished.holds()
    finished.is_tidy()


def killed_engine_at(moment: str, finished: Any) -> bool:
    """Kills the engine at one rename of its own, then runs the same again; whether it had that rename."""
    project = finished.project
    ended = project.pipelines("--only", "select", **{KILL_VARIABLE: f":{moment}"})
    if ended.returncode != DEAD:
        assert ended.returncode == 0, ended.stderr
        return False
    again = project.pipelines("--only", "select")
    assert again.returncode == 0, f"{moment}: {again.stderr}"
    assert "Traceback" not in again.stderr
    assert project.files("select").keys() == finished.files["select"].keys()
    return True


def test_an_engine_that_is_killed_while_it_moves_outputs_runs_again(finished: Any) -> None:
    """The outputs of before are out of their place, and the new ones not yet in it."""
    assert killed_engine_at("5+", finished)


@pytest.mark.long
def test_an_engine_may_be_killed_at_any_rename(finished: Any) -> None:
    moments(lambda moment: killed_engine_at(moment, finished))
    assert finished.project.pipelines("--from", "evaluate").returncode == 0
    finished.holds()
    finished.is_tidy()


@pytest.mark.parametrize("moment", ["evaluate:1", pytest.param("register:1", marks=pytest.mark.long)])
def test_a_step_that_is_killed_ends_the_run_with_one_line_and_the_next_run_finishes(moment: str, finished: Any) -> None:
    project, step = finished.project, moment.partition(":")[0]
    ended = project.pipelines("--only", step, **{KILL_VARIABLE: moment})
    assert ended.returncode == 3
    assert ended.stdout == ""
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert line.startswith(f"error: {step}: ended without a word of its own")
    assert "Traceback" not in ended.stderr
    again = project.pipelines("--only", step)
    assert again.returncode == 0, again.stderr
    assert "Traceback" not in again.stderr


ENGINES = {"kfp.local": ["-m", "pipelines", "run", "--scenario", "smoke"], "dvc": ["-m", "dvc", "repro"]}


def killed_after(seconds: float, project: Any, command: list[str], *, started: Any, group: bool) -> bool:
    """Kills a run, the engine alone or all of its processes at once; asserts that nothing of it goes on."""
    process = started(project, *command)
    time.sleep(seconds)
    if process.poll() is not None:
        return False
    os.killpg(process.pid, signal.SIGKILL) if group else process.kill()
    process.wait()
    until_s = time.monotonic() + ENDS_WITHIN_S
    while project.processes() and time.monotonic() < until_s:
        time.sleep(0.05)
    assert project.processes() == [], "a step outlived its engine"
    return True


@pytest.mark.long
def test_a_run_that_is_killed_at_random_moments_finishes_when_it_is_left_alone(finished: Any, started: Any) -> None:
    project, chance = finished.project, random.Random(SEED)
    command = [*ENGINES["kfp.local"], "--from", "select"]
    for group in (False, True):
        assert killed_after(chance.uniform(1.5, 4.0), project, command, started=started, group=group)
    again = project.pipelines("--from", "select")
    assert again.returncode == 0, again.stderr
    assert "Traceback" not in again.stderr
    finished.holds()
    finished.is_tidy()


@pytest.fixture(scope="module")
def reproduced(finished: Any, tmp_path_factory: Any) -> Any:
    """The same project after an untouched run under DVC: what kfp.local left, taken over, and registered anew."""
    folder = tmp_path_factory.mktemp("reproduced") / "project"
    ignored = shutil.ignore_patterns("mlflow.db*", "mlartifacts", "killed.log", ".run")
    shutil.copytree(finished.project.folder, folder, symlinks=True, ignore=ignored)
    project = replace(finished.project, folder=folder, variables={"DVC_SITE_CACHE_DIR": str(folder.parent / "site")})
    git = subprocess.run(["git", "init", "-q"], cwd=folder, env=project.environment(), capture_output=True, text=True)
    assert git.returncode == 0, git.stderr
    fingerprint = ["devices", "fingerprint", "--output", "artifacts/devices/fingerprint.json"]
    for arguments in (
        ["edgeloop", *fingerprint],
        ["dvc", "commit", "-q", "-f"],
        ["dvc", "repro", "-f", "-s", "register"],
    ):
        ended = project.python("-m", *arguments)
        assert ended.returncode == 0, ended.stderr
    taken_over = replace(finished, project=project)
    taken_over.holds()
    return taken_over


@pytest.mark.long
def test_a_reproduction_that_is_killed_at_a_random_moment_finishes_too(reproduced: Any, started: Any) -> None:
    """What the killed stage had begun may lie there, hidden, until it runs again: DVC may restore it instead."""
    command = [*ENGINES["dvc"], "--force", "--downstream", "select"]
    seconds = random.Random(SEED).uniform(2.0, 6.0)
    assert killed_after(seconds, reproduced.project, command, started=started, group=False)
    again = reproduced.project.python(*ENGINES["dvc"])
    assert again.returncode == 0, again.stderr
    assert "Traceback" not in again.stderr
    reproduced.holds()


@pytest.mark.long
@pytest.mark.parametrize("number", range(10))
def test_a_whole_reproduction_may_be_killed_at_any_moment(number: int, reproduced: Any, started: Any) -> None:
    seconds = random.Random(SEED + number).uniform(0.5, reproduced.seconds * 1.3)
    command = [*ENGINES["dvc"], "--force"]
    killed_after(seconds, reproduced.project, command, started=started, group=number % 2 == 1)
    again = reproduced.project.python(*command)
    assert again.returncode == 0, again.stderr
    assert "Traceback" not in again.stderr
    reproduced.holds()


@pytest.mark.long
@pytest.mark.parametrize("number", range(10))
def test_a_whole_run_may_be_killed_at_any_moment(number: int, finished: Any, started: Any) -> None:
    seconds = random.Random(SEED + number).uniform(0.5, finished.seconds)
    killed_after(seconds, finished.project, ENGINES["kfp.local"], started=started, group=number % 2 == 1)
    again = finished.project.pipelines()
    assert again.returncode == 0, again.stderr
    assert "Traceback" not in again.stderr
    finished.holds()
    finished.is_tidy()


@pytest.mark.long
@pytest.mark.parametrize("number", range(4))
def test_a_first_run_may_be_killed_at_any_moment(
    number: int, finished: Any, new_project: Any, tmp_path: Any, started: Any
) -> None:
    """Where nothing is there yet: no key, no registry, no outputs."""
    project = new_project(tmp_path / "project")
    seconds = finished.seconds * (0.3 + 0.2 * number)
    killed_after(seconds, project, ENGINES["kfp.local"], started=started, group=False)
    again = project.pipelines()
    assert again.returncode == 0, again.stderr
    replace(finished, project=project).holds()
    replace(finished, project=project).is_tidy()
