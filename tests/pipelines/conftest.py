"""A project in which DVC has run the smoke scenario once, for every test that looks at such a project."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Reproduced:
    """A project with its DVC, and what the first `dvc repro` said and made."""

    folder: Path
    output: str
    subject_digest: str


@pytest.fixture(scope="session")
def command(tmp_path_factory, imported) -> Command:
    """Runs a command in a folder, as a user would with the environment on the PATH and nothing in the home.

    DVC itself is a fork, see tests/imported_python.py; the stages that it runs are processes of their own.
    """
    place = tmp_path_factory.mktemp("dvc")
    (place / "home").mkdir()
    bin_folder = Path(sys.executable).parent
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(place / "home"),
        "DVC_SITE_CACHE_DIR": str(place / "site"),
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "us-east-1",
        **{f"GIT_{who}_{what}": "tests@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }

    def run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
        match words:
            case ["dvc", *_]:
                ended = imported.run(folder, ["-m", *words], environment)
            case ["python", *arguments]:
                ended = imported.run(folder, arguments, environment)
            case _:
                ended = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
        assert ended.returncode == 0, f"{' '.join(words)}\n{ended.stdout}\n{ended.stderr}"
        return ended

    return run


def subject_digest_of(project: Path) -> str:
    """What register recorded."""
    sidecar = json.loads((project / "artifacts/register/bundle.meta.json").read_text())
    return str(sidecar["metadata"]["subject_digest"])


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory, rehearsed, command) -> Reproduced:
    """A committed project in which `dvc repro` has run once."""
    folder = rehearsed(tmp_path_factory.mktemp("reproduced") / "project")
    command(folder, "git", "init", "-q")
    (folder / ".git/info/exclude").write_text(".venv\n")
    command(folder, "python", "-m", "pipelines", "scenario", "smoke")
    (folder / "dvc.lock").unlink(missing_ok=True)
    output = command(folder, "dvc", "repro").stdout
    command(folder, "git", "add", "-A")
    command(folder, "git", "commit", "-qm", "reproduced")
    return Reproduced(folder, output, subject_digest_of(folder))
