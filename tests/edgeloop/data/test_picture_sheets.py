"""Many pictures at once have the features that each has alone, to the last bit."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from edgeloop.data import picture_sheets
from edgeloop.data.features import FeaturesOfMany
from edgeloop.data.features.detection import plugin as detection
from edgeloop.data.features.image import plugin as image
from edgeloop.data.observation import _chunk, observation
from edgeloop.data.picture_features import HASH_PIXELS, picture_features
from edgeloop.data.picture_sheets import features_of_many
from edgeloop.data.sources import Box, RawSample
from edgeloop.errors import DataFault

DRAW = np.random.default_rng(6)


def encoded(size: tuple[int, int], mode: str = "RGB", kind: str = "PNG") -> bytes:
    smooth = Image.fromarray(DRAW.integers(0, 256, (4, 5, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    file = io.BytesIO()
    smooth.convert(mode).save(file, kind)
    return file.getvalue()


def several() -> list[bytes]:
    """Small and large pictures of several modes, sizes and kinds, mixed, and what is none."""
    sizes = [(48, 48), (1, 1), (7, 1), (2 * HASH_PIXELS - 1, 20), (2 * HASH_PIXELS, 5), (300, 200)]
    contents = [encoded(size, mode) for size in sizes for mode in ("RGB", "L", "RGBA", "P", "1") for _ in range(3)]
    contents += [encoded((48, 48), kind="JPEG") for _ in range(5)] + [b"", b"rubbish", contents[0][:60]]
    return [contents[place] for place in DRAW.permutation(len(contents))]


def alone(content: bytes, where: str):
    """The features of one picture, or what is said of it."""
    try:
        return picture_features(content, where=where)
    except DataFault as fault:
        return fault.what


@pytest.mark.parametrize("pixels", [1, 5_000, 1 << 17])
def test_pictures_on_sheets_have_the_features_of_each(pixels, monkeypatch):
    monkeypatch.setattr(picture_sheets, "SHEET_PIXELS", pixels)
    contents = several()
    found = features_of_many((content, str(place)) for place, content in enumerate(contents))
    assert [one.what if isinstance(one, DataFault) else one for one in found] == [
        alone(content, str(place)) for place, content in enumerate(contents)
    ]


def test_no_picture_has_no_features():
    assert features_of_many([]) == []


def test_contents_are_taken_one_after_another():
    held: list[int] = []

    def contents() -> Iterator[tuple[bytes, str]]:
        for place in range(3):
            held.append(place)
            yield encoded((200, 200)), str(place)
            assert held == list(range(place + 1))

    assert len(features_of_many(contents())) == 3


@pytest.mark.parametrize("plugin", [image, detection], ids=["image", "detection"])
def test_samples_that_are_looked_at_together_are_as_each_alone(plugin):
    boxes = (Box(label="a", left=1, top=1, width=5, height=5),)
    samples = [
        RawSample(id=f"{place:03d}", label="a", content=content, boxes=boxes if place % 2 else None)
        for place, content in enumerate(several())
    ]
    samples[3] = RawSample(id="003", label="a", error="is a link")
    samples[5] = RawSample(id="005", label="a", uri="file:///nowhere/at/all")
    assert isinstance(plugin, FeaturesOfMany)
    assert _chunk(samples, plugin) == [observation(sample, plugin) for sample in samples]


def test_want_of_memory_for_one_leaves_the_others_their_features(monkeypatch):
    real = picture_features.__globals__["features_in"]

    def hungry(picture, *, size_bytes):
        if picture.width == 300:
            raise MemoryError
        return real(picture, size_bytes=size_bytes)

    monkeypatch.setattr(picture_sheets, "features_in", hungry)
    monkeypatch.setitem(picture_features.__globals__, "features_in", hungry)
    contents = [encoded((48, 48)), encoded((300, 200)), encoded((48, 48))]
    samples = [RawSample(id=str(place), label="a", content=content) for place, content in enumerate(contents)]
    errors = [row.error for row in _chunk(samples, image)]
    assert errors == [None, "cannot be read as an image (MemoryError)", None]
