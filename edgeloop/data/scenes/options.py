"""Which scenes are wanted, and how they are drawn: on every core where it takes long enough to pay for that."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.data.processes import ProcessDied, in_processes, paying
from edgeloop.data.scenes.scene import Scene, draw_scene
from edgeloop.errors import EnvironmentFault

T = TypeVar("T")

_TIMED = 4
"""The first scenes, which tell how long the others take."""

_CHUNK = 16
"""Scenes that a process draws before it is asked again."""


class SceneOptions(Contract):
    """`prepare_data.options` of the sources that draw scenes."""

    count: int = Field(default=2000, ge=1, le=1_000_000, description="scenes")
    seed: int = Field(default=0, ge=0, lt=2**32, description="another seed gives other scenes")
    size_pixels: int = Field(default=320, ge=160, le=1024, multiple_of=4, description="width and height of a scene")


def drawn(
    options: SceneOptions, made_of: Callable[[Scene, SceneOptions], Sequence[T]], *, processes: int | None = None
) -> Iterator[T]:
    """What `made_of` makes of every scene, in their order: the same however many processes draw.

    Args:
        options: Which scenes.
        made_of: A function of a module, so that other processes have it too.
        processes: By default as many as pay for themselves.

    Raises:
        EnvironmentFault: A process died, such as for want of memory.
    """
    work = partial(_chunk, options=options, made_of=made_of)
    yield from work(range(1))  # imports what it needs, so it tells nothing of the others
    began = time.perf_counter()
    timed = work(range(1, min(_TIMED, options.count)))
    seconds_each = (time.perf_counter() - began) / (_TIMED - 1)
    yield from timed
    rest = range(_TIMED, options.count)
    chunks = (rest[start : start + _CHUNK] for start in range(0, len(rest), _CHUNK))
    if processes is None:
        processes = paying(len(rest) * seconds_each)
    if processes == 1:
        yield from (one for chunk in chunks for one in work(chunk))
        return
    try:
        for some in in_processes(work, chunks, processes=processes):
            yield from some
    except ProcessDied as died:
        raise EnvironmentFault(
            "a process that drew scenes died", where="prepare_data", fix="give it more memory"
        ) from died


def _chunk(numbers: range, *, options: SceneOptions, made_of: Callable[[Scene, SceneOptions], Sequence[T]]) -> list[T]:
    scenes = (draw_scene(options.seed, number, side_px=options.size_pixels) for number in numbers)
    return [one for scene in scenes for one in made_of(scene, options)]
