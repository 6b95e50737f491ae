"""Wall time of whole processes, interleaved: shared machines drift, so rivals take turns in one run."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


def interleaved(
    commands: Mapping[str, Sequence[str]], *, rounds: int, folder: Path, variables: Mapping[str, str] | None = None
) -> dict[str, list[float]]:
    """Seconds of every command, in turn, `rounds` times, after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    environment = {**os.environ, **(variables or {})}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # modules are compiled once, in the round that does not count
    for turn in range(rounds + 1):
        for name, command in commands.items():
            began = time.perf_counter()
            ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
            if ended.returncode:
                sys.exit(f"{name}: {ended.stderr}")
            if turn:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def shown(seconds: Sequence[float]) -> str:
    """Median with the range."""
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}, n={len(seconds)})"
