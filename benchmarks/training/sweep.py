"""Seconds of an epoch over threads and precisions, of AlexNet and of the detector.

A step is forward, loss, backward and AdamW; bf16 and fp16 are autocast over fp32 weights with channels last, as
`train.precision` has them. All settings take turns, so that a machine that others use slows none more than another,
and the fastest round of each is told: its seconds on the clock, which are true on an idle machine only, and of CPU. On
a GPU, where there is one, threads have no say; its peak is `max_memory_allocated`.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.training.cases import CASES
from benchmarks.training.children import child, rows_told
from benchmarks.training.memory import gpu_obstacle
from edgeloop.planning.table import threads_told

BATCHES = {"alexnet": 16, "yolo_tiny": 8}
SAMPLES = 1000
"""Of an epoch."""

ROUNDS, GPU_ROUNDS = 4, 20
CPU_PRECISIONS, GPU_PRECISIONS = ("fp32", "bf16"), ("fp32", "bf16", "fp16")
PICTURE = Path(__file__).parents[2] / "docs/pictures/epoch_times.png"

Row = tuple[str, int, str, float, float, float]
"""Device, threads, precision; wall and CPU seconds of an epoch; peak bytes of a GPU, 0 of a CPU."""


def figures() -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar."""
    bar = "none, for comparison"
    for name in BATCHES:
        for device, threads, precision, wall_s, cpu_s, peak_bytes in child("sweep", name):
            place, beside = (
                (threads_told(threads), f"{cpu_s:.1f} s of CPU")
                if device == "cpu"
                else (device, f"peak {peak_bytes / 1e6:,.0f} MB")
            )
            yield f"epoch of {SAMPLES} samples, {name}, {place}, {precision}", f"{wall_s:.1f} s ({beside})", bar
    if obstacle := gpu_obstacle():
        yield "epoch on a GPU", f"not evaluated: {obstacle}", bar


def table(*chosen: str) -> Iterator[str]:
    """Markdown, and the picture when all is run."""
    found = {name: [tuple(row) for row in child("sweep", name)] for name in chosen or BATCHES}
    rows = [
        (
            name,
            threads_told(threads) if device == "cpu" else f"GPU, peak {peak_bytes / 1e6:,.0f} MB",
            precision,
            f"{wall_s:.1f}",
            f"{cpu_s:.1f}",
        )
        for name, measurements in found.items()
        for device, threads, precision, wall_s, cpu_s, peak_bytes in measurements
    ]
    yield from rows_told(("Network", "On", "Precision", "Epoch, s", "Epoch, CPU s"), rows)
    if obstacle := gpu_obstacle():
        yield f"on a GPU: not evaluated: {obstacle}"
    if not chosen:
        draw(found)
        yield f"drawn: {PICTURE}"


def draw(found: dict[str, list[Any]]) -> None:
    """A picture a network: threads across, CPU seconds a thread up, one line a precision; a GPU is a level line.

    CPU seconds a thread are what a thread computes, whoever else wants its core: an idle machine comes near them.
    """
    from edgeloop.pictures import BLUE, GREY, ORANGE, picture

    colours = {"fp32": BLUE, "bf16": ORANGE, "fp16": GREY}
    with picture(PICTURE, width_in=8, height_in=3.2) as figure:
        for place, (name, rows) in zip(figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
            for precision, colour in colours.items():
                cpu = [row for row in rows if row[0] == "cpu" and row[2] == precision]
                if cpu:
                    points = [(threads, cpu_s / threads) for _, threads, _, _, cpu_s, _ in cpu]
                    place.plot(*zip(*points, strict=True), marker="o", color=colour, label=precision)
                for device, _, kind, wall_s, *_ in rows:
                    if device == "cuda" and kind == precision:
                        place.axhline(wall_s, color=colour, linestyle=":", label=f"GPU, {precision}")
            shape = "x".join(map(str, CASES[name].shape))
            ylabel = f"CPU seconds a thread, {SAMPLES:,} samples"
            place.set(title=f"{name}, {shape}, batch {BATCHES[name]}", xlabel="threads", ylabel=ylabel, ylim=(0, None))
            place.set_xticks(sorted({threads for device, threads, *_ in rows if device == "cpu"}))
            place.legend()


def measured(name: str) -> list[Row]:
    """The fastest round of every setting."""
    import os

    from edgeloop.planning.calibration import thread_counts
    from edgeloop.training.determinism import import_torch

    import_torch()
    counts = thread_counts(len(os.sched_getaffinity(0)))
    rows = cpu_rows(name, [(threads, precision) for threads in counts for precision in CPU_PRECISIONS])
    if gpu_obstacle() is None:
        rows += [gpu_row(name, precision) for precision in GPU_PRECISIONS]
    return rows


def cpu_rows(name: str, settings: list[tuple[int, str]]) -> list[Row]:
    """Threads and precisions take turns; the first round does not count."""
    steps = {precision: step_of(name, "cpu", precision) for precision in CPU_PRECISIONS}
    fastest = dict.fromkeys(settings, (float("inf"), 0.0))
    for turn in range(ROUNDS + 1):
        for threads, precision in settings:
            seconds = seconds_of(steps[precision], threads=threads)
            if turn:
                fastest[threads, precision] = min(fastest[threads, precision], seconds)
    share = SAMPLES / BATCHES[name]
    return [("cpu", *setting, wall_s * share, cpu_s * share, 0) for setting, (wall_s, cpu_s) in fastest.items()]


def gpu_row(name: str, precision: str) -> Row:
    """One precision alone, so that the peak is its own."""
    import torch

    torch.cuda.reset_peak_memory_stats()
    step = step_of(name, "cuda", precision)
    step()
    wall_s, cpu_s = min(seconds_of(step, threads=1) for _ in range(GPU_ROUNDS))
    share = SAMPLES / BATCHES[name]
    return ("cuda", 1, precision, wall_s * share, cpu_s * share, torch.cuda.max_memory_allocated())


def seconds_of(step: Callable[[], None], *, threads: int) -> tuple[float, float]:
    """Wall and CPU seconds of a step."""
    import torch

    torch.set_num_threads(threads)
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    step()
    return time.perf_counter() - began_s, time.process_time() - began_cpu_s


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
