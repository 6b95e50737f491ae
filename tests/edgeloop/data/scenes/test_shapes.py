import numpy as np
import pytest

from edgeloop.data.scenes.shapes import COSINE, ONE, SINE, arrow, disc, rectangle, rounded, stroke, text
from edgeloop.data.scenes.signs import CLASSES, designs


def test_the_table_of_directions_is_frozen():
    assert COSINE[:13].tolist() == [4096, 4061, 3956, 3784, 3547, 3250, 2896, 2493, 2048, 1567, 1060, 535, 0]


def test_no_entry_of_the_table_is_near_where_rounding_turns():
    exact = ONE * np.cos(np.arange(48) * 2 * np.pi / 48)
    assert np.abs(exact - np.floor(exact) - 0.5).min() > 0.01


def test_sines_are_cosines_a_quarter_turn_later():
    assert np.array_equal(SINE, np.roll(COSINE, 12))


def test_a_rectangle_is_centred():
    assert rectangle(10, 20, 4, 6).mean(axis=0).tolist() == [10, 20]


def test_a_stroke_reaches_beyond_its_ends():
    assert stroke((0, 0), (300, 0), 90)[:, 0].tolist() == [-30, 330, 330, -30]


def test_an_arrow_ends_in_its_head():
    assert arrow([(0, 0), (0, 100)], 20, 40)[-1][:, 1].max() == 120


def test_rounding_stays_inside_the_outline():
    corners = rounded(rectangle(0, 0, 100, 100), 20)
    assert len(corners) == 12
    assert np.abs(corners).max() == 50


def test_digits_lie_within_their_height():
    assert max(int(np.abs(part[:, 1]).max()) for part in text("0123456789", height=400, width=40)) <= 200 + 40


@pytest.mark.parametrize("label", CLASSES)
def test_every_class_has_at_least_ten_designs(label):
    assert len({design.name for design in designs()[label]}) >= 10


@pytest.mark.parametrize("label", CLASSES)
def test_nothing_of_a_design_lies_outside_its_outline_box(label):
    for design in designs()[label]:
        outline = design.layers[0].outline
        inside = np.concatenate([layer.outline for layer in design.layers])
        assert (inside.min(axis=0) >= outline.min(axis=0)).all(), design.name
        assert (inside.max(axis=0) <= outline.max(axis=0)).all(), design.name


@pytest.mark.parametrize("label", CLASSES)
def test_the_longest_side_of_a_design_is_a_thousand(label):
    for design in designs()[label]:
        across, up = np.ptp(design.layers[0].outline, axis=0)
        assert max(across, up) == pytest.approx(1000, abs=45), design.name
        assert up == pytest.approx(design.height, abs=45), design.name


def test_a_disc_is_as_wide_as_high():
    assert np.ptp(disc(5, 5, 300), axis=0).tolist() == [600, 600]
