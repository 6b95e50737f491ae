import subprocess
import sys

import pytest

from components.exclusive import alone, writing
from edgeloop.errors import EnvironmentFault


def test_a_second_run_is_refused_while_the_first_is_under_way(tmp_path):
    with alone(tmp_path), pytest.raises(EnvironmentFault, match="another run is under way"), alone(tmp_path):
        pass


def test_a_run_that_was_killed_holds_nothing(tmp_path):
    code = (
        "import os, signal, pathlib; from components.exclusive import alone\n"
        f"with alone(pathlib.Path({str(tmp_path)!r})): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == -9
    with alone(tmp_path):
        pass


@pytest.fixture
def check(tmp_path, root, python):
    (tmp_path / "params.yaml").write_text((root / "params.yaml").read_text())

    def run(checked):
        return python(tmp_path, "-m", "components", "check_params", f"checked={checked}", PYTHONPATH=str(root))

    return run


def test_a_step_of_the_project_is_refused_beside_a_run(tmp_path, check):
    with alone(tmp_path / "artifacts"):
        ended = check("artifacts/check_params/checked")
    assert ended.returncode == 3
    assert ended.stderr.startswith("error: artifacts: another run is under way")
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "artifacts" / "check_params").exists()


def test_a_step_elsewhere_runs_beside_it(tmp_path, check):
    with alone(tmp_path / "artifacts"):
        assert check("mine/checked").returncode == 0
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {"checked", "checked.meta.json"}


def test_two_steps_that_write_into_one_folder_elsewhere_are_kept_apart(tmp_path, check):
    with writing([tmp_path / "mine" / "other"]):
        ended = check("mine/checked")
    assert ended.returncode == 3
    assert ended.stderr == f"error: {tmp_path}/mine: another step is writing into this folder; wait for it, " + (
        "or write elsewhere\n"
    )
    assert check("mine/checked").returncode == 0
