"""How fast the features of pictures are, digest and reading included, against merely decoding the same files."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from edgeloop.data.features.image import plugin
from edgeloop.data.observation import observed
from edgeloop.data.processes import available_cores
from edgeloop.data.sources import RawSample

ROUNDS = 3
SETS = {
    "48 px PNG": ("png", (48, 48), 20_000),
    "48 px JPEG": ("jpg", (48, 48), 20_000),
    "720p PNG": ("png", (1280, 720), 150),
    "720p JPEG": ("jpg", (1280, 720), 600),
}
BAR = 0.6


def figures() -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar."""
    for name, (suffix, size, count) in SETS.items():
        with tempfile.TemporaryDirectory() as scratch:
            paths = _drawn(Path(scratch), suffix=suffix, size=size, count=count)
            seconds = _interleaved(paths)
        rates = {what: count / statistics.median(values) for what, values in seconds.items()}
        yield f"bare decoding by one process, {name}", f"{rates['bare']:,.0f} pictures/s", "none, for comparison"
        for what, who in (("one", "one process"), ("all", f"{available_cores()} cores")):
            ratios = [bare / ours for bare, ours in zip(seconds["bare"], seconds[what], strict=True)]
            ratio = f"{statistics.median(ratios):.2f} of it ({min(ratios):.2f} to {max(ratios):.2f})"
            yield f"features by {who}, {name}", f"{rates[what]:,.0f} pictures/s, {ratio}", f"≥ {BAR} of bare decoding"


def _interleaved(paths: Sequence[Path]) -> dict[str, list[float]]:
    """Seconds of bare decoding, of features by one process and by as many as pay, in turn, ROUNDS times."""
    samples = [RawSample(id=path.name, label="a", uri=path.as_uri()) for path in paths]
    rivals: dict[str, Callable[[], object]] = {
        "bare": lambda: _decoded(paths),
        "one": lambda: observed(samples, plugin, processes=1),
        "all": lambda: observed(samples, plugin),
    }
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for turn in range(ROUNDS + 1):
        for name, rival in rivals.items():
            began = time.perf_counter()
            rival()
            if turn:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def _decoded(paths: Sequence[Path]) -> None:
    """Each picture opened, loaded and converted to what it is."""
    from PIL import Image

    for path in paths:
        with Image.open(path) as picture:
            picture.load()
            picture.convert(picture.mode)


def _drawn(folder: Path, *, suffix: str, size: tuple[int, int], count: int) -> list[Path]:
    """Pictures with the detail of a photograph: random cells of every size over one another."""
    from PIL import Image

    paths = [folder / f"{number:05d}.{suffix}" for number in range(count)]
    different = min(count, 40)
    for number, path in enumerate(paths[:different]):
        random = np.random.default_rng(number)
        pixels = np.zeros((size[1], size[0], 3), dtype=np.float32)
        for octave in range(1, 10):
            layer = Image.fromarray(random.integers(0, 256, (1 << octave, 1 << octave, 3), dtype=np.uint8))
            pixels += np.asarray(layer.resize(size, Image.Resampling.BICUBIC), dtype=np.float32) / octave
        Image.fromarray((pixels * (255 / pixels.max())).astype(np.uint8)).save(path, quality=90)
    for number, path in enumerate(paths[different:]):
        os.link(paths[number % different], path)
    return paths
