"""How long `--help` takes, and what `import kfp` costs on this machine."""

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.timing import interleaved, shown

ROOT = Path(__file__).parents[1]


def figures() -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar."""
    commands = {
        "edgeloop --help": [sys.executable, "-m", "edgeloop", "--help"],
        "python -m pipelines --help": [sys.executable, "-m", "pipelines", "--help"],
        "python -m components --help": [sys.executable, "-m", "components", "--help"],
        "import kfp": [sys.executable, "-c", "import kfp"],
    }
    seconds = interleaved(commands, rounds=9, folder=ROOT)
    for name, values in seconds.items():
        yield name, shown(values), "none, for comparison" if name == "import kfp" else "≤ 0.5 s"
