"""The plan of a training: what one step needs, the batches that fit, and the time of an epoch."""

from edgeloop.planning import EpochTime, Layer, Memory, Peak, Plan, Workload
from edgeloop.planning.arithmetic import MOST_SAMPLES, largest_of, peak_bytes
from edgeloop.planning.calibration import calibrated, reading_seconds
from edgeloop.planning.limits import gpu_memory, machine_memory, resident_bytes
from edgeloop.planning.rehearsal import Rehearsed, rehearse
from edgeloop.report.numerals import count

USUAL_BATCH = 256
"""Larger ones are planned only where they are asked for: they learn no better and take longer to calibrate."""

JUDGED_SHARE = 1 / 7
"""Samples of val for one of train: prepare_data splits 70 to 20 to 10 unless told otherwise."""

CALIBRATED_SAMPLES, CALIBRATED_FLOPS = 32, 100e9
"""A step that is timed has the planned batch, but beyond so many samples no more operations than that."""

IDLE_SHARE = 0.95
"""Of a core that a single thread gets where nobody else wants it."""

POINTS = 12
"""Batches at which the peak is told."""


def plan(
    workload: Workload,
    *,
    memory: Memory | None = None,
    batch: int | None = None,
    samples: int = 1000,
    calibrate: bool = True,
) -> Plan:
    """The plan of `workload`.

    Args:
        workload: What is trained.
        memory: To keep to; that of this machine or its GPU unless given.
        batch: Samples a step; the largest that fits, at most USUAL_BATCH, unless given.
        samples: Of train, in the epoch that is timed.
        calibrate: Whether some real steps are timed.

    Raises:
        ModelFault, ParamsFault, PluginFault, MissingExtra: The network cannot be rehearsed.
        EnvironmentFault: The memory of this machine is not known, or there is no GPU.
    """
    on_gpu = workload.device == "cuda"
    memory = memory or (gpu_memory() if on_gpu else machine_memory())
    found = rehearse(workload)
    process_bytes = 0 if on_gpu else resident_bytes()
    fitting = {"memory_bytes": memory.size_bytes, "process_bytes": process_bytes}
    largest = largest_of(found.training, **fitting)
    chosen = batch or max(1, min(largest, USUAL_BATCH))
    timed_batch = min(chosen, max(largest, 1), timed_samples(found.layers))
    judged_samples = round(samples * JUDGED_SHARE)
    possible = largest > 0
    timing = calibrate and possible
    times = calibrated(workload, batch=timed_batch, samples=samples, judged_samples=judged_samples) if timing else ()
    return Plan(
        workload=workload,
        layers=found.layers,
        process_bytes=process_bytes,
        memory=memory,
        batch=chosen,
        largest_batch=largest,
        largest_inference_batch=largest_of(found.inference, **fitting),
        training=found.training,
        inference=found.inference,
        peaks=_peaks(found, process_bytes=process_bytes, batch=chosen, largest=largest),
        samples=samples,
        judged_samples=judged_samples,
        reading_s=reading_seconds(workload) * (samples + judged_samples) if timing else None,
        times=times,
        times_source=_source(timed_batch, times, possible=possible) + ("" if on_gpu else busy_told(times)),
    )


def timed_samples(layers: tuple[Layer, ...]) -> int:
    """The most samples in a step that is timed."""
    sample_flops = sum(layer.forward_flops + layer.backward_flops for layer in layers)
    return max(CALIBRATED_SAMPLES, round(CALIBRATED_FLOPS / max(sample_flops, 1)))


def _peaks(found: Rehearsed, *, process_bytes: int, batch: int, largest: int) -> tuple[Peak, ...]:
    """At batches that are spread evenly to a little beyond the largest and the planned one."""
    end = min(MOST_SAMPLES, max(2, round(1.3 * min(largest, 4 * max(batch, USUAL_BATCH))), round(1.3 * batch)))
    batches = {1, batch, end, *(1 + (end - 1) * point // (POINTS - 1) for point in range(POINTS))}
    return tuple(
        Peak(
            batch=size,
            training_bytes=process_bytes + peak_bytes(found.training, batch=size),
            inference_bytes=process_bytes + peak_bytes(found.inference, batch=size),
        )
        for size in sorted(batches)
    )


def _source(batch: int, times: tuple[EpochTime, ...], *, possible: bool) -> str:
    if not possible:
        return "not calibrated: not one sample fits"
    return f"calibrated here with steps of {count(batch)} samples" if times else "not calibrated"


def busy_told(times: tuple[EpochTime, ...]) -> str:
    """What is to be known of a machine that others used: a single thread did not get its core."""
    alone = next((time for time in times if time.threads == 1), None)
    if alone is None or alone.cpu_s >= IDLE_SHARE * alone.wall_s:
        return ""
    return f", on a busy machine: one thread got {100 * alone.cpu_s / alone.wall_s:.0f} % of a core"
