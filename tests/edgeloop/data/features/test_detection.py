import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from edgeloop.data.features import compared
from edgeloop.data.features.detection import BOX_COLUMNS, plugin
from edgeloop.data.picture_features import COLUMNS, picture_features
from edgeloop.data.sources import Box, RawSample
from edgeloop.errors import DataFault

SAMPLE = RawSample(id="a", label=None, uri="file:///a.png", boxes=())


@pytest.fixture(scope="module")
def content() -> bytes:
    """A picture of 100 x 50 pixels."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 100), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def read(content):
    """The columns of the boxes."""

    def of(*boxes: Box) -> dict:
        found = plugin.read(content, replace(SAMPLE, boxes=boxes))
        return {column.name: found[column.name] for column in BOX_COLUMNS}

    return of


def test_every_column_has_a_value_and_nothing_else(content):
    assert list(plugin.read(content, SAMPLE)) and set(plugin.read(content, SAMPLE)) == {c.name for c in plugin.columns}


def test_the_picture_has_the_features_of_any_picture(content):
    found = plugin.read(content, SAMPLE)
    expected = vars(picture_features(content, where="a"))
    assert {name: found[name] for name in expected} == expected


def test_objects_and_classes_are_counted(read):
    found = read(Box("cat", 1, 1, 9, 9), Box("cat", 30, 1, 9, 9), Box("dog", 60, 1, 9, 9))
    assert (found["objects"], found["classes"]) == (3, 2)


def test_smallest_side_and_largest_share_are_of_different_boxes(read):
    found = read(Box("cat", 0, 0, 50, 40), Box("cat", 60, 1, 3, 9))
    assert (found["smallest_side_px"], found["largest_share"]) == (3, 0.4)


def test_a_picture_without_an_object_counts_zero_and_measures_nothing(read):
    assert read() == {
        "objects": 0, "classes": 0, "smallest_side_px": None, "largest_share": None, "outside": 0, "no_area": 0,
        "duplicates": 0, "unknown_classes": 0, "label_faults": 0,
    }  # fmt: skip


def test_an_unlabelled_picture_is_not_one_without_objects(content):
    found = plugin.read(content, replace(SAMPLE, boxes=None))
    assert (found["objects"], found["classes"], found["outside"]) == (None, None, 0)


@pytest.mark.parametrize(
    ("column", "box"),
    [
        ("outside", Box("cat", 95, 0, 6, 5)),
        ("no_area", Box("cat", 5, 5, 0, 5)),
        ("no_area", Box("cat", 5, 5, 5, -5)),
        ("unknown_classes", Box("#7", 5, 5, 5, 5)),
    ],
)
def test_a_fault_of_a_box_is_counted_in_its_column_alone(read, column, box):
    found = read(Box("cat", 20, 20, 5, 5), box)
    faults = ("outside", "no_area", "duplicates", "unknown_classes", "label_faults")
    assert {name: found[name] for name in faults} == {name: int(name == column) for name in faults}


def test_the_same_box_twice_is_a_duplicate(read):
    assert read(Box("cat", 1, 1, 9, 9), Box("cat", 1.1, 1, 9, 9))["duplicates"] == 1


def test_boxes_without_area_have_no_share(read):
    assert read(Box("cat", 1, 1, -9, -9))["largest_share"] == 0


def test_labels_that_cannot_be_read_are_counted_from_the_metadata(content):
    sample = replace(SAMPLE, boxes=None, metadata={"label_faults": "3", "label_fault": "line 1: x"})
    assert plugin.read(content, sample)["label_faults"] == 3


def test_faults_are_judged_and_not_compared():
    boxes = set(compared(plugin.columns)) - set(compared(COLUMNS))
    assert boxes == {"objects", "classes", "smallest_side_px", "largest_share"}


def test_what_is_no_picture_is_a_data_fault():
    with pytest.raises(DataFault, match="no known format"):
        plugin.read(b"rubbish", SAMPLE)
