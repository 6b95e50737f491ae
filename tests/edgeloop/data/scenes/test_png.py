import io

import numpy as np
import pytest
from PIL import Image

from edgeloop.data.scenes.dice import Dice
from edgeloop.data.scenes.png import png


@pytest.mark.parametrize("shape", [(1, 1), (7, 13), (320, 320)])
def test_a_reader_gets_the_pixels_back(shape):
    pixels = Dice(0).octets(*shape, 3).astype(np.uint8)
    with Image.open(io.BytesIO(png(pixels))) as picture:
        assert np.array_equal(np.asarray(picture), pixels)


def test_the_bytes_of_a_picture_are_frozen():
    assert png(np.zeros((1, 1, 3), dtype=np.uint8)).hex() == (
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000f494441"
        "547801010400fbff00000000000400016549c3600000000049454e44ae426082"
    )
