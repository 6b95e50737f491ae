import numpy as np
import pytest

from edgeloop.data.boxes import (
    MAX_BOXES,
    SAME_IOU,
    fault_count,
    fault_metadata,
    fits,
    has_area,
    is_unknown,
    leaves,
    repeated,
    unknown_label,
)
from edgeloop.data.sources import Box


def box(left: float, top: float, width: float, height: float, label: str = "cat") -> Box:
    return Box(label, left, top, width, height)


def iou(a: Box, b: Box) -> float:
    """By its definition."""
    across = min(a.left + a.width, b.left + b.width) - max(a.left, b.left)
    down = min(a.top + a.height, b.top + b.height) - max(a.top, b.top)
    shared = max(0.0, across) * max(0.0, down)
    return shared / (a.width * a.height + b.width * b.height - shared)


def test_a_class_without_a_name_is_known_again():
    assert is_unknown(unknown_label(7))
    assert is_unknown(unknown_label(-1))


@pytest.mark.parametrize("label", ["7", "#", "#7a", "# 7", "cat", "", "#٣", "#7\n"])
def test_a_name_is_no_unknown_class(label):
    assert not is_unknown(label)


def test_faults_are_counted_and_the_first_is_told():
    metadata = fault_metadata(["line 3: x", "line 4: y"])
    assert metadata == {"label_faults": "2", "label_fault": "line 3: x"}
    assert fault_count(metadata) == 2


def test_no_fault_leaves_no_trace():
    assert fault_metadata([]) == {}
    assert fault_count({}) == 0


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 1e308, -1e308, 10**400])
def test_a_number_of_no_picture_does_not_fit(number):
    assert not fits(1.0, number)


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (-1, 5), (-2, -2)])
def test_a_box_without_a_positive_side_has_no_area(width, height):
    assert not has_area(box(1, 1, width, height))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (box(0, 0, 8, 6), False),
        (box(-0.5, -0.5, 9, 7), False),
        (box(-0.6, 0, 2, 2), True),
        (box(0, -0.6, 2, 2), True),
        (box(4, 0, 4.6, 2), True),
        (box(0, 4, 2, 2.6), True),
        (box(40, 40, 1, 1), True),
    ],
)
def test_a_box_leaves_the_picture_when_more_than_half_a_pixel_is_outside(found, expected):
    assert leaves(found, 8, 6) is expected


def test_the_same_box_again_is_counted_each_time():
    assert repeated([box(1, 1, 5, 5)] * 4) == 3


def test_the_same_box_of_another_class_is_not_counted():
    assert repeated([box(1, 1, 5, 5), box(1, 1, 5, 5, "dog")]) == 0


def test_boxes_without_area_are_never_the_same():
    assert repeated([box(1, 1, 0, 5), box(1, 1, 0, 5), box(1, 1, -1, -1), box(1, 1, -1, -1)]) == 0


@pytest.mark.parametrize("boxes", [[], [box(1, 1, 5, 5)], [box(0, 0, 100, 100), box(0, 0, 95, 100)]])
def test_nothing_is_counted_where_nothing_repeats(boxes):
    assert repeated(boxes) == 0


def test_the_count_is_that_of_the_definition():
    random = np.random.default_rng(0)
    boxes = []
    for left, top, width, height in random.uniform(20, 60, (150, 4)):
        boxes.append(box(left, top, width, height))
        if random.random() < 0.5:  # near the limit on both sides of it
            shift = random.uniform(-0.03, 0.03, 4) * (width, height, width, height)
            boxes.append(box(*(np.array([left, top, width, height]) + shift)))
    in_order = sorted(boxes, key=lambda b: (b.left, b.top))
    expected = sum(any(iou(a, b) > SAME_IOU for a in in_order[:n]) for n, b in enumerate(in_order))
    assert 5 < expected < 70
    assert repeated(boxes) == expected


@pytest.mark.slow
def test_as_many_boxes_as_a_picture_may_have_are_compared():
    tops = np.random.default_rng(0).uniform(0, 1e5, MAX_BOXES)
    assert repeated([box(0, top, 50, 0.001) for top in tops]) == 0
