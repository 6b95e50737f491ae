"""Trainings as they are planned and as they are: four figures, one a module.

    memory   predicted against measured peak, every architecture at three batches
    epochs   predicted against measured CPU time of an epoch, every architecture
    speed    the loop against a plain one, same network and samples
    sweep    seconds of an epoch over threads and precisions, with docs/pictures/epoch_times.png

`python -m benchmarks.training FIGURE [NAME [BATCH]]` runs one; each prints a table for docs/planning.md. What measures
runs in a process of its own.
"""

from collections.abc import Iterator

from benchmarks.training import epochs, memory, speed, sweep


def figures() -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar."""
    for figure in (memory, epochs, speed, sweep):
        yield from figure.figures()
