"""What every test may rely on: fast tests first, and no usage telemetry."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeloop.privacy import opt_out

ROOT = Path(__file__).parents[1]
COST = {"slow": 1, "privileged": 2, "long": 3}


def pytest_configure() -> None:
    opt_out()
    for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "EDGELOOP_FAULT_FILE", "EDGELOOP_PROGRESS"):
        os.environ.pop(variable, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first; what needs rights or minutes last, and without the rights not at all."""

    def cost(item: pytest.Item) -> int:
        return max((COST[mark.name] for mark in item.iter_markers() if mark.name in COST), default=0)

    items.sort(key=cost)
    if os.geteuid() != 0:
        for item in items:
            if item.get_closest_marker("privileged"):
                item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.fixture
def root() -> Path:
    """The project's root folder."""
    return ROOT


def _tracked(root: Path) -> list[Path]:
    """The project's own files, new ones too, without what git ignores."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return [root / name for name in listed.split("\0") if name and (root / name).is_file()]


def copy_of_project(target: Path) -> Path:
    """A copy of the project's files in `target`, with the environment of this one."""
    for path in _tracked(ROOT):
        copy = target / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    if (ROOT / ".venv").exists():
        (target / ".venv").symlink_to(ROOT / ".venv")
    return target


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh copy of the project, alone in its folder."""
    return copy_of_project(tmp_path / "project")


@pytest.fixture(scope="session")
def copied() -> Callable[[Path], Path]:
    """Makes a copy of the project where it is told to."""
    return copy_of_project


Runner = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def python() -> Runner:
    """Runs this Python in a folder, which comes first on its path; its home is an empty folder beside it."""

    def run(folder: Path, *arguments: str, prefix: tuple[str, ...] = (), **variables: str):
        environment = {**os.environ, "HOME": f"{folder}-home", **variables}
        command = [*prefix, sys.executable, *arguments]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)

    return run


Released = "tuple[Path, subprocess.CompletedProcess[str]]"


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory, copied: Callable[[Path], Path], python: Runner) -> Released:
    """A project in which the smoke scenario has run once by kfp.local, and what that run said.

    One for the whole session, because it takes half a minute: whoever changes it says so and comes last.
    """
    project = copied(tmp_path_factory.mktemp("released") / "project")
    ended = python(project, "-m", "pipelines", "run", "--scenario", "smoke", "--json")
    assert ended.returncode == 0, ended.stderr
    return project, ended
