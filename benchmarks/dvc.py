"""What DVC adds: rendering dvc.yaml, and a `dvc repro` that has nothing to do."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.run import copied
from benchmarks.timing import interleaved, shown

ROUNDS = 5


def figures() -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "project"
        copied(project)
        # the environment's own `python` and `dvc`, as in an activated shell
        variables = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        for command in (["git", "init", "-q"], ["dvc", "repro", "-q"]):
            subprocess.run(command, cwd=project, env={**os.environ, **variables}, check=True, capture_output=True)
        commands = {
            "nothing": ["dvc", "repro"],
            "render": [sys.executable, "-m", "pipelines", "dvc"],
            "compile": [sys.executable, "-m", "pipelines", "compile"],
        }
        seconds = interleaved(commands, rounds=ROUNDS, folder=project, variables=variables)
    yield "dvc repro with nothing to do", shown(seconds["nothing"]), "≤ 3 s"
    yield "python -m pipelines dvc", shown(seconds["render"]), "≤ 5 s"
    yield "python -m pipelines compile", shown(seconds["compile"]), "≤ 5 s"
