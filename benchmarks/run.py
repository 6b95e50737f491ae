"""The default scenario whole, and what the pipeline adds to the library that it calls."""

import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.timing import interleaved, shown
from components import STEPS

ROOT = Path(__file__).parents[1]
ROUNDS = 3


def figures() -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "project"
        copied(project)
        commands = {
            "pipeline": [sys.executable, "-m", "pipelines", "run"],
            "library": [sys.executable, "-m", "benchmarks.inprocess"],
            "import kfp": [sys.executable, "-c", "import kfp"],
        }
        seconds = interleaved(commands, rounds=ROUNDS, folder=project)
    yield "python -m pipelines run, default scenario", shown(seconds["pipeline"]), "≤ 120 s on 2 cores"
    yield "the same library functions in one process", shown(seconds["library"]), "none, for comparison"
    rounds = zip(seconds["pipeline"], seconds["library"], seconds["import kfp"], strict=True)
    overhead = [(pipeline - library - kfp) / len(STEPS) for pipeline, library, kfp in rounds]
    text = f"{statistics.median(overhead):.2f} s ({min(overhead):.2f} to {max(overhead):.2f})"
    yield "overhead of the pipeline a step, less one import kfp", text, "≤ 0.3 s"


def copied(project: Path) -> None:
    """Copies the files that git knows."""
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        target = project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
