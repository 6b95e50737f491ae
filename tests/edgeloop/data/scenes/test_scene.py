import hashlib
from collections import Counter
from functools import cache

import numpy as np
import pytest

from edgeloop.data.scenes import CLASSES, Scene, draw_scene
from edgeloop.data.scenes.looks import CONDITIONS, DECK, condition_of
from edgeloop.data.scenes.png import png

FROZEN = {
    0: ("night", "4f2b286b714bb0c7ecd84a397d72dbacc1586ce0470dc3ec63e2ba34b47d59ab"),
    2: ("rain", "54d98a4e1db3f7d8d5f32022d57f8af4f32e1dfa61e140517ddef48e71c6c6e1"),
    3: ("day", "50e9c369945150ce59789a86326e9e9289b7944a7f5a3ab5fea8a2b9c6c63dd8"),
    10: ("glare", "2e306fbc69683a2ced56f72b3bcece1ac3d6e7a2db116e4dad34f935195ffbc9"),
    18: ("blur", "82b5b23497df60d980072bb94ef653e546fbec4095a30c6c7137089e86bf8eac"),
    19: ("fog", "82ce795e3cb94db36e98f8653864b9cb25bc8a448a8018175c79a98ffb13cb3b"),
}

FIRST_TWENTY = "41f47d2e286b532ee2b35a7a80d53f151a7aea9584d35c3e4236ed480d308628"


@cache
def scene(number: int) -> Scene:
    return draw_scene(0, number, side_px=320)


@pytest.mark.parametrize("number", FROZEN)
def test_the_bytes_of_a_scene_are_frozen(number):
    condition, digest = FROZEN[number]
    assert (scene(number).condition, hashlib.sha256(png(scene(number).pixels)).hexdigest()) == (condition, digest)


def test_every_condition_is_frozen():
    assert {condition for condition, _ in FROZEN.values()} == set(CONDITIONS)


def test_the_bytes_and_the_truth_of_the_first_twenty_are_frozen():
    digest = hashlib.sha256()
    for number in range(20):
        digest.update(png(scene(number).pixels))
        digest.update(repr(scene(number).signs).encode())
    assert digest.hexdigest() == FIRST_TWENTY


def test_a_scene_does_not_depend_on_those_before_it():
    assert np.array_equal(draw_scene(0, 7, side_px=160).pixels, draw_scene(0, 7, side_px=160).pixels)


def test_another_seed_gives_another_scene():
    assert not np.array_equal(draw_scene(1, 0, side_px=160).pixels, draw_scene(2, 0, side_px=160).pixels)


@pytest.mark.parametrize("start", [0, 20, 40])
def test_any_twenty_scenes_have_the_stated_shares_of_conditions(start):
    assert Counter(condition_of(3, number) for number in range(start, start + 20)) == DECK


def test_a_fifth_is_night_and_a_fifth_rain_or_fog():
    total = sum(DECK.values())
    assert DECK["night"] / total >= 0.2
    assert (DECK["rain"] + DECK["fog"]) / total >= 0.2


@pytest.mark.parametrize("number", range(20))
def test_boxes_lie_in_the_picture(number):
    for sign in scene(number).signs:
        assert sign.label in CLASSES
        assert sign.left >= 0
        assert sign.top >= 0
        assert sign.left + sign.width <= 320
        assert sign.top + sign.height <= 320


def test_a_sign_that_is_nearly_all_hidden_is_not_in_the_truth():
    assert min(sign.visible_percent for number in range(20) for sign in scene(number).signs) >= 35


def test_night_is_darker_than_day():
    brightness = {scene(number).condition: scene(number).pixels.mean() for number in range(20)}
    assert brightness["night"] < brightness["day"] / 2


@pytest.mark.slow
def test_sizes_occlusion_and_counts_are_as_documented():
    scenes = [draw_scene(5, number, side_px=160) for number in range(200)]
    signs = [sign for one in scenes for sign in one.signs]
    sides = [max(sign.width, sign.height) / 160 for sign in signs]
    occluded = sum(sign.visible_percent < 95 for sign in signs) / len(signs)
    assert np.median(sides) <= 0.1
    assert 0.045 <= min(sides) < 0.06
    assert 0.2 < max(sides) <= 0.265
    assert 0.2 <= occluded <= 0.4
    assert 0.05 <= sum(not one.signs for one in scenes) / len(scenes) <= 0.25
    assert min(Counter(sign.label for sign in signs).values()) / len(signs) >= 0.12
