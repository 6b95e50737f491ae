"""A few judged samples for people: the worst of test, what is in them, and where the model looked.

Pictures are shown small, so that a page can hold them: as JPEG, or as PNG where they are small already. Windows are
shown as the model takes them. The worst come first, by the task's own measure; a task that marks places in pictures
shows some right ones as well.
"""

import base64
import io
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.data.dataset import Sample
from edgeloop.data.preprocessing import decoding, opened
from edgeloop.tasks import Mark

EXAMPLES_FILE = "examples.json"
MOST_WRONG, MOST_RIGHT = 6, 3
SIDE_PX = 320
SMALL_PX = 96
"""A picture of at most so many pixels a side is kept as it is."""

MOST_POINTS = 512
"""Of a channel of a window; longer ones keep the least and the greatest of every stretch."""

_QUALITY = 85


class Example(Contract):
    """One picture."""

    id: str
    picture: str = Field(description="base64")
    media: Literal["jpeg", "png"] = "jpeg"
    width: int = Field(description="pixels of the picture as it is here")
    height: int
    marks: tuple[Mark, ...] = ()
    told: str = Field(default="", description="what it is and what the model says")
    importance: tuple[tuple[float, ...], ...] = Field(
        default=(), description="rows of a grid over the picture: what the certainty loses with the cell covered"
    )


class WindowExample(Contract):
    """One window, as the model takes it: normalised readings, or powers in bands."""

    id: str
    told: str
    axis: str = Field(default="reading", description="what the points of a channel are")
    points: int = Field(description="of a channel, before it was thinned out")
    channels: tuple[tuple[float, ...], ...]
    importance: tuple[float, ...] = Field(
        default=(), description="of stretches of equal length: what the certainty loses with the stretch covered"
    )


class Examples(Contract):
    """What `evaluate` writes as examples.json; empty for rows of a table."""

    format: int = 1
    worst_by: str = Field(default="", description="the measure that they are ordered by")
    certainty: str = Field(default="", description="what importance is a loss of")
    examples: tuple[Example, ...] = ()
    windows: tuple[WindowExample, ...] = ()


def worst_of(wrongness: NDArray[np.floating], *, marks: Sequence[tuple[Mark, ...]]) -> tuple[int, ...]:
    """Places of the samples to show: the worst first; where places are marked some right ones after them.

    Args:
        wrongness: Of each sample, more is worse.
        marks: Of each; where any has some, those without are left out.
    """
    order = sorted(range(len(wrongness)), key=lambda place: (-float(wrongness[place]), place))
    if not any(marks):
        return tuple(order[:MOST_WRONG])
    marked = [place for place in order if marks[place]]
    wrong = [place for place in marked if wrongness[place] > 0]
    right = [place for place in marked if wrongness[place] <= 0]
    return (*wrong[:MOST_WRONG], *right[:MOST_RIGHT])


def example_of(
    sample: Sample,
    content: bytes,
    *,
    told: str = "",
    marks: tuple[Mark, ...] = (),
    importance: NDArray[np.floating] | None = None,
) -> Example:
    """One picture for people.

    Args:
        sample: Whose id it bears.
        content: The picture's file.
        told: See `Example`.
        marks: See `Example`.
        importance: Rows of a grid.

    Raises:
        DataFault: The sample cannot be read as a picture.
    """
    with decoding(sample.uri), opened(content) as picture:
        small = picture.convert("RGB")
        media: Literal["jpeg", "png"] = "png" if max(small.size) <= SMALL_PX else "jpeg"
        small.thumbnail((SIDE_PX, SIDE_PX))
        written = io.BytesIO()
        small.save(written, media.upper(), **({"quality": _QUALITY} if media == "jpeg" else {}))
    grid = () if importance is None else tuple(_rounded(row) for row in importance)
    coded = base64.b64encode(written.getvalue()).decode("ascii")
    return Example(
        id=sample.id, picture=coded, media=media, width=small.width, height=small.height, marks=marks, told=told,
        importance=grid,
    )  # fmt: skip


def window_example_of(
    sample: Sample,
    inputs: NDArray[np.float32],
    *,
    told: str,
    axis: str = "reading",
    importance: NDArray[np.floating] | None = None,
) -> WindowExample:
    """One window for people.

    Args:
        sample: Whose id it bears.
        inputs: C, L: as the model takes it.
        told: See `WindowExample`.
        axis: See `WindowExample`.
        importance: Of stretches.
    """
    return WindowExample(
        id=sample.id,
        told=told,
        axis=axis,
        points=inputs.shape[1],
        channels=tuple(_rounded(_thinned(channel)) for channel in inputs),
        importance=() if importance is None else _rounded(importance),
    )


def _thinned(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """At most MOST_POINTS of them, and no peak lost: of every stretch the least and the greatest, in their order."""
    if len(channel) <= MOST_POINTS:
        return channel
    kept = []
    for stretch in np.array_split(channel, MOST_POINTS // 2):
        low, high = int(stretch.argmin()), int(stretch.argmax())
        kept += [stretch[min(low, high)], stretch[max(low, high)]]
    return np.array(kept, dtype=np.float32)


def _rounded(values: NDArray[np.floating]) -> tuple[float, ...]:
    """To five digits: nobody sees more."""
    return tuple(float(f"{value:.5g}") for value in values.tolist())
