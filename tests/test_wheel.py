import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_library_only(wheel):
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"edgeloop"}


def test_the_wheel_alone_runs_in_an_empty_environment(wheel, tmp_path, root):
    venv.create(tmp_path / "venv", with_pip=True)
    binaries = tmp_path / "venv" / "bin"
    install = [binaries / "pip", "install", "--quiet", "-c", root / "requirements.lock", wheel]
    subprocess.run(install, check=True, capture_output=True)

    def edgeloop(*arguments):
        command = [binaries / "edgeloop", *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    for command in ("data", "bench", "devices", "predict", "lineage"):
        assert command in edgeloop("--help")
    assert "local" in edgeloop("devices", "list")
    assert json.loads(edgeloop("devices", "list", "--json"))[0]["name"] == "local"
