"""Every fenced command of docs/data.md runs, in its order, in a fresh copy of the project with an empty home."""

import os
import re
import subprocess

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.long]  # a minute, most of it in imports

FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def fences(request):
    return FENCE.findall((request.config.rootpath / "docs/data.md").read_text())


@pytest.fixture(scope="module")
def walked(fences, tmp_path_factory, rehearsed):
    """The project after all commands, and what they wrote to stdout."""
    project = rehearsed(tmp_path_factory.mktemp("data") / "project")
    (project / "home").mkdir()
    environment = {**os.environ, "HOME": str(project / "home"), "PYTHONPATH": str(project)}
    said = []
    for command in [line for kind, body in fences if kind == "bash" for line in body.splitlines()]:
        ended = subprocess.run(["sh", "-c", command], cwd=project, env=environment, capture_output=True, text=True)
        assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
        said.append(ended.stdout)
    return project, "".join(said)


def test_every_command_runs_in_order(walked):
    assert (walked[0] / "clean_pictures/disc/000.png").exists()


def test_the_clean_set_is_without_what_was_planted(walked):
    clean = walked[0] / "clean_pictures"
    assert not (clean / "disc/cut.png").exists()
    assert not (clean / "triangle/also.png").exists()


def test_the_expectation_that_is_shown_is_proposed(fences, walked):
    (shown,) = [body.strip() for kind, body in fences if kind == "json"]
    assert shown in (walked[0] / "suites/mine.json").read_text()


def test_what_changed_is_named(walked):
    assert "What changed" in walked[1]
    assert "leave them out with `edgeloop data quarantine` (disc/cut.png)" in walked[1]
