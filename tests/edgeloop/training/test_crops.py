"""Detectors learn from parts of pictures around their objects."""

import numpy as np
import pytest
import torch

from edgeloop import plugins
from edgeloop.errors import ParamsFault
from edgeloop.params import validated
from edgeloop.training.crops import cropped, learned_shape, refuse_uncroppable

DETECTION = plugins.load("tasks", "detection")
NOTHING = np.zeros((0, 5), np.float32)


def scene(*boxes: tuple[int, int, int, int]) -> tuple[torch.Tensor, np.ndarray]:
    """A black picture of 48 x 64 with white objects of class 2, and its truth."""
    pixels = torch.zeros(1, 48, 64, dtype=torch.uint8)
    for left, top, right, bottom in boxes:
        pixels[0, top:bottom, left:right] = 255
    return pixels, np.array([(*box, 2) for box in boxes], dtype=np.float32).reshape(-1, 5)


def parts(picture: torch.Tensor, truth: np.ndarray, *, side: int = 24, count: int = 50, seed: int = 0):
    pixels = picture[None].expand(count, -1, -1, -1)
    return cropped(pixels, [truth] * count, side=side, task=DETECTION, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("box", [(30, 20, 36, 30), (0, 0, 5, 4), (60, 40, 64, 48)], ids=["middle", "first", "last"])
def test_the_object_is_whole_and_where_the_truth_says(box):
    pixels, told = parts(*scene(box))
    assert pixels.shape == (50, 1, 24, 24)
    for part, truth in zip(pixels, told, strict=True):
        (left, top, right, bottom, label) = truth[0].astype(int)
        assert (right - left, bottom - top, label) == (box[2] - box[0], box[3] - box[1], 2)
        assert bool((part[0, top:bottom, left:right] == 255).all())
        assert int((part == 255).sum()) == (right - left) * (bottom - top)


def test_the_object_lies_somewhere_else_every_time():
    _pixels, told = parts(*scene((30, 20, 36, 30)))
    assert len({tuple(truth[0]) for truth in told}) > 30


def test_every_object_of_a_picture_has_its_turn():
    _pixels, told = parts(*scene((2, 2, 8, 8), (50, 30, 60, 40)))
    assert all(len(truth) == 1 for truth in told)
    assert len({float(truth[0, 2] - truth[0, 0]) for truth in told}) == 2


def test_an_object_larger_than_the_part_fills_it():
    pixels, told = parts(*scene((4, 4, 60, 44)))
    assert bool((pixels == 255).all())
    shares = 24 * 24 / (56 * 40)
    assert shares < 0.3
    assert all(len(truth) == 0 for truth in told), "less than LEAST_SHARE of it is in sight"


def test_a_picture_without_objects_gives_parts_without_objects():
    pixels, told = parts(*scene())
    assert pixels.shape == (50, 1, 24, 24)
    assert all(truth.shape == NOTHING.shape for truth in told)


def test_the_same_seed_cuts_the_same_parts():
    one, other = (parts(*scene((30, 20, 36, 30)), seed=4)[1] for _ in range(2))
    assert all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


def test_a_step_is_as_large_as_a_part():
    assert learned_shape((3, 320, 320), 192) == (3, 192, 192)
    assert learned_shape((3, 320, 320), None) == (3, 320, 320)


def test_a_task_without_places_refuses_parts():
    with pytest.raises(ParamsFault, match="cannot say what is right for a part"):
        refuse_uncroppable(8, plugins.load("tasks", "classification"), shape=(1, 8, 8), where="train")


def test_a_part_larger_than_the_picture_is_refused_before_anything_runs():
    train = {"task": "detection", "model": "yolo_tiny", "image": {"height": 64, "width": 96, "mode": "RGB"}}
    given = {"prepare_data": {"source": "traffic_signs"}, "validate_data": {"suite": "detection"}}
    with pytest.raises(ParamsFault, match="a part of 96 pixels is more than the picture of 64 x 96"):
        validated({**given, "train": {**train, "crop_side": 96}}, where="params.yaml")
