"""Predicted against measured CPU time of an epoch of edgeloop's own loop, one thread.

A calibration and an epoch take turns in one process, the first epoch does not count, and the median of the ratios is
told: what other processes do to this machine, they do to both. An epoch learns from STEPS batches and judges a seventh
as many samples, as the planner assumes.
"""

import time
from collections.abc import Iterator
from statistics import median

from benchmarks.training.cases import CASES, lesson
from benchmarks.training.children import child, rows_told, signed_percent

ROUNDS = 3
STEPS = 4
BAR = 0.20


def figures() -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar."""
    for name in CASES:
        found = child("epochs", name)
        text = f"{median(found['predicted']):.2f} s for {median(found['measured']):.2f} ({ratio_of(found) - 1:+.1%})"
        yield f"CPU time of an epoch, {name}", text, f"within {BAR:.0%}"


def table(*chosen: str) -> Iterator[str]:
    """Markdown; of one architecture or of all."""
    rows = []
    for name in chosen or CASES:
        found = child("epochs", name)
        rows.append(
            (
                name,
                f"{CASES[name].batches[0]:,}",
                f"{median(found['predicted']):.2f}",
                f"{median(found['measured']):.2f}",
                signed_percent(ratio_of(found)),
            )
        )
    yield from rows_told(("Architecture", "Batch", "Predicted, CPU s", "Measured, CPU s", ""), rows)


def ratio_of(found: dict[str, list[float]]) -> float:
    """Predicted over measured, the median of all rounds."""
    return median(one / other for one, other in zip(found["predicted"], found["measured"], strict=True))


def measured(name: str) -> dict[str, list[float]]:
    """CPU seconds of every round."""
    from edgeloop.planning.calibration import epoch_time
    from edgeloop.training.determinism import deterministic, import_torch
    from edgeloop.training.loop import fit

    import_torch()
    case = CASES[name]
    batch = case.batches[0]
    samples, judged = STEPS * batch, max(1, round(STEPS * batch / 7))
    found: dict[str, list[float]] = {"predicted": [], "measured": []}
    with deterministic(seed=0, threads=1):
        given = lesson(case, train=samples, val=judged, batch=batch, epochs=ROUNDS + 1)
        began_s = time.process_time()

        def follow(_epoch: object) -> None:
            nonlocal began_s
            found["measured"].append(time.process_time() - began_s)
            told = epoch_time(case.workload(), batch=batch, threads=1, samples=samples, judged_samples=judged)
            found["predicted"].append(told.cpu_s)
            began_s = time.process_time()

        fit(given.network, given.task, params=given.params, material=given.material, on_epoch=follow)
    return {"predicted": found["predicted"][:-1], "measured": found["measured"][1:]}
