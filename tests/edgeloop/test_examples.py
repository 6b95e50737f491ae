import base64
import io

import numpy as np
import pytest
from PIL import Image

from edgeloop.data.dataset import Sample
from edgeloop.errors import DataFault
from edgeloop.examples import MOST_RIGHT, MOST_WRONG, SIDE_PX, examples_of
from edgeloop.report.drawings.examples import example_drawn
from edgeloop.tasks import Mark


def png(width: int, height: int) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.zeros((height, width, 3), dtype=np.uint8)).save(content, format="png")
    return content.getvalue()


def mark(kind: str, text: str = "stop 0.9") -> Mark:
    return Mark(kind=kind, text=text, left=0.25, top=0.5, width=0.5, height=0.25)


def samples(count: int) -> list[Sample]:
    return [Sample(f"s{number}", "uri", None, "test", None) for number in range(count)]


def test_the_worst_come_first_then_right_ones_and_what_shows_nothing_is_left_out():
    marks = [(), (mark("right"),), (mark("wrong"), mark("missed")), (mark("missed"),)]
    found = examples_of(samples(4), marks, content=lambda _: png(8, 8)).examples
    assert [example.id for example in found] == ["s2", "s3", "s1"]


def test_a_few_are_enough():
    marks = [(mark("right" if number % 2 else "wrong"),) for number in range(40)]
    assert len(examples_of(samples(40), marks, content=lambda _: png(8, 8)).examples) == MOST_WRONG + MOST_RIGHT


def test_a_large_picture_is_made_small_and_keeps_its_shape():
    (example,) = examples_of(samples(1), [(mark("right"),)], content=lambda _: png(640, 160)).examples
    assert (example.width, example.height) == (SIDE_PX, SIDE_PX // 4)
    assert Image.open(io.BytesIO(base64.b64decode(example.jpeg))).size == (SIDE_PX, SIDE_PX // 4)


def test_a_sample_that_is_no_picture_is_named():
    with pytest.raises(DataFault, match="uri"):
        examples_of(samples(1), [(mark("right"),)], content=lambda _: b"no picture")


def test_boxes_are_drawn_where_they_are_and_their_text_is_escaped():
    marks = (mark("missed", "<b>"), mark("right"))
    (example,) = examples_of(samples(1), [marks], content=lambda _: png(40, 40)).examples
    markup = example_drawn(example).__html__()
    assert '<rect x="10" y="20" width="20" height="10" class="mark missed"/>' in markup
    assert "&lt;b&gt;" in markup
    assert "data:image/jpeg;base64," in markup
