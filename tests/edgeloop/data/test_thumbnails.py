import base64
import io

import numpy as np
import pytest
from PIL import Image

from edgeloop.data.dataset import Sample
from edgeloop.data.thumbnails import PIXELS, thumbnail
from edgeloop.data.windows import window_bytes
from edgeloop.errors import DataFault


def shown(content, *, kind="image", boxes=None):
    sample = Sample(id="0", uri="", sha256=None, split="train", label="a", boxes=boxes)
    source = thumbnail(content, sample, kind=kind)
    return Image.open(io.BytesIO(base64.b64decode(source.removeprefix("data:image/png;base64,"))))


def grey(width, height):
    file = io.BytesIO()
    Image.new("L", (width, height), 100).save(file, "PNG")
    return file.getvalue()


def test_a_large_picture_becomes_small_and_keeps_its_shape():
    assert shown(grey(400, 200)).size == (PIXELS, PIXELS // 2)


def test_a_box_is_drawn_where_it_is():
    picture = shown(grey(192, 192), boxes='[["a",48,48,96,96]]')
    assert picture.getpixel((24, 40)) != (100, 100, 100)
    assert picture.getpixel((10, 10)) == (100, 100, 100)


@pytest.mark.parametrize("box", ["1e300,0,5,5", "-9,-9,4,4", "0,0,0,5", "5,5,-3,2"])
def test_a_box_that_is_at_fault_does_no_harm(box):
    assert shown(grey(20, 20), boxes=f'[["a",{box}]]').size == (20, 20)


def test_a_window_is_drawn_with_its_channels_whatever_is_missing():
    values = np.sin(np.arange(200, dtype=np.float32))[:, None].repeat(2, axis=1)
    values[:, 1] *= -1
    values[50:60] = np.nan
    picture = shown(window_bytes(values), kind="window")
    assert picture.size == (PIXELS, PIXELS)
    assert len(picture.getcolors()) > 2


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_window_without_any_change_is_drawn_too(value):
    assert shown(window_bytes(np.full((16, 1), value, dtype=np.float32)), kind="window").size == (PIXELS, PIXELS)


@pytest.mark.parametrize("kind", ["image", "window"])
def test_what_is_no_sample_is_a_data_fault(kind):
    with pytest.raises(DataFault):
        shown(b"rubbish", kind=kind)
