import numpy as np
import pytest

from edgeloop.data.scenes.canvas import FULL, SUBPIXELS, Canvas, Paint
from edgeloop.data.scenes.shapes import disc, polygon, rectangle

WHITE = Paint((255, 255, 255), glow=255)


@pytest.fixture
def canvas() -> Canvas:
    return Canvas(32, texture_at=(0, 0))


def filled(canvas: Canvas, outline, paint=WHITE, owner=0) -> np.ndarray:
    canvas.fill_all([outline], [paint], [owner])
    return canvas.pixels[0]


def test_a_rectangle_on_pixel_borders_is_filled_exactly(canvas):
    red = filled(canvas, polygon((32, 64), (160, 64), (160, 128), (32, 128)))
    expected = np.zeros((32, 32))
    expected[4:8, 2:10] = 255
    assert np.array_equal(red, expected)


def test_half_a_pixel_gets_half_the_colour(canvas):
    assert filled(canvas, polygon((0, 0), (24, 0), (24, 32), (0, 32)))[0, 1] == 255 * (FULL // 2) >> 6


def test_the_direction_of_the_corners_does_not_matter():
    corners = disc(16 * SUBPIXELS, 16 * SUBPIXELS, 150)
    one, other = Canvas(32, texture_at=(0, 0)), Canvas(32, texture_at=(0, 0))
    assert np.array_equal(filled(one, corners), filled(other, corners[::-1]))


def test_a_disc_has_the_area_of_its_polygon(canvas):
    corners = disc(16 * SUBPIXELS, 16 * SUBPIXELS, 10 * SUBPIXELS)
    x, y = corners.T / SUBPIXELS
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    assert filled(canvas, corners).sum() / 255 == pytest.approx(area, rel=0.01)


def test_what_lies_outside_the_picture_is_cut_off(canvas):
    assert (filled(canvas, rectangle(0, 0, 100_000, 100_000)) == 255).all()


def test_nothing_is_drawn_for_an_outline_that_misses_the_picture(canvas):
    assert not filled(canvas, rectangle(-900, -900, 200, 200)).any()


def test_half_opacity_mixes_half(canvas):
    assert filled(canvas, rectangle(256, 256, 128, 128), Paint((200, 0, 0), opacity=32))[16, 16] == 100


def test_a_pixel_belongs_to_the_sign_that_covers_it(canvas):
    filled(canvas, rectangle(256, 256, 128, 128), owner=3)
    assert (canvas.owners == 3).sum() == 64


def test_what_is_drawn_over_a_sign_takes_its_pixels(canvas):
    filled(canvas, rectangle(256, 256, 128, 128), owner=3)
    filled(canvas, rectangle(256 - 32, 256, 64, 128))
    assert (canvas.owners == 3).sum() == 32


def test_texture_stays_within_the_range_of_a_colour(canvas):
    red = filled(canvas, rectangle(256, 256, 512, 512), Paint((250, 4, 128), texture=127))
    assert red.min() >= 0
    assert red.max() <= 255
    assert len(np.unique(red)) > 5
