"""Seconds of an epoch, from a few real steps at every number of threads, and of reading, from one sample.

What is timed runs `WARM_UPS` times before it counts, then until `LEAST_TIMES` and `LEAST_S` are over. On the clock the
median counts, since others may want the machine; of CPU seconds the mean, since the memory that the C library gives
back and takes again now and then is a part of every epoch. Steps run with the deterministic kernels of a training. An
epoch learns from all samples of train and judges those of val:

    epoch = learning_samples / batch · step + judged_samples / batch · judgement

Samples are decoded once, before the first epoch, by the training itself, and then stay in memory: an epoch reads
nothing, and there are no workers that could read beside it.
"""

import io
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import fmean, median

from edgeloop.planning import EpochTime, Workload
from edgeloop.planning.rehearsal import built, optimizer_of, samples_of, take_step
from edgeloop.progress import progress
from edgeloop.training.determinism import deterministic

WARM_UPS = 2
"""The C library learns from the first which blocks to keep."""

LEAST_TIMES, LEAST_S = 5, 1.0
READ_SAMPLES = 20


def calibrated(
    workload: Workload, *, batch: int, samples: int, judged_samples: int, cores: int | None = None
) -> tuple[EpochTime, ...]:
    """The times of an epoch for 1, 2, 4 … up to `cores` threads (all there are); on a GPU one keeps it busy."""
    counts = [1] if workload.device == "cuda" else thread_counts(cores or len(os.sched_getaffinity(0)))
    times: list[EpochTime] = []
    with progress("calibrate", len(counts)) as advance:
        for threads in counts:
            times.append(
                epoch_time(workload, batch=batch, threads=threads, samples=samples, judged_samples=judged_samples)
            )
            advance(1, f"{threads} threads {times[-1].wall_s:.3g} s an epoch")
    return tuple(times)


def epoch_time(workload: Workload, *, batch: int, threads: int, samples: int, judged_samples: int) -> EpochTime:
    """The time of an epoch, see the module.

    Args:
        workload: What is trained.
        batch: Samples a step that is timed; one of more takes proportionally longer.
        threads: Computing ones.
        samples: Of train.
        judged_samples: Of val.
    """
    with _computing(workload, threads=threads):
        (step_s, step_cpu_s), (judgement_s, judgement_cpu_s) = map(timed, _actions(workload, batch=batch))
    steps, judgements = samples / batch, judged_samples / batch
    return EpochTime(
        threads=threads,
        wall_s=steps * step_s + judgements * judgement_s,
        cpu_s=steps * step_cpu_s + judgements * judgement_cpu_s,
    )


def thread_counts(cores: int) -> list[int]:
    """1, 2, 4 … and `cores`."""
    return sorted({2**power for power in range(cores.bit_length()) if 2**power <= cores} | {cores})


def _actions(workload: Workload, *, batch: int) -> tuple[Callable[[], None], Callable[[], None]]:
    """A step of training, and a pass forward as over val."""
    import torch

    network = built(workload, device=workload.device)
    optimizer = optimizer_of(network, workload)
    samples = samples_of(workload, batch=batch, device=workload.device)

    def learn() -> None:
        network.train()
        take_step(network, optimizer, samples)
        _finish(workload)

    def judge() -> None:
        network.eval()
        with torch.inference_mode():
            network(samples)
        _finish(workload)

    return learn, judge


def _finish(workload: Workload) -> None:
    """Waits for a GPU, which works on while Python goes ahead."""
    import torch

    if workload.device == "cuda":
        torch.cuda.synchronize()


def timed(action: Callable[[], None]) -> tuple[float, float]:
    """Median of the wall seconds and mean of the CPU seconds of `action`, see the module."""
    for _ in range(WARM_UPS):
        action()
    walls: list[float] = []
    cpus: list[float] = []
    began_ns = time.perf_counter_ns()
    while len(walls) < LEAST_TIMES or time.perf_counter_ns() - began_ns < LEAST_S * 1e9:
        wall_ns, cpu_ns = time.perf_counter_ns(), time.process_time_ns()
        action()
        walls.append((time.perf_counter_ns() - wall_ns) / 1e9)
        cpus.append((time.process_time_ns() - cpu_ns) / 1e9)
    return median(walls), fmean(cpus)


def reading_seconds(workload: Workload) -> float:
    """Of one sample: a PNG of noise is decoded where the input is a picture of one or three channels, else nothing."""
    shape = workload.input_shape
    if len(shape) != 3 or shape[0] not in (1, 3):
        return 0.0
    from edgeloop.data.preprocessing import ImageInput, decode

    image = ImageInput(height=shape[1], width=shape[2], mode="L" if shape[0] == 1 else "RGB")
    content = _png(shape)
    decode(content, image)
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
def _computing(workload: Workload, *, threads: int) -> Iterator[None]:
    """As a training computes; a GPU's library has no deterministic kernels without settings of its own."""
    if workload.device == "cuda":
        yield
        return
    with deterministic(seed=0, threads=threads):
        yield
