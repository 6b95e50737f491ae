"""Predicted against measured peak memory of a training.

On a CPU the measured peak is VmHWM of a process less that of the same process after steps of a network of one neuron,
with freed blocks returned at once (see `edgeloop.planning.allocation`); what the C library's own habit holds is shown
beside it. On a GPU it is `max_memory_allocated`.
"""

from collections.abc import Iterator
from typing import Any

from benchmarks.training.cases import CASES, Case
from benchmarks.training.children import child, high_water_bytes, rows_told, signed_percent

LEAST_BYTES = 200_000_000
STEPS = 3
BAR = 0.15
EMPTY = Case("cnn", (1, 8, 8), (2, 2, 2), {"width": 1})
"""A network of next to nothing, so that what torch brings into a process is there already."""


def figures() -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar."""
    for name, batch in _all():
        found = child("memory", name, str(batch), "cpu", "returned")
        kept = child("memory", name, str(batch), "cpu", "kept")
        text = f"{_told(found)}; kept {kept['measured'] / found['measured']:.2f} ×"
        yield f"peak memory, {name}, batch {batch}", text, f"within {BAR:.0%}"
    if obstacle := gpu_obstacle():
        yield "peak memory on a GPU", f"not evaluated: {obstacle}", f"within {BAR:.0%}"
        return
    for name, batch in _all():
        yield (
            f"peak memory on a GPU, {name}, batch {batch}",
            _told(child("memory", name, str(batch), "cuda", "kept")),
            f"within {BAR:.0%}",
        )


def table(*chosen: str) -> Iterator[str]:
    """Markdown; `chosen`: a name, a name and a batch, or nothing for all."""
    rows = []
    devices = ["cpu"] if gpu_obstacle() else ["cpu", "cuda"]
    cases = [(name, batch) for name, batch in _all() if not chosen or (name, str(batch))[: len(chosen)] == chosen]
    for device in devices:
        for name, batch in cases:
            found = child("memory", name, str(batch), device, "returned" if device == "cpu" else "kept")
            ratio = found["predicted"] / found["measured"]
            rows.append(
                (
                    f"{name} ({device})",
                    f"{batch:,}",
                    _mb(found["predicted"]),
                    _mb(found["measured"]),
                    signed_percent(ratio),
                )
            )
    yield from rows_told(("Architecture", "Batch", "Predicted, MB", "Measured, MB", ""), rows)
    if obstacle := gpu_obstacle():
        yield f"on a GPU: not evaluated: {obstacle}"


def measured(name: str, batch: str, device: str, way: str) -> dict[str, float]:
    """Predicted and measured bytes of a few steps in this process."""
    import torch

    from edgeloop.planning.allocation import return_at_once
    from edgeloop.planning.arithmetic import peak_bytes
    from edgeloop.planning.rehearsal import rehearse

    torch.set_num_threads(1)
    if way == "returned":
        assert return_at_once()
    work = CASES[name].workload(device=device)
    predicted = peak_bytes(rehearse(work).training, batch=int(batch))
    assert predicted >= LEAST_BYTES, f"{name} at {batch}: {predicted:,} bytes are too few to judge"
    steps(EMPTY.workload(device=device), batch=2, count=2)
    if device == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        steps(work, batch=int(batch), count=STEPS)
        return {"predicted": predicted, "measured": torch.cuda.max_memory_allocated() - before}
    before = high_water_bytes()
    steps(work, batch=int(batch), count=STEPS)
    return {"predicted": predicted, "measured": high_water_bytes() - before}


def steps(work: Any, *, batch: int, count: int) -> None:
    """Trains for `count` steps."""
    from edgeloop.planning.rehearsal import built, optimizer_of, samples_of, take_step

    network = built(work, device=work.device).train()
    optimizer, samples = optimizer_of(network, work), samples_of(work, batch=batch, device=work.device)
    for _ in range(count):
        take_step(network, optimizer, samples)


def gpu_obstacle() -> str | None:
    """Why nothing can be measured on a GPU here, if it cannot."""
    import torch

    return None if torch.cuda.is_available() else "torch finds no CUDA device here"


def _all() -> Iterator[tuple[str, int]]:
    for name, case in CASES.items():
        for batch in case.batches:
            yield name, batch


def _told(found: dict[str, float]) -> str:
    return (
        f"{_mb(found['predicted'])} MB for {_mb(found['measured'])} ({found['predicted'] / found['measured'] - 1:+.1%})"
    )


def _mb(size_bytes: float) -> str:
    return f"{size_bytes / 1e6:,.0f}"
