"""A few judged pictures for people: what is in them, and what the model says is in them.

Shown are the pictures with most mistakes, and some without any, small and as JPEG, so that a page can hold them.
"""

import base64
import io
from collections.abc import Callable, Sequence

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.data.dataset import Sample
from edgeloop.data.preprocessing import decoding, opened
from edgeloop.tasks import Mark

EXAMPLES_FILE = "examples.json"
MOST_WRONG, MOST_RIGHT = 6, 3
SIDE_PX = 320
_QUALITY = 85


class Example(Contract):
    """One picture."""

    id: str
    jpeg: str = Field(description="base64")
    width: int = Field(description="pixels of the JPEG")
    height: int
    marks: tuple[Mark, ...]


class Examples(Contract):
    """What `evaluate` writes as examples.json; empty for a task that marks nothing."""

    format: int = 1
    examples: tuple[Example, ...] = ()


def examples_of(
    samples: Sequence[Sample], marks: Sequence[tuple[Mark, ...]], *, content: Callable[[Sample], bytes]
) -> Examples:
    """The worst of the samples first, then some right ones; those without a mark are left out.

    Args:
        samples: All that were judged.
        marks: Of each.
        content: Reads a sample.

    Raises:
        DataFault: A sample cannot be read as a picture.
    """
    marked = [place for place, of_one in enumerate(marks) if of_one]
    mistakes = {place: sum(mark.kind != "right" for mark in marks[place]) for place in marked}
    wrong = sorted((place for place in marked if mistakes[place]), key=lambda place: (-mistakes[place], place))
    right = [place for place in marked if not mistakes[place]]
    chosen = (*wrong[:MOST_WRONG], *right[:MOST_RIGHT])
    return Examples(examples=tuple(_example(samples[place], marks[place], content(samples[place])) for place in chosen))


def _example(sample: Sample, marks: tuple[Mark, ...], content: bytes) -> Example:
    with decoding(sample.uri), opened(content) as picture:
        small = picture.convert("RGB")
        small.thumbnail((SIDE_PX, SIDE_PX))
        written = io.BytesIO()
        small.save(written, "JPEG", quality=_QUALITY)
    jpeg = base64.b64encode(written.getvalue()).decode("ascii")
    return Example(id=sample.id, jpeg=jpeg, width=small.width, height=small.height, marks=marks)
