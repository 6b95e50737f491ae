"""Samples a second of edgeloop's loop against a plain one (`plain`), one thread.

Epochs of the two take turns in one process, the first of each does not count, and the median of the ratios is told, in
CPU seconds: on one thread they are the wall seconds of an idle machine. The plain loop runs without deterministic
kernels; neither moves its samples about, which only edgeloop does by default.
"""

import copy
import time
from collections.abc import Iterator
from statistics import median

from benchmarks.training.cases import Case, lesson
from benchmarks.training.children import child, rows_told

RIVALS: dict[str, tuple[Case, int, int]] = {
    "cnn on digits": (Case("cnn", (1, 8, 8), (64, 64, 64)), 1257, 40),
    "resnet-8, 3x32x32": (Case("resnet", (3, 32, 32), (32, 32, 32)), 640, 8),
    "yolo_tiny 0.375, 3x192x192": (Case("yolo_tiny", (3, 192, 192), (16, 16, 16), {"width": 0.375}), 160, 8),
}
"""Case, samples of train and rounds."""

BAR = 0.95


def figures() -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar."""
    for name in RIVALS:
        found = child("speed", name)
        text = f"{ratio_of(found):.3f} of a plain loop ({rate_of(found, 'edgeloop', name):,.0f} samples/s)"
        yield f"training speed, {name}", text, f"≥ {BAR}"


def table(*chosen: str) -> Iterator[str]:
    """Markdown; of one case or of all."""
    rows = []
    for name in chosen or RIVALS:
        found = child("speed", name)
        rates = [f"{rate_of(found, whose, name):,.0f}" for whose in ("edgeloop", "plain")]
        rows.append((name, f"{RIVALS[name][0].batches[0]}", *rates, f"{ratio_of(found):.3f}"))
    yield from rows_told(("Network", "Batch", "edgeloop, samples/s", "plain, samples/s", "ratio"), rows)


def ratio_of(found: dict[str, list[float]]) -> float:
    """Samples a second of edgeloop's loop over the plain loop's, the median of all rounds."""
    return median(plain / own for own, plain in zip(found["edgeloop"], found["plain"], strict=True))


def rate_of(found: dict[str, list[float]], whose: str, name: str) -> float:
    """Samples of train a CPU second."""
    return RIVALS[name][1] / median(found[whose])


def measured(name: str) -> dict[str, list[float]]:
    """CPU seconds of every epoch."""
    from edgeloop.training.determinism import deterministic, import_torch

    import_torch()
    import torch

    from benchmarks.training.plain import plain_epochs
    from edgeloop.models import named_outputs
    from edgeloop.training.loop import fit

    case, samples, rounds = RIVALS[name]
    batch = case.batches[0]
    seconds: dict[str, list[float]] = {"edgeloop": [], "plain": []}
    with deterministic(seed=0, threads=1):
        given = lesson(
            case, train=samples, val=samples // 7, batch=batch, epochs=rounds + 1, augment_shift=0, schedule="constant"
        )
        card, task = given.material.card, given.task
        rival = plain_epochs(
            copy.deepcopy(given.network),
            lambda outputs, inputs, truths: task.loss(named_outputs(outputs, card), inputs, truths, card),
            train=given.material.train,
            val=given.material.val,
            mean=card.preprocessing.mean[0],
            std=card.preprocessing.std[0],
            batch=batch,
            rate=given.params.learning_rate,
        )
        began_s = time.process_time()

        def follow(_epoch: object) -> None:
            nonlocal began_s
            seconds["edgeloop"].append(time.process_time() - began_s)
            torch.use_deterministic_algorithms(False)
            began_s = time.process_time()
            next(rival)
            seconds["plain"].append(time.process_time() - began_s)
            torch.use_deterministic_algorithms(True)
            began_s = time.process_time()

        fit(given.network, task, params=given.params, material=given.material, on_epoch=follow)
    return {whose: found[1:] for whose, found in seconds.items()}
