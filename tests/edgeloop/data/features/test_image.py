import io
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from edgeloop.data.features.image import image_features
from edgeloop.data.picture_features import sharpness
from edgeloop.data.preprocessing import FORMATS
from edgeloop.errors import DataFault


def encoded(pixels, kind="PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (17, 23), dtype=np.uint8)


def test_moments_are_those_of_the_pixels(noise):
    found = image_features(encoded(noise), where="x")
    assert (found.mean, found.std) == pytest.approx((noise.mean(), noise.std()))


def test_extremes_are_those_of_the_pixels(noise):
    found = image_features(encoded(noise), where="x")
    assert (found.minimum, found.maximum) == (noise.min(), noise.max())


def test_sharpness_is_the_variance_of_the_laplacian(noise):
    padded = np.pad(noise.astype(int), 1, mode="edge")
    laplacian = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:] - 4 * padded[1:-1, 1:-1]
    assert sharpness(noise) == pytest.approx(laplacian.var())


def test_one_pixel_has_no_sharpness():
    assert sharpness(np.array([[7]], dtype=np.uint8)) == 0


def test_size_and_mode_are_those_of_the_file(noise):
    content = encoded(np.dstack([noise] * 3))
    found = image_features(content, where="x")
    assert (found.width, found.height, found.mode, found.size_bytes) == (23, 17, "RGB", len(content))


@pytest.mark.parametrize("kind", FORMATS)
def test_every_listed_format_is_read(noise, kind):
    assert image_features(encoded(noise, kind), where="x").width == 23


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no known format"),
        (b"rubbish" * 99, "no known format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no known format"),
        (encoded(np.zeros((64, 64), np.uint8))[:60], "cannot be read as an image"),
    ],
)
def test_what_is_no_picture_is_a_data_fault(content, reason):
    with pytest.raises(DataFault, match=reason):
        image_features(content, where="x")


def test_a_reason_is_the_same_at_every_reading():
    reasons = set()
    for _ in range(3):
        with pytest.raises(DataFault) as fault:
            image_features(b"rubbish" * 9, where="x")
        reasons.add(fault.value.line())
    assert len(reasons) == 1


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (8_500, 8_500), (60_000, 1)])
def test_a_picture_that_declares_too_much_is_refused_before_it_is_decoded(png, width, height):
    with pytest.raises(DataFault, match="declares"):
        image_features(png(width, height), where="x")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_flipped_byte_gives_features_or_a_data_fault(noise, kind):
    content = bytearray(encoded(noise, kind))
    for position in range(0, len(content), max(1, len(content) // 60)):
        damaged = bytes(content[:position]) + bytes([content[position] ^ 0xFF]) + bytes(content[position + 1 :])
        with suppress(DataFault):
            assert image_features(damaged, where="x").width > 0
