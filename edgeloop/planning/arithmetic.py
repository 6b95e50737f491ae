"""The arithmetic of batches: a share of the memory, less what stays, over what a sample takes."""

from collections.abc import Iterable
from math import floor

from edgeloop.planning import SHARE, Line

MOST_SAMPLES = 65_536
"""The largest batch that `train.batch_size` takes."""


def largest_batch(memory_bytes: float, *, fixed_bytes: float, sample_bytes: float, share: float = SHARE) -> int:
    """The largest batch that keeps to `share` of the memory: ⌊(share · memory − fixed) / sample⌋, at least 0.

    With 100 MB of parameters and 600 MB of activations a sample, and 80 % of the memory in use, GB being 10⁹ bytes:

        8 GB    (6,400 − 100) / 600 = 10.5   10
        4 GB    (3,200 − 100) / 600 =  5.2    5
        11 GB   (8,800 − 100) / 600 = 14.5   14

    The parameters stand there once. Counted beside their gradients (200 MB) they give the same three batches; with the
    two moments of Adam as well (400 MB) only 4 would be left in 4 GB. So the rule of the lecture counts the parameters
    alone; the planner puts into `fixed_bytes` whatever its rehearsal found to stay.

    Args:
        memory_bytes: All there is.
        fixed_bytes: That stay whatever the batch.
        sample_bytes: Of one sample; 0 when they do not grow, and then any batch fits or none.
        share: Of the memory that may be filled.
    """
    left_bytes = share * memory_bytes - fixed_bytes
    if left_bytes < 0:
        return 0
    return MOST_SAMPLES if sample_bytes <= 0 else min(MOST_SAMPLES, floor(left_bytes / sample_bytes))


def largest_of(lines: Iterable[Line], *, memory_bytes: float, process_bytes: float, share: float = SHARE) -> int:
    """The largest batch at which every one of `lines` keeps to the share of the memory."""
    return min(
        largest_batch(
            memory_bytes,
            fixed_bytes=line.fixed_bytes + process_bytes,
            sample_bytes=line.sample_bytes,
            share=share,
        )
        for line in lines
    )


def peak_bytes(lines: Iterable[Line], *, batch: int) -> int:
    """The highest of `lines` at `batch`."""
    return round(max(line.fixed_bytes + line.sample_bytes * batch for line in lines))


def envelope(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Those of `lines` that are the highest somewhere in 1 … MOST_SAMPLES, the flattest first."""
    steepest: dict[float, float] = {}
    for line in lines:
        steepest[line.sample_bytes] = max(line.fixed_bytes, steepest.get(line.sample_bytes, float("-inf")))
    kept: list[tuple[float, float]] = []  # slope, height at 0
    for slope, height in sorted(steepest.items()):
        while kept and _never_highest(kept, slope, height):
            kept.pop()
        kept.append((slope, height))
    return tuple(Line(fixed_bytes=height, sample_bytes=slope) for slope, height in kept)


def _never_highest(kept: list[tuple[float, float]], slope: float, height: float) -> bool:
    """Whether the last of `kept` lies below the one before it or below a steeper newcomer at every batch from 1 on."""
    last_slope, last_height = kept[-1]
    begins = 1.0
    if len(kept) > 1:
        begins = max(begins, (kept[-2][1] - last_height) / (last_slope - kept[-2][0]))
    return (last_height - height) / (slope - last_slope) <= begins
