"""Every scenario whole, as its user runs it: what its model reaches on test, how long training took, and the digest.

The detector of traffic signs is asked about fresh scenes of every condition as well, see `benchmarks.fresh`.
`docs/scenarios.md` holds the last figures.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

from benchmarks import fresh
from benchmarks.run import copied
from edgeloop.canonical import sha256_of_file

DETECTOR = "traffic-signs"
SCENARIOS = ("digits", "traffic-signs-crops", "vibration", "vibration-anomaly", DETECTOR)
LONGEST_TRAINING = {DETECTOR: 600}
"""Seconds on 2 quiet cores."""


def figures(*chosen: str) -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar; `chosen`: scenarios, all by default."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in chosen or SCENARIOS:
            project = Path(scratch) / name
            copied(project)
            yield from _of_scenario(name, project)


def _of_scenario(name: str, project: Path) -> Iterator[tuple[str, str, str]]:
    command = [sys.executable, "-m", "pipelines", "run", "--scenario", name, "--json"]
    ended = subprocess.run(command, cwd=project, capture_output=True, text=True)
    steps = project / "artifacts"
    if (steps / "train/history/cost.json").is_file():
        seconds, limit = _read(steps / "train/history/cost.json")["wall_s"], LONGEST_TRAINING.get(name)
        yield f"{name}: training", f"{seconds:.0f} s", f"≤ {limit} s on 2 quiet cores" if limit else "none"
    if (steps / "evaluate/evaluation/evaluation.json").is_file():
        yield from _judged(name, _read(steps / "evaluate/evaluation/evaluation.json"))
    if ended.returncode:
        yield f"{name}: registered", ended.stderr.strip().splitlines()[-1], "yes"
        return
    models = project / "artifacts/register/bundle/models"
    variant = _read(steps / "evaluate/evaluation/evaluation.json")["variant"]
    for path in sorted(models.glob(f"{variant}.*")):
        yield f"{name}: {path.name}", f"sha256:{sha256_of_file(path)}", "none"
    if name == DETECTOR:
        with chdir(project):  # its bundle is signed by a key that this project trusts
            found = list(fresh.figures(steps / "register/bundle"))
        yield from found


def _judged(name: str, evaluation: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The metric on test, that of the worst class, and every limit of the scenario."""
    metric, numbers = evaluation["metric"], evaluation["metrics"]
    measured = f"{numbers[metric]:.4f} ({evaluation['variant']})"
    yield f"{name}: {metric}, {evaluation['samples']:,} samples of test", measured, "none"
    by_class = {row["class"]: row.get("ap50", row.get("recall")) for row in numbers.get("per_class", [])}
    known = {label: value for label, value in by_class.items() if value is not None}
    if known:
        worst = min(known, key=lambda label: known[label])
        yield f"{name}: worst class, {worst}", f"{known[worst]:.4f}", "none"
    for check in evaluation["checks"]:
        value = "not evaluated" if check["value"] is None else f"{check['value']:.4f} ({check['status']})"
        yield f"{name}: {check['name']}", value, f"≥ {check['limit']}"


def _read(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values


if __name__ == "__main__":
    for figure, measured, bar in figures(*sys.argv[1:]):
        print(f"{figure:<58} {measured:<34} bar: {bar}", flush=True)
