import re
import shutil
import subprocess
import sysconfig
from importlib.metadata import distributions

import pytest


def lock(root):
    return (root / "requirements.lock").read_text().splitlines()


def test_every_line_of_the_lock_file_pins_one_version(root):
    for line in lock(root):
        assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*==[0-9][0-9a-z.!]*", line), line


def test_the_lock_file_names_no_host_and_no_local_build(root):
    text = (root / "requirements.lock").read_text()
    assert not re.search(r"https?:|file:|--|\+cpu|@", text)


def test_make_env_never_resolves_tensorrt_nor_cuda(root):
    names = {line.partition("==")[0] for line in lock(root)}
    assert not {name for name in names if re.match(r"tensorrt|nvidia|cuda|triton", name)}
    recipe = subprocess.run(["make", "-Bn", "env"], cwd=root, capture_output=True, text=True, check=True).stdout
    installs = [line for line in recipe.splitlines() if "pip install" in line]
    assert installs
    assert all("--no-deps" in line for line in installs)


def test_what_is_installed_is_what_the_lock_file_says(root):
    # of the environment alone: setuptools, once imported, adds what it brings along to the path of this process
    found = distributions(path=[sysconfig.get_path("purelib")])
    installed = {re.sub(r"[-_.]+", "-", d.name).lower(): d.version.partition("+")[0] for d in found}
    for line in lock(root):
        name, _, version = line.partition("==")
        assert installed.get(name) == version, f"run: make env ({name})"


@pytest.mark.parametrize("tool", ["git", "python3"])
def test_a_missing_tool_is_named(root, tmp_path, tool):
    """With a PATH that has everything but the tool."""
    for name in {"make", "git", "python3", "sh", "cksum", "awk", "rm", "touch", "bash"} - {tool}:
        if found := shutil.which(name):
            (tmp_path / name).symlink_to(found)
    command = ["make", "env", "VENV=" + str(tmp_path / "venv")]
    ended = subprocess.run(command, cwd=root, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert ended.returncode != 0
    assert f"error: {tool}: not found" in ended.stderr
    assert not (tmp_path / "venv").exists()


def test_make_alone_shows_help(root):
    shown = subprocess.run(["make"], cwd=root, capture_output=True, text=True, check=True).stdout
    for target in ("env", "run", "test", "lint", "bench", "clean"):
        assert f"make {target} " in shown
