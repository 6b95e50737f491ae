"""Every fenced command of the README runs, in its order, in a fresh rehearsal of the project with an empty home."""

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
def project(tmp_path_factory, rehearsed):
    return rehearsed(tmp_path_factory.mktemp("readme") / "project")


def test_every_command_runs_in_order(fences, project):
    # The copy has the environment of the project that is tested; its stamp makes `make` content with it.
    environment = {**os.environ, "HOME": str(project / "home"), "PYTHONPATH": str(project)}
    (project / "home").mkdir()
    commands = [line for kind, body in fences if kind == "bash" for line in body.splitlines() if line.strip()]
    assert len(commands) > 10
    for command in commands:
        if command in NOT_HERE:
            continue
        # after `make env` nothing needs a network, so there is none, where this can be arranged
        shell = ["unshare", "-n", "sh", "-c", command] if os.geteuid() == 0 else ["sh", "-c", command]
        ended = subprocess.run(shell, cwd=project, env=environment, capture_output=True, text=True)
        assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"


def test_the_python_of_the_readme_runs(fences, project, python):
    (code,) = [body for kind, body in fences if kind == "python"]
    assert len(code.splitlines()) <= 16
    ended = python(project, "-c", code)
    assert ended.returncode == 0, ended.stderr
    assert float(ended.stdout) > 0.5


def test_every_link_leads_somewhere(root):
    for target in re.findall(r"\]\(([^)#]+)\)", (root / "README.md").read_text()):
        assert (root / target.replace("\\", "")).exists(), target
