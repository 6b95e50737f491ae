import json
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edgeloop.data import coco_instances
from edgeloop.data.dataset import local_path
from edgeloop.data.sources import Box, NoOptions, RawSample
from edgeloop.data.sources.coco import plugin
from edgeloop.errors import DataFault

TRAIN = "annotations/instances_train2017.json"
CATEGORIES = [{"id": 1, "name": "cat"}, {"id": 18, "name": "dog"}]


def write_picture(path: Path, *, width: int = 100, height: int = 50, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (width, height)).save(path, **options)
    return path


def image(number: Any, name: Any = None, **more: Any) -> dict[str, Any]:
    return {"id": number, "file_name": name or f"{number}.png", "width": 100, "height": 50, **more}


def annotation(image_id: Any, bbox: Any = (1, 2, 30, 40), category_id: Any = 18, **more: Any) -> dict[str, Any]:
    return {"id": 7, "image_id": image_id, "bbox": bbox, "category_id": category_id, **more}


def write(path: Path, **values: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"categories": CATEGORIES, **values}))
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two pictures of train, of which the first shows a dog."""
    for number in (1, 2):
        write_picture(tmp_path / f"set/train2017/{number}.png")
    write(tmp_path / "set" / TRAIN, images=[image(1), image(2)], annotations=[annotation(1)])
    return tmp_path / "set"


def listed(path: Path | None) -> dict[str, RawSample]:
    samples = list(plugin.samples(path, NoOptions()))
    found = {sample.id: sample for sample in samples}
    assert len(found) == len(samples)
    return found


def annotated(root: Path, *annotations: Any) -> RawSample:
    write(root / TRAIN, images=[image(1), image(2)], annotations=annotations)
    return listed(root)["train2017/1.png"]


def errors(root: Path, **values: Any) -> dict[str, str]:
    write(root / TRAIN, **{"annotations": [], **values})
    return {name: sample.error for name, sample in listed(root).items() if sample.error}


def test_ids_are_paths_relative_to_the_dataset(root):
    assert set(listed(root)) == {"train2017/1.png", "train2017/2.png"}


def test_boxes_are_those_of_the_annotations(root):
    assert listed(root)["train2017/1.png"].boxes == (Box("dog", 1, 2, 30, 40),)


def test_an_entry_without_annotations_shows_nothing(root):
    assert listed(root)["train2017/2.png"].boxes == ()


def test_a_file_without_annotations_says_nothing(root):
    write(root / "annotations/instances_test.json", images=[image(1)])
    write_picture(root / "images/test/1.png")
    found = listed(root)["images/test/1.png"]
    assert (found.boxes, found.metadata) == (None, {"unlabelled": "its annotation file has no annotations"})


def test_the_split_is_in_the_name_of_the_file(root):
    assert {sample.split for sample in listed(root).values()} == {"train"}


@pytest.mark.parametrize(
    ("name", "split"), [("labels", None), ("contest", None), ("instances_minitrain", None), ("valid", "val")]
)
def test_a_name_that_tells_no_split_tells_none(tmp_path, name, split):
    write_picture(tmp_path / "set/images/1.png")
    write(tmp_path / f"set/{name}.json", images=[image(1)], annotations=[])
    assert [sample.split for sample in listed(tmp_path / "set").values()] == [split]


def test_a_file_that_is_named_itself_has_its_pictures_beside_it(root):
    assert listed(root / TRAIN) == listed(root)


@pytest.mark.parametrize("folder", ["images/one", "one", "images", "data", "."])
def test_pictures_may_lie_in_many_places(tmp_path, folder):
    write_picture(tmp_path / "set" / folder / "1.png")
    write(tmp_path / "set/one.json", images=[image(1)], annotations=[annotation(1)])
    assert [len(sample.boxes or ()) for sample in listed(tmp_path / "set").values()] == [1]


def test_file_names_may_begin_at_the_dataset(root):
    write(root / TRAIN, images=[image(1, "train2017/1.png"), image(2)], annotations=[annotation(1)])
    assert set(listed(root)) == {"train2017/1.png", "train2017/2.png"}


def test_each_split_may_have_a_folder_and_a_file_of_its_own(tmp_path):
    for split in ("train", "valid"):
        write_picture(tmp_path / split / "1.png")
        write(tmp_path / split / "_annotations.coco.json", images=[image(1)], annotations=[annotation(1)])
    found = {name: sample.split for name, sample in listed(tmp_path).items()}
    assert found == {"train/1.png": "train", "valid/1.png": "val"}


def test_other_annotations_beside_instances_are_left_alone(root):
    write(root / "annotations/captions_train2017.json", images=[image(1)], annotations=[{"caption": "a dog"}])
    assert not errors(root, images=[image(1), image(2)])


def test_a_crowd_is_kept_in_the_metadata(root):
    found = annotated(root, annotation(1), annotation(1, iscrowd=1), annotation(1, iscrowd=0))
    assert (len(found.boxes or ()), found.metadata) == (3, {"crowd": "1"})


def test_two_ids_of_one_name_are_one_class(root):
    categories = [{"id": 0, "name": "dog"}, {"id": 1, "name": "dog"}]
    annotations = [annotation(1, category_id=0), annotation(1, category_id=1)]
    write(root / TRAIN, images=[image(1)], annotations=annotations, categories=categories)
    assert [box.label for box in listed(root)["train2017/1.png"].boxes or ()] == ["dog", "dog"]


def test_a_category_that_does_not_exist_keeps_its_number(root):
    assert [box.label for box in annotated(root, annotation(1, category_id=99)).boxes or ()] == ["#99"]


def test_boxes_that_are_wrong_but_can_be_written_down_are_kept(root):
    found = annotated(root, annotation(1, [-5, -5, 0, 0]), annotation(1, [500, 500, -9, 9]))
    assert (len(found.boxes or ()), dict(found.metadata)) == (2, {})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"bbox": None}, "bbox is not four numbers"),
        ({"bbox": [1, 2, 3]}, "bbox is not four numbers"),
        ({"bbox": [1, 2, 3, "4"]}, "bbox is not four numbers"),
        ({"bbox": [1, 2, 3, True]}, "bbox is not four numbers"),
        ({"bbox": {"x": 1}}, "bbox is not four numbers"),
        ({"bbox": [1, 2, 3, float("nan")]}, "bbox is far outside any picture"),
        ({"bbox": [1, 2, float("inf"), 3]}, "bbox is far outside any picture"),
        ({"bbox": [1e308, 2, 1e308, 3]}, "bbox is far outside any picture"),
        ({"bbox": [10**400, 2, 3, 4]}, "bbox is far outside any picture"),
        ({"category_id": None}, "names no category"),
        ({"category_id": "dog"}, "names no category"),
        ({"category_id": 1.5}, "names no category"),
        ({"category_id": True}, "names no category"),
        ({"category_id": 10**400}, "names no category"),
    ],
)
def test_an_annotation_that_cannot_be_read_is_counted_and_the_others_are_kept(root, change, reason):
    found = annotated(root, annotation(1), {**annotation(1), **change}, annotation(1))
    assert (len(found.boxes or ()), found.error) == (2, None)
    assert found.metadata == {"label_faults": "1", "label_fault": f"annotations[1]: {reason}"}


def test_annotations_of_no_image_are_an_error_row(root):
    strays = [annotation(99), annotation(98), annotation(None), annotation([1]), "rubbish"]
    assert errors(root, images=[image(1), image(2)], annotations=[annotation(1), *strays]) == {
        f"{TRAIN}#annotations[1]": "2 annotations of images that are not listed",
        f"{TRAIN}#annotations[3]": "3 annotations of no image",
    }


def test_a_picture_that_is_listed_but_missing_is_an_error_row(root):
    (root / "train2017/2.png").unlink()
    assert errors(root, images=[image(1), image(2)]) == {"train2017/2.png": f"is listed in {TRAIN} but missing"}


def test_a_picture_without_an_entry_is_unlabelled(root):
    write_picture(root / "train2017/sub/more.png")
    found = listed(root)["train2017/sub/more.png"]
    assert (found.boxes, found.split, found.error) == (None, "train", None)
    assert found.metadata == {"unlabelled": "is in no annotation file"}


@pytest.mark.parametrize("name", ["../../secret.png", "/etc/passwd", "a\0b.png", "\ud83d.png", "a/../../../x.png"])
def test_a_file_name_that_leads_outside_is_an_error_row(root, name):
    found = errors(root, images=[image(1), image(2), image(3, name)])
    assert found == {f"{TRAIN}#images[2]": "its file name leads outside the dataset"}


def test_a_link_that_leads_outside_is_an_error_row(root, tmp_path):
    (root / "train2017/3.png").symlink_to(write_picture(tmp_path / "secret.png"))
    found = errors(root, images=[image(1), image(2), image(3)])
    assert found == {"train2017/3.png": "is a link that leads outside the dataset"}


def test_links_in_a_circle_are_error_rows(root):
    (root / "train2017/3.png").symlink_to("3.png")
    (root / "train2017/up").symlink_to(root)
    found = errors(root, images=[image(1), image(2), image(3)])
    assert found == {"train2017/3.png": "is a link to nothing", "train2017/up": "is a link to a folder"}


def test_a_folder_of_pictures_that_is_a_link_outside_is_not_entered(root, tmp_path):
    (root / "train2017").rename(tmp_path / "elsewhere")
    (root / "train2017").symlink_to(tmp_path / "elsewhere")
    found = errors(root, images=[image(1, "train2017/1.png")])
    assert found["train2017/1.png"] == "is a link that leads outside the dataset"
    assert found["train2017"] == "is a link to a folder"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"id": 3}, "names no file"),
        ({"id": 3, "file_name": ["a"]}, "names no file"),
        ("rubbish", "names no file"),
        (None, "names no file"),
    ],
)
def test_an_entry_that_names_no_file_is_an_error_row(root, entry, reason):
    assert errors(root, images=[image(1), image(2), entry]) == {f"{TRAIN}#images[2]": reason}


@pytest.mark.parametrize("key", [None, 1.5, [1], True])
def test_an_entry_without_an_id_is_an_error_row(root, key):
    assert errors(root, images=[image(1), image(key, "2.png")]) == {"train2017/2.png": "has no id"}


def test_images_of_one_id_are_all_error_rows(root):
    reason = "its id 1 is that of several images"
    assert errors(root, images=[image(1), image(1, "2.png")]) == {
        "train2017/1.png": reason,
        "train2017/2.png": reason,
    }


def test_a_file_that_is_listed_twice_is_one_error_row(root):
    found = errors(root, images=[image(1), image(2), image(3, "./1.png")])
    assert found == {"train2017/1.png": "is listed 2 times"}


def test_a_picture_of_two_splits_is_an_error_row(root):
    write(root / "annotations/instances_val2017.json", images=[image(1, "train2017/1.png")], annotations=[])
    sample = listed(root)["train2017/1.png"]
    assert (sample.error, sample.split) == ("is listed 2 times", None)


def test_more_annotations_than_a_picture_can_have_are_an_error_row(root, monkeypatch):
    monkeypatch.setattr(coco_instances, "MAX_BOXES", 3)
    assert annotated(root, *[annotation(1)] * 4).error == "has more than 3 annotations"


def test_a_picture_of_another_size_than_its_entry_is_a_label_fault(root):
    write_picture(root / "train2017/1.png", width=50, height=100)
    found = annotated(root, annotation(1))
    assert found.metadata["label_fault"] == "the entry says 100 x 50 pixels, the picture has 50 x 100"


def test_a_picture_that_is_stored_turned_is_a_label_fault_where_the_entry_has_no_size(root):
    exif = Image.Exif()
    exif[0x0112] = 8
    write_picture(root / "train2017/3.jpg", exif=exif)
    entry = {"id": 3, "file_name": "3.jpg"}
    write(root / TRAIN, images=[entry], annotations=[annotation(3)])
    assert "EXIF orientation 8" in listed(root)["train2017/3.jpg"].metadata["label_fault"]


def test_a_picture_that_cannot_be_opened_is_an_error_row(root):
    (root / "train2017/2.png").write_bytes(b"rubbish")
    assert errors(root, images=[image(1), image(2)]) == {
        "train2017/2.png": "cannot be read as an image (no known format)"
    }


@pytest.mark.parametrize("name", [b"\xff\xfe.png", b"a#b?c;d%20.png", "ü 漢.png".encode()])
def test_any_file_name_leads_back_to_its_file(root, name):
    path = Path(os.fsdecode(os.fsencode(root / "train2017") + b"/" + name))
    write_picture(path)
    write(root / TRAIN, images=[image(3, path.name)], annotations=[annotation(3)])
    found = [sample for sample in listed(root).values() if sample.boxes]
    assert [local_path(sample.uri or "") for sample in found] == [path]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_any_encoding_of_json_is_read(root, encoding):
    (root / TRAIN).write_text((root / TRAIN).read_text(), encoding=encoding)
    assert listed(root)["train2017/1.png"].boxes


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b'{"a": "\xff"}', "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not JSON"),
        (b"[]", "it is no object"),
        (b"{}", "images is no list"),
        (b'{"images": {}}', "images is no list"),
        (b'{"images": [], "annotations": null}', "annotations is no list"),
        (b'{"images": [], "annotations": []}', "categories is no list"),
        (b'{"images": [], "annotations": [], "categories": [{"id": 1}]}', "a category without an id or a name"),
        (b'{"images": [], "annotations": [], "categories": [{"name": "a"}]}', "a category without an id or a name"),
        (b'{"images": [], "annotations": [], "categories": [{"id": 1, "name": "#1"}]}', "has the category '#1'"),
        (
            b'{"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}',
            "has two names for category 1",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(root, content, reason):
    (root / TRAIN).write_bytes(content)
    with pytest.raises(DataFault, match=reason) as fault:
        listed(root)
    assert "\n" not in fault.value.line()


def test_a_file_above_the_stated_size_is_refused(root, monkeypatch):
    monkeypatch.setattr(coco_instances, "MAX_BYTES", 1000)
    with (root / TRAIN).open("ab") as file:
        file.truncate(1001)
    with pytest.raises(DataFault, match="has more than 1,000 bytes"):
        listed(root)


def test_an_instances_file_that_leads_outside_is_not_read(root, tmp_path):
    (root / TRAIN).rename(tmp_path / "secret.json")
    (root / TRAIN).symlink_to(tmp_path / "secret.json")
    with pytest.raises(DataFault, match="is a link that leads outside the dataset"):
        listed(root)


def test_a_folder_without_an_instances_file_is_refused(tmp_path):
    with pytest.raises(DataFault, match="holds no instances file"):
        listed(tmp_path)


def test_a_dataset_behind_a_link_keeps_the_path_that_was_given(root, tmp_path):
    (tmp_path / "link").symlink_to(root)
    found = listed(tmp_path / "other/../link")["train2017/1.png"]
    assert (found.uri, found.error) == ((tmp_path / "link/train2017/1.png").as_uri(), None)


def test_no_reason_names_this_machine(root, tmp_path):
    (root / "train2017/2.png").write_bytes(b"rubbish")
    found = errors(root, images=[image(1, "/etc/passwd"), image(2), image(3)], annotations=[annotation(9)])
    assert len(found) == 4
    assert not any(str(tmp_path) in reason for reason in found.values())
