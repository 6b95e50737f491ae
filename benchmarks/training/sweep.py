"""Seconds of an epoch over threads and precisions, of AlexNet and of the detector.

A step is forward, loss, backward and AdamW; bf16 and fp16 are autocast over fp32 weights with channels last, as
`train.precision` has them. All settings take turns, so that a machine that others use slows none more than another,
and the fastest round of each is told. On a GPU, where there is one, threads have no say; its peak is
`max_memory_allocated`.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.training.cases import CASES
from benchmarks.training.children import child, rows_told
from benchmarks.training.memory import gpu_obstacle

BATCHES = {"alexnet": 32, "yolo_tiny": 16}
SAMPLES = 1000
"""Of an epoch."""

ROUNDS, GPU_ROUNDS = 5, 20
CPU_PRECISIONS, GPU_PRECISIONS = ("fp32", "bf16"), ("fp32", "bf16", "fp16")
PICTURE = Path(__file__).parents[2] / "docs/pictures/epoch_times.png"

Row = tuple[str, int, str, float]
"""Device, threads, precision, seconds of an epoch."""


def figures() -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar."""
    for name in BATCHES:
        for device, threads, precision, seconds in child("sweep", name):
            place = f"{threads} threads" if device == "cpu" else device
            yield (
                f"epoch of {SAMPLES} samples, {name}, {place}, {precision}",
                f"{seconds:.1f} s",
                "none, for comparison",
            )
    if obstacle := gpu_obstacle():
        yield "epoch on a GPU", f"not evaluated: {obstacle}", "none, for comparison"


def table(*chosen: str) -> Iterator[str]:
    """Markdown, and the picture when all is run."""
    found = {name: [tuple(row) for row in child("sweep", name)] for name in chosen or BATCHES}
    rows = [
        (
            name,
            device,
            str(threads) if device == "cpu" else "–",
            precision,
            f"{seconds:.1f}",
            f"{SAMPLES / seconds:.0f}",
        )
        for name, measurements in found.items()
        for device, threads, precision, seconds in measurements
    ]
    yield from rows_told(("Network", "Device", "Threads", "Precision", "Epoch, s", "Samples/s"), rows)
    if obstacle := gpu_obstacle():
        yield f"on a GPU: not evaluated: {obstacle}"
    if not chosen:
        draw(found)
        yield f"drawn: {PICTURE.relative_to(Path.cwd())}"


def draw(found: dict[str, list[Any]]) -> None:
    """A picture a network: threads across, seconds up, one line a precision; a GPU is a level line."""
    from edgeloop.pictures import BLUE, GREY, ORANGE, picture

    colours = {"fp32": BLUE, "bf16": ORANGE, "fp16": GREY}
    with picture(PICTURE, width_in=8, height_in=3.2) as figure:
        for place, (name, rows) in zip(figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
            for precision, colour in colours.items():
                points = [
                    (threads, seconds)
                    for device, threads, kind, seconds in rows
                    if (device, kind) == ("cpu", precision)
                ]
                if points:
                    place.plot(*zip(*points, strict=True), marker="o", color=colour, label=precision)
                for device, _, kind, seconds in rows:
                    if device == "cuda" and kind == precision:
                        place.axhline(seconds, color=colour, linestyle=":", label=f"GPU, {precision}")
            shape = "x".join(map(str, CASES[name].shape))
            place.set(
                title=f"{name}, {shape}", xlabel="threads", ylabel=f"seconds, {SAMPLES:,} samples", ylim=(0, None)
            )
            place.set_xticks(sorted({threads for device, threads, _, _ in rows if device == "cpu"}))
            place.legend()


def measured(name: str) -> list[Row]:
    """The fastest round of every setting."""
    import os

    from edgeloop.planning.calibration import thread_counts
    from edgeloop.training.determinism import import_torch

    import_torch()
    settings = [
        ("cpu", threads, precision)
        for threads in thread_counts(len(os.sched_getaffinity(0)))
        for precision in CPU_PRECISIONS
    ]
    if gpu_obstacle() is None:
        settings += [("cuda", 1, precision) for precision in GPU_PRECISIONS]
    steps = {setting: step_of(name, setting[0], setting[2]) for setting in settings}
    fastest = dict.fromkeys(settings, float("inf"))
    for turn in range(ROUNDS + 1):
        for setting, step in steps.items():
            for _ in range(GPU_ROUNDS if setting[0] == "cuda" else 1):
                seconds = seconds_of(step, threads=setting[1])
                if turn:
                    fastest[setting] = min(fastest[setting], seconds)
    return [(*setting, seconds * SAMPLES / BATCHES[name]) for setting, seconds in fastest.items()]


def seconds_of(step: Callable[[], None], *, threads: int) -> float:
    """Wall seconds of a step."""
    import torch

    torch.set_num_threads(threads)
    began_s = time.perf_counter()
    step()
    return time.perf_counter() - began_s


def step_of(name: str, device: str, precision: str) -> Callable[[], None]:
    """A step of training with weights of fp32."""
    import torch

    from edgeloop.planning import PRECISIONS
    from edgeloop.planning.rehearsal import built, optimizer_of, samples_of, take_step

    work = CASES[name].workload(device=device)
    network, samples = built(work, device=device).train(), samples_of(work, batch=BATCHES[name], device=device)
    mixed = precision != "fp32"
    if mixed:
        network = network.to(memory_format=torch.channels_last)
        samples = samples.to(memory_format=torch.channels_last)
    optimizer = optimizer_of(network, work)

    def step() -> None:
        with torch.autocast(device, dtype=getattr(torch, PRECISIONS[precision]), enabled=mixed):
            take_step(network, optimizer, samples)
        if device == "cuda":
            torch.cuda.synchronize()

    return step
