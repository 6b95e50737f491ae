"""Every fenced command of the README runs, in its order, in a fresh rehearsal of the project with an empty home."""

import json
import os
import re
import subprocess

import pytest

pytestmark = pytest.mark.slow

FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NOT_HERE = {"make env", "make test"}
"""The environment is there already; the tests are what is running."""


@pytest.fixture(scope="module")
def fences(request):
    text = (request.config.rootpath / "README.md").read_text()
    return [(kind, body) for kind, body in FENCE.findall(text)]


@pytest.fixture(scope="module")
def project(request, tmp_path_factory, rehearsed, imported):
    """A rehearsal whose Python has the large libraries imported, and no network where this can be arranged.

    After `make env` nothing needs a network. The stamp makes `make` content with the environment.
    """
    folder = rehearsed(tmp_path_factory.mktemp("readme") / "project")
    environment = folder / ".venv"
    environment.unlink()
    (environment / "bin").mkdir(parents=True)
    for stamp in (request.config.rootpath / ".venv").glob(".ready-*"):
        (environment / stamp.name).touch()
    for name, words in {"python": [], "edgeloop": ["-m", "edgeloop"]}.items():
        imported.write_program(environment / "bin" / name, *words, network=os.geteuid() != 0)
    return folder


@pytest.fixture(scope="module")
def ran(fences, project):
    """What every command said, by its text, up to the first that failed."""
    environment = {**os.environ, "HOME": str(project / "home"), "PYTHONPATH": str(project)}
    (project / "home").mkdir()
    commands = [line for kind, body in fences if kind == "bash" for line in body.splitlines() if line.strip()]
    assert len(commands) > 10
    said = {}
    for command in commands:
        if command in NOT_HERE:
            continue
        shell = ["unshare", "-n", "sh", "-c", command] if os.geteuid() == 0 else ["sh", "-c", command]
        ended = subprocess.run(shell, cwd=project, env=environment, capture_output=True, text=True)
        said[command] = ended
        if ended.returncode:
            break
    return said


def test_every_command_runs_in_order(ran):
    for command, ended in ran.items():
        assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"


def test_a_window_as_in_training_starts_nothing(ran, project, forked):
    (watched,) = [ended for command, ended in ran.items() if "pipelines watch" in command]
    outcome = json.loads(watched.stdout)
    assert (outcome["state"], outcome["seen_before"]) == ("kept", False)
    (before,) = [ended.stdout for command, ended in ran.items() if "registry list" in command]
    assert forked(project, "-m", "edgeloop", "registry", "list", "digits").stdout == before
    assert (project / "artifacts/detect_drift/report").stat().st_size > 100_000


def test_the_python_of_the_readme_runs(fences, project, forked):
    (code,) = [body for kind, body in fences if kind == "python"]
    assert len(code.splitlines()) <= 16
    ended = forked(project, "-c", code)
    assert ended.returncode == 0, ended.stderr
    assert float(ended.stdout) > 0.5


def test_every_link_leads_somewhere(root):
    for target in re.findall(r"\]\(([^)#]+)\)", (root / "README.md").read_text()):
        assert (root / target.replace("\\", "")).exists(), target
