import io

import numpy as np
import pytest
from PIL import Image

from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import DataFault
from edgeloop.evaluation.corruption import corruptions_for
from edgeloop.evaluation.corruption.pictures import blur, noise, overexposure, read, underexposure, written

LARGE = np.full((224, 224), 128, dtype=np.uint8)
CORRUPTIONS = corruptions_for(Preprocessing(image=ImageInput(), mean=(0.0,), std=(1.0,)))


def dice() -> np.random.Generator:
    return np.random.default_rng(0)


def png(pixels: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_what_is_written_is_read_again(shape):
    pixels = dice().integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(read(written(pixels), "here"), pixels)


def test_what_is_no_picture_is_named():
    with pytest.raises(DataFault, match="here"):
        read(b"no picture", "here")


@pytest.mark.parametrize(("strength", "deviation"), [(1, 0.08), (2, 0.18)])
def test_noise_has_its_deviation(strength, deviation):
    assert noise(LARGE, strength, dice()).std() / 255 == pytest.approx(deviation, rel=0.03)


def test_a_small_picture_gets_less_noise():
    assert noise(LARGE[:32, :32], 1, dice()).std() / 255 == pytest.approx(0.04, rel=0.1)


def test_blur_spreads_a_point_by_its_deviation():
    point = np.zeros((224, 224), dtype=np.uint8)
    point[90:135, 112] = 255  # a line, blurred across
    across = blur(point, 2, dice())[112].astype(float)
    places = np.arange(224) - 112
    assert np.sqrt((across * places**2).sum() / across.sum()) == pytest.approx(3, rel=0.1)


def test_a_stop_is_half_of_the_light():
    linear = ((underexposure(LARGE, 1, dice())[0, 0] / 255 + 0.055) / 1.055) ** 2.4
    assert linear == pytest.approx(((128 / 255 + 0.055) / 1.055) ** 2.4 / 2, rel=0.02)


def test_overexposure_leaves_black_black_and_cuts_at_white():
    shades = np.array([[0, 100, 250]], dtype=np.uint8)
    assert overexposure(shades, 3, dice()).tolist() == [[0, 255, 255]]


def test_the_same_sample_and_seed_give_the_same_bytes_and_others_do_not():
    content = png(LARGE[:16, :16])
    first, second, other = (list(CORRUPTIONS.applied(content, seed=seed, where="")) for seed in (1, 1, 2))
    assert first == second
    assert first[0] != other[0]


def test_a_stronger_noise_is_the_same_noise():
    grey = LARGE[:16, :16]
    by_cell = dict(zip(CORRUPTIONS.cells, CORRUPTIONS.applied(png(grey), seed=0, where=""), strict=True))
    weak, strong = (read(by_cell["noise", k], "").astype(float) - grey for k in (1, 2))
    assert np.corrcoef(weak.ravel(), strong.ravel())[0, 1] > 0.99


def test_every_corruption_changes_more_the_stronger_it_is():
    scene = np.asarray(Image.fromarray(dice().integers(0, 256, (9, 9, 3), dtype=np.uint8)).resize((96, 96), 0))
    applied = [read(one, "").astype(float) for one in CORRUPTIONS.applied(png(scene), seed=0, where="")]
    moved = np.reshape([np.abs(one - scene).mean() for one in applied], (-1, 3))
    assert (np.diff(moved, axis=1) > 0).all() and (moved > 0).all()
