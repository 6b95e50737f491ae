"""An instances file loses entries and nothing else."""

import json

import pytest

from edgeloop.data.clean_instances import without_others

IMAGES = [{"id": 1, "file_name": "a.png"}, {"id": "b", "file_name": "b.png"}, {"id": 3, "file_name": "c.png"}]
ANNOTATIONS = [
    {"id": 1, "image_id": 1, "bbox": [1, 2, 3.10, 4], "segmentation": [[1, 2, 3]]},
    {"id": 2, "image_id": "b", "bbox": [5, 6, 7, 8]},
    {"id": 3, "image_id": 9},
    {"id": 4, "image_id": [1]},
]
VALUES = {"info": {"year": 1}, "images": IMAGES, "annotations": ANNOTATIONS, "categories": [], "mine": [1, 2]}


@pytest.mark.parametrize("indent", [None, 2])
def test_entries_and_their_annotations_are_cut(indent):
    left = json.loads(without_others(json.dumps(VALUES, indent=indent), {0, 2}))
    assert left == {**VALUES, "images": [IMAGES[0], IMAGES[2]], "annotations": ANNOTATIONS[:1]}


def test_what_stays_is_the_same_text():
    text = '{"images" : [ {"id":1.0e0,"id":1} ,\n {"id": 2}\n],"x": 1.50, "annotations":[ ]\r\n}\n'
    assert without_others(text, {0, 1}) == text
    assert without_others(text, {1}) == '{"images" : [ {"id": 2}\n],"x": 1.50, "annotations":[ ]\r\n}\n'


def test_nothing_left_is_an_empty_list():
    assert json.loads(without_others(json.dumps(VALUES), set()))["images"] == []


def test_without_annotations_there_are_none():
    text = json.dumps({"images": IMAGES})
    assert json.loads(without_others(text, {1})) == {"images": [IMAGES[1]]}


def test_of_a_key_that_is_written_twice_the_last_counts():
    text = '{"images": [{"id": 7}], "images": [{"id": 1}, {"id": 2}]}'
    assert json.loads(without_others(text, {0})) == {"images": [{"id": 1}]}


def test_no_object_is_refused():
    with pytest.raises(ValueError, match=r"no \{"):
        without_others("[]", set())
