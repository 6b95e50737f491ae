import io
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from edgeloop import plugins
from edgeloop.data.scenes import CLASSES, draw_scene
from edgeloop.data.sources import RawSample
from edgeloop.errors import DataFault

NAMES = ("traffic_signs", "traffic_signs_crops")


def drawn(name: str, **options: int) -> list[RawSample]:
    source = plugins.load("sources", name)
    return list(source.samples(None, source.options(**{"count": 3, "size_pixels": 160, **options})))


def pixels(sample: RawSample) -> np.ndarray:
    with Image.open(io.BytesIO(sample.content or b"")) as picture:
        return np.asarray(picture)


def test_a_scene_is_a_picture_of_the_wanted_size():
    assert {pixels(sample).shape for sample in drawn("traffic_signs", count=2)} == {(160, 160, 3)}


def test_a_scene_has_the_boxes_of_its_signs():
    signs = draw_scene(0, 0, side_px=160).signs
    boxes = drawn("traffic_signs", count=1)[0].boxes or ()
    assert [(b.label, b.left, b.top, b.width, b.height) for b in boxes] == [
        (s.label, s.left, s.top, s.width, s.height) for s in signs
    ]


def test_a_scene_says_under_which_condition_it_was_taken():
    assert drawn("traffic_signs", count=1)[0].metadata["condition"] == draw_scene(0, 0, side_px=160).condition


def test_a_scene_without_a_sign_has_no_boxes_rather_than_unknown_ones():
    assert () in [sample.boxes for sample in drawn("traffic_signs", count=20)]


def test_a_crop_is_named_after_the_class_of_its_sign():
    signs = [sign for number in range(3) for sign in draw_scene(0, number, side_px=160).signs]
    assert [sample.label for sample in drawn("traffic_signs_crops")] == [sign.label for sign in signs]


def test_a_crop_is_larger_than_its_sign():
    sign = draw_scene(0, 0, side_px=160).signs[0]
    height, width, _ = pixels(drawn("traffic_signs_crops", count=1)[0]).shape
    assert sign.width < width <= 160
    assert sign.height < height <= 160


def test_crops_of_one_scene_stay_together():
    samples = drawn("traffic_signs_crops", count=6)
    assert all(sample.id.startswith(f"{sample.group}/") for sample in samples)


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_unique_over_seeds_and_sizes(name):
    samples = [*drawn(name), *drawn(name, seed=1), *drawn(name, size_pixels=192)]
    assert len({sample.id for sample in samples}) == len(samples)


@pytest.mark.parametrize("name", NAMES)
def test_more_scenes_begin_with_the_same_ones(name):
    fewer = drawn(name, count=2)
    assert drawn(name, count=3)[: len(fewer)] == fewer


@pytest.mark.parametrize("name", NAMES)
def test_scenes_are_drawn_when_they_are_asked_for(name):
    source = plugins.load("sources", name)
    assert len(list(islice(source.samples(None, source.options(count=1_000_000, size_pixels=160)), 2))) == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_refused_at_once(name):
    source = plugins.load("sources", name)
    with pytest.raises(DataFault, match="takes no path"):
        source.samples(Path("somewhere"), source.options())


@pytest.mark.parametrize("options", [{"count": 0}, {"size_pixels": 161}, {"size_pixels": 100}, {"sead": 1}])
@pytest.mark.parametrize("name", NAMES)
def test_options_that_cannot_be_meant_are_refused(name, options):
    with pytest.raises(ValidationError):
        plugins.load("sources", name).options(**options)


def test_only_the_five_classes_occur():
    assert {sample.label for sample in drawn("traffic_signs_crops", count=20)} <= set(CLASSES)
