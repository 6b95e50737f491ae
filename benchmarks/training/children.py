"""Processes that measure: each begins with nothing in memory and computes with one thread unless it says otherwise."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def child(figure: str, *arguments: str) -> Any:
    """What `measured` of a figure's module reports in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.training", "child", figure, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        sys.exit(f"{figure} {' '.join(arguments)}: {ended.stderr}")
    return json.loads(ended.stdout)


def high_water_bytes() -> int:
    """The most that this process ever held."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def signed_percent(ratio: float) -> str:
    """A ratio as its distance from 1: +3.1 %."""
    return f"{100 * (ratio - 1):+.1f} %".replace("-", "−")


def rows_told(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """A table as Markdown."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *rows)]
