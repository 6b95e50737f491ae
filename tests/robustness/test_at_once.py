"""Two processes of one step at once into one place: one of them writes, the other says why it does not."""

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from edgeloop.data.dataset import Dataset
from edgeloop.errors import EXIT_DONE, EXIT_ENVIRONMENT

pytestmark = pytest.mark.slow


@pytest.fixture
def project(new_project: Callable[[Path], Any], tmp_path: Path) -> Any:
    return new_project(tmp_path / "project")


def both(project: Any, *arguments: str) -> "list[subprocess.CompletedProcess[str]]":
    """Runs the same command twice at once; the one that wrote comes first."""
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda _: project.python(*arguments), range(2)))
    return sorted(ended, key=lambda one: one.returncode)


@pytest.mark.parametrize(
    ("place", "words"),
    [("artifacts/prepare_data", "another run is under way in this project"), ("elsewhere", "another step is writing")],
)
def test_two_processes_of_a_step_write_one_output(place: str, words: str, project: Any) -> None:
    command = ["-m", "components", "prepare_data", f"dataset={place}/dataset", f"profile={place}/profile"]
    first, second = both(project, *command)
    assert (first.returncode, second.returncode) == (EXIT_DONE, EXIT_ENVIRONMENT), first.stderr + second.stderr
    assert second.stdout == ""
    (line,) = second.stderr.splitlines()
    assert words in line
    names = {path.name for path in (project.folder / place).iterdir()}
    assert names == {"dataset", "profile", "dataset.meta.json", "profile.meta.json"}
    assert len(Dataset(project.folder / place / "dataset").samples) == 1797


@pytest.mark.long
@pytest.mark.parametrize("step", ["train", "convert", "quantize", "benchmark", "select", "evaluate", "register"])
def test_two_processes_of_any_step_leave_what_one_leaves(step: str, finished: Any) -> None:
    first, second = both(finished.project, "-m", "components", step, *finished.project.wiring[step])
    assert (first.returncode, second.returncode) == (EXIT_DONE, EXIT_ENVIRONMENT), first.stderr + second.stderr
    assert "Traceback" not in second.stderr
    assert finished.project.files(step).keys() == finished.files[step].keys()
