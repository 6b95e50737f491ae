"""Seconds of an epoch, from a few real steps at every number of threads and one sample read over and over.

A step is timed after one that warms up, until `LEAST_STEPS` and `LEAST_S` are over; the median counts, since others
may want the machine. Reading goes on beside learning where workers do it, so the slower of the two decides:

    wall = max(learning, reading / workers), and learning + reading without workers
"""

import io
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median

from edgeloop.planning import EpochTime, Workload
from edgeloop.planning.rehearsal import built, optimizer_of, samples_of, take_step
from edgeloop.progress import progress

LEAST_STEPS, LEAST_S = 3, 0.3
READ_SAMPLES = 20
MOST_WORKERS = 4


def calibrated(workload: Workload, *, batch: int, samples: int, cores: int | None = None) -> tuple[EpochTime, ...]:
    """The times of an epoch of `samples` for 1, 2, 4 … up to `cores` threads (all there are) and loader workers."""
    cores = cores or len(os.sched_getaffinity(0))
    threads = thread_counts(cores)
    times: list[EpochTime] = []
    with progress("calibrate", len(threads) + 1) as advance:
        reading_s = reading_seconds(workload)
        advance(1, f"reading {1e3 * reading_s:.2f} ms a sample")
        for count in threads:
            wall_s, cpu_s = step_seconds(workload, batch=batch, threads=count)
            advance(1, f"{count} threads {wall_s:.3f} s a step")
            times += epoch_times(
                count, step_s=(wall_s, cpu_s), reading_s=reading_s, samples=samples, batch=batch, cores=cores
            )
    return tuple(times)


def epoch_times(
    threads: int, *, step_s: tuple[float, float], reading_s: float, samples: int, batch: int, cores: int
) -> Iterator[EpochTime]:
    """Of one number of threads: without workers and with each number of them up to the cores.

    Args:
        threads: Computing ones.
        step_s: Wall and CPU seconds of a step.
        reading_s: Of one sample.
        samples: In an epoch.
        batch: Samples in a step.
        cores: There are.
    """
    steps = samples / batch
    learning_s, read_s = steps * step_s[0], samples * reading_s
    for workers in range(min(cores, MOST_WORKERS) + 1):
        wall_s = max(learning_s, read_s / workers) if workers else learning_s + read_s
        yield EpochTime(threads=threads, workers=workers, wall_s=wall_s, cpu_s=steps * step_s[1] + read_s)


def thread_counts(cores: int) -> list[int]:
    """1, 2, 4 … and `cores`."""
    return sorted({2**power for power in range(cores.bit_length()) if 2**power <= cores} | {cores})


def step_seconds(workload: Workload, *, batch: int, threads: int) -> tuple[float, float]:
    """Wall and CPU seconds of one step of training."""
    import torch

    network = built(workload, device=workload.device).train()
    optimizer = optimizer_of(network, workload)
    samples = samples_of(workload, batch=batch, device=workload.device)

    def step() -> None:
        take_step(network, optimizer, samples)
        if workload.device == "cuda":
            torch.cuda.synchronize()

    with _threads(threads):
        return timed(step)


def timed(action: Callable[[], None]) -> tuple[float, float]:
    """Median wall and CPU seconds of `action`, see the module."""
    action()
    walls: list[float] = []
    cpus: list[float] = []
    began_ns = time.perf_counter_ns()
    while len(walls) < LEAST_STEPS or time.perf_counter_ns() - began_ns < LEAST_S * 1e9:
        wall_ns, cpu_ns = time.perf_counter_ns(), time.process_time_ns()
        action()
        walls.append((time.perf_counter_ns() - wall_ns) / 1e9)
        cpus.append((time.process_time_ns() - cpu_ns) / 1e9)
    return median(walls), median(cpus)


def reading_seconds(workload: Workload) -> float:
    """Of one sample: a PNG of noise is decoded where the input is a picture of one or three channels, else nothing."""
    shape = workload.input_shape
    if len(shape) != 3 or shape[0] not in (1, 3):
        return 0.0
    from edgeloop.data.preprocessing import ImageInput, decode

    image = ImageInput(height=shape[1], width=shape[2], mode="L" if shape[0] == 1 else "RGB")
    content = _png(shape)
    began_ns = time.perf_counter_ns()
    for _ in range(READ_SAMPLES):
        decode(content, image)
    return (time.perf_counter_ns() - began_ns) / 1e9 / READ_SAMPLES


def _png(shape: Sequence[int]) -> bytes:
    import numpy as np
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, size=(shape[1], shape[2], shape[0]), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if shape[0] == 1 else pixels).save(file, format="PNG")
    return file.getvalue()


@contextmanager
def _threads(count: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
