"""The planner's predictions beside what real steps need: peak memory of every architecture, and time of an epoch.

Every step runs in a process of its own. Its peak memory is VmHWM less that of the same process after a step of a
network of one neuron; freed blocks are returned at once there (see `edgeloop.planning.allocation`), and the peak with
the C library's own habit is shown beside it. The times are true on an idle machine only.

One case: `python -m benchmarks.training memory NAME BATCH` or `… time NAME`.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CASES: dict[str, tuple[tuple[int, ...], dict[str, Any], tuple[int, int, int]]] = {
    "alexnet": ((3, 224, 224), {}, (4, 32, 128)),
    "autoencoder": ((640,), {"hidden": "4096-1024-4096"}, (64, 1024, 8192)),
    "cnn": ((3, 96, 96), {}, (32, 64, 128)),
    "cnn_1d": ((2, 4096), {"width": 64}, (256, 512, 1024)),
    "ds_cnn": ((1, 49, 10), {}, (512, 1024, 2048)),
    "mlp": ((1, 28, 28), {"hidden": "8192-4096"}, (64, 1024, 8192)),
    "mobilenet_v2": ((3, 224, 224), {}, (4, 8, 16)),
    "mobilenet_v3_small": ((3, 224, 224), {}, (16, 32, 64)),
    "resnet": ((3, 224, 224), {}, (8, 16, 32)),
    "yolo_tiny": ((3, 320, 320), {}, (4, 8, 16)),
}
"""Architecture → input, options, and three batches of at least `LEAST_BYTES` each."""

LEAST_BYTES = 200_000_000
CLASSES = 10
STEPS = 4
EPOCH_STEPS = 20
TIMED = ("alexnet", "cnn", "cnn_1d", "mlp", "resnet", "yolo_tiny")
MEMORY_BAR, TIME_BAR = 0.15, 0.20


def figures() -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar."""
    for name, (_, _, batches) in CASES.items():
        for batch in batches:
            yield memory_figure(name, batch)
    for name in TIMED:
        yield time_figure(name)


def memory_figure(name: str, batch: int) -> tuple[str, str, str]:
    """Predicted against measured peak of one batch."""
    exact, kept = (run("memory-child", name, str(batch), way) for way in ("returned", "kept"))
    predicted, measured = exact["predicted"], exact["measured"]
    assert predicted >= LEAST_BYTES, f"{name} at {batch}: too small to judge"
    text = f"{predicted / 1e6:.0f} MB for {measured / 1e6:.0f} ({predicted / measured - 1:+.1%})"
    beside = f"; kept {kept['measured'] / measured:.2f} ×"
    return f"peak memory, {name}, batch {batch}", text + beside, f"within {MEMORY_BAR:.0%}"


def time_figure(name: str) -> tuple[str, str, str]:
    """Predicted against measured CPU time of an epoch of EPOCH_STEPS steps on one thread."""
    found = run("time-child", name)
    text = f"{found['predicted']:.2f} s for {found['measured']:.2f} ({found['predicted'] / found['measured'] - 1:+.1%})"
    return f"CPU time of an epoch, {name}", text, f"within {TIME_BAR:.0%}"


def run(*arguments: str) -> dict[str, float]:
    """What a process of its own reports."""
    command = [sys.executable, "-m", "benchmarks.training", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        sys.exit(f"{' '.join(arguments)}: {ended.stderr}")
    report: dict[str, float] = json.loads(ended.stdout)
    return report


def measured_memory(name: str, batch: int, *, returned: bool) -> dict[str, float]:
    """Predicted and measured bytes of a few steps in this process."""
    import torch

    from edgeloop.planning.allocation import return_at_once
    from edgeloop.planning.arithmetic import peak_bytes
    from edgeloop.planning.rehearsal import rehearse

    torch.set_num_threads(1)
    if returned:
        assert return_at_once()
    predicted = peak_bytes(rehearse(workload(name)).training, batch=batch)
    steps(empty(), batch=2, count=2)
    before = high_water_bytes()
    steps(workload(name), batch=batch, count=STEPS)
    return {"predicted": predicted, "measured": high_water_bytes() - before}


def measured_time(name: str) -> dict[str, float]:
    """Predicted and measured CPU seconds of an epoch in this process."""
    import torch

    from edgeloop.planning.calibration import step_seconds
    from edgeloop.planning.rehearsal import built, optimizer_of, samples_of, take_step

    torch.set_num_threads(1)
    work, batch = workload(name), CASES[name][2][0]
    _, cpu_s = step_seconds(work, batch=batch, threads=1)
    network = built(work, device="cpu").train()
    optimizer, samples = optimizer_of(network, work), samples_of(work, batch=batch, device="cpu")
    take_step(network, optimizer, samples)
    began_s = time.process_time()
    for _ in range(EPOCH_STEPS):
        take_step(network, optimizer, samples)
    return {"predicted": cpu_s * EPOCH_STEPS, "measured": time.process_time() - began_s}


def workload(name: str) -> Any:
    """The case as the planner takes it."""
    from edgeloop.planning import Workload

    shape, options, _ = CASES[name]
    return Workload(model=name, options=options, input_shape=shape, classes=CLASSES)


def empty() -> Any:
    """A network of next to nothing, so that what torch brings into a process is there already."""
    from edgeloop.planning import Workload

    return Workload(model="cnn", options={"width": 1}, input_shape=(1, 8, 8), classes=1)


def steps(work: Any, *, batch: int, count: int) -> None:
    """Trains for `count` steps."""
    from edgeloop.planning.rehearsal import built, optimizer_of, samples_of, take_step

    network = built(work, device="cpu").train()
    optimizer, samples = optimizer_of(network, work), samples_of(work, batch=batch, device="cpu")
    for _ in range(count):
        take_step(network, optimizer, samples)


def high_water_bytes() -> int:
    """The most that this process ever held."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def main(arguments: list[str]) -> None:
    """One case for people, or one of its processes."""
    match arguments:
        case ["memory", name, batch]:
            print(*memory_figure(name, int(batch)), sep="  ")
        case ["time", name]:
            print(*time_figure(name), sep="  ")
        case ["memory-child", name, batch, way]:
            print(json.dumps(measured_memory(name, int(batch), returned=way == "returned")))
        case ["time-child", name]:
            print(json.dumps(measured_time(name)))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
