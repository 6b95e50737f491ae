import base64
import io

import numpy as np
import pytest
from PIL import Image

from edgeloop.data.dataset import Sample
from edgeloop.errors import DataFault
from edgeloop.examples import (
    MOST_POINTS,
    MOST_RIGHT,
    MOST_WRONG,
    SIDE_PX,
    SMALL_PX,
    example_of,
    window_example_of,
    worst_of,
)
from edgeloop.tasks import Mark

SAMPLE = Sample("s0", "uri", None, "test", None)


def png(width: int, height: int) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.zeros((height, width, 3), dtype=np.uint8)).save(content, format="png")
    return content.getvalue()


def mark(kind: str, text: str = "stop 0.9") -> Mark:
    return Mark(kind=kind, text=text, left=0.25, top=0.5, width=0.5, height=0.25)


def test_of_marked_pictures_the_worst_come_first_then_right_ones_and_what_shows_nothing_is_left_out():
    marks = [(), (mark("right"),), (mark("wrong"), mark("missed")), (mark("missed"),)]
    assert worst_of(np.array([0.0, 0.0, 2.0, 1.0]), marks=marks) == (2, 3, 1)


def test_of_marked_pictures_a_few_wrong_and_right_ones_are_enough():
    marks = [(mark("right" if number % 2 else "wrong"),) for number in range(40)]
    wrongness = np.array([float(number % 2 == 0) for number in range(40)])
    assert len(worst_of(wrongness, marks=marks)) == MOST_WRONG + MOST_RIGHT


def test_without_marks_only_the_worst_are_shown_and_of_equals_the_first():
    assert worst_of(np.array([0.5, 3.0, 0.5, 1.0]), marks=[()] * 4) == (1, 3, 0, 2)
    assert len(worst_of(np.zeros(40), marks=[()] * 40)) == MOST_WRONG


def test_a_large_picture_is_made_small_and_keeps_its_shape():
    example = example_of(SAMPLE, png(640, 160))
    assert (example.width, example.height, example.media) == (SIDE_PX, SIDE_PX // 4, "jpeg")
    assert Image.open(io.BytesIO(base64.b64decode(example.picture))).size == (SIDE_PX, SIDE_PX // 4)


def test_a_small_picture_stays_as_it_is():
    example = example_of(SAMPLE, png(SMALL_PX, 8))
    assert (example.width, example.height, example.media) == (SMALL_PX, 8, "png")


def test_a_sample_that_is_no_picture_is_named():
    with pytest.raises(DataFault, match="uri"):
        example_of(SAMPLE, b"no picture")


def test_a_long_window_is_thinned_out_and_loses_no_peak():
    channel = np.sin(np.arange(5000, dtype=np.float32))
    channel[1234] = 9
    example = window_example_of(SAMPLE, channel[None], told="")
    assert (example.points, len(example.channels[0])) == (5000, MOST_POINTS)
    assert max(example.channels[0]) == 9
