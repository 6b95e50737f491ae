import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeloop.data.sources import Box, NoOptions, RawSample
from edgeloop.data.sources.yolo import plugin
from edgeloop.errors import DataFault

NAMES = "names: [cat, dog]\n"
SPLITS = "train: images/train\nval: images/val\n"


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def write_picture(path: Path, *, width: int = 100, height: int = 50, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (width, height)).save(path, **options)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two pictures of train, one of val; `train/a` shows a dog."""
    write(tmp_path / "set/data.yaml", SPLITS + NAMES)
    for name in ("train/a", "train/sub/b", "val/c"):
        write_picture(tmp_path / f"set/images/{name}.png")
        write(tmp_path / f"set/labels/{name}.txt", "")
    write(tmp_path / "set/labels/train/a.txt", "1 0.5 0.5 0.2 0.4\n")
    return tmp_path / "set"


def listed(path: Path | None) -> dict[str, RawSample]:
    samples = list(plugin.samples(path, NoOptions()))
    found = {sample.id: sample for sample in samples}
    assert len(found) == len(samples)
    return found


def labelled(root: Path, content: str | bytes) -> RawSample:
    write(root / "labels/train/a.txt", content)
    return listed(root)["images/train/a.png"]


def described(root: Path, content: str | bytes) -> dict[str, RawSample]:
    write(root / "data.yaml", content)
    return listed(root)


def test_ids_are_paths_relative_to_the_dataset(root):
    assert set(listed(root)) == {"images/train/a.png", "images/train/sub/b.png", "images/val/c.png"}


def test_boxes_are_in_pixels_of_the_picture(root):
    assert listed(root)["images/train/a.png"].boxes == (Box("dog", 40, 15, 20, 20),)


def test_splits_are_those_of_the_description(root):
    splits = {name: sample.split for name, sample in listed(root).items()}
    assert splits == {"images/train/a.png": "train", "images/train/sub/b.png": "train", "images/val/c.png": "val"}


def test_an_empty_label_file_says_that_nothing_is_there(root):
    found = listed(root)["images/val/c.png"]
    assert (found.boxes, found.error, dict(found.metadata)) == ((), None, {})


def test_a_missing_label_file_says_nothing(root):
    (root / "labels/val/c.txt").unlink()
    found = listed(root)["images/val/c.png"]
    assert (found.boxes, found.error, found.metadata) == (None, None, {"unlabelled": "has no label file"})


def test_a_label_file_without_a_picture_is_an_error_row(root):
    write(root / "labels/val/gone.txt", "0 .5 .5 .1 .1")
    found = listed(root)["labels/val/gone.txt"]
    assert (found.error, found.split) == ("is a label file without a picture", "val")


def test_a_list_of_classes_among_the_labels_is_no_label_file(root):
    write(root / "labels/train/classes.txt", "cat\ndog\n")
    assert not [sample for sample in listed(root).values() if sample.error]


def test_a_picture_that_cannot_be_opened_is_an_error_row(root):
    write(root / "images/train/a.png", b"rubbish")
    found = listed(root)["images/train/a.png"]
    assert (found.boxes, found.error) == (None, "cannot be read as an image (no known format)")


def test_a_picture_whose_header_is_at_its_end_is_read(root):
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (300, 400), dtype=np.uint8)
    Image.fromarray(noise).save(file, "TIFF")
    content = file.getvalue()
    offset = int.from_bytes(content[4:8], "little")
    moved = content[:4] + len(content).to_bytes(4, "little") + content[8:] + content[offset:]
    (root / "images/train/a.png").unlink()
    write(root / "images/train/a.tif", moved)
    assert listed(root)["images/train/a.tif"].boxes == (Box("dog", 160, 90, 80, 120),)


def test_a_picture_that_is_stored_turned_is_a_label_fault(root):
    exif = Image.Exif()
    exif[0x0112] = 6
    (root / "images/train/a.png").unlink()
    write_picture(root / "images/train/a.jpg", exif=exif)
    assert "EXIF orientation 6" in listed(root)["images/train/a.jpg"].metadata["label_fault"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(root, end):
    assert len(labelled(root, f"0 .5 .5 .1 .1{end}{end}1 .5 .5 .1 .1").boxes or ()) == 2


def test_line_ends_may_be_mixed(root):
    found = labelled(root, "\ufeff0 .5 .5 .1 .1\r\n1 .5 .5 .1 .1\n0\t.2 .2 .1 .1\r1 .3 .3 .1 .1  \n\n")
    assert ([box.label for box in found.boxes or ()], dict(found.metadata)) == (["cat", "dog", "cat", "dog"], {})


def test_a_class_without_a_name_keeps_its_number(root):
    assert [box.label for box in labelled(root, "2 .5 .5 .1 .1\n-1 .5 .5 .1 .1\n").boxes or ()] == ["#2", "#-1"]


def test_an_outline_becomes_the_box_around_it(root):
    assert labelled(root, "0 .1 .2 .5 .2 .5 .6 .1 .4").boxes == (Box("cat", 10, 10, 40, pytest.approx(20)),)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 .5 .5 .1", "4 numbers are neither a box nor an outline"),
        ("0 .5 .5 .1 .1 .9", "6 numbers are neither a box nor an outline"),
        ("cat .5 .5 .1 .1", "'cat' is no number"),
        ("0,.5,.5,.1,.1", "'0,.5,.5,.1,.1' is no number"),
        ("0 nan .5 .1 .1", "'nan' is no number"),
        ("0 .5 inf .1 .1", "'inf' is no number"),
        ("0 .5 .5 1e308 .1", "a number is far outside any picture"),
        ("0 .5 .5 1e999 .1", "a number is far outside any picture"),
        ("1e308 .5 .5 .1 .1", "'1e308' is no number of a class"),
        ("1e999 .5 .5 .1 .1", "'1e999' is no number of a class"),
        ("0.5 .5 .5 .1 .1", "'0.5' is no number of a class"),
        ("0 .5 .5 1_0 .1", "'1_0' is no number"),
        ("0 .5 .5 .1 \0", "'\\x00' is no number"),
        ("0 .5 .5 .1 １", "'１' is no number"),
    ],
)
def test_a_line_that_cannot_be_read_is_counted_and_the_others_are_kept(root, line, reason):
    found = labelled(root, f"1 .5 .5 .1 .1\n{line}\n1 .2 .2 .1 .1\n")
    assert (len(found.boxes or ()), found.error) == (2, None)
    assert found.metadata == {"label_faults": "1", "label_fault": f"line 2: {reason}"}


def test_boxes_that_are_wrong_but_can_be_written_down_are_kept(root):
    found = labelled(root, "0 .5 .5 -.1 0\n0 5 5 .1 .1\n")
    assert (len(found.boxes or ()), dict(found.metadata)) == (2, {})


def test_a_label_file_that_is_no_text_is_an_error_row(root):
    assert labelled(root, "0 .5 .5 .1 .1".encode("utf-16")).error == "its label file is no UTF-8 text"


def test_a_label_file_of_100_megabytes_is_not_read(root):
    with (root / "labels/train/a.txt").open("wb") as file:
        file.truncate(100_000_000)
    assert listed(root)["images/train/a.png"].error == "its label file has more than 8,388,608 bytes"


def test_a_label_file_of_too_many_lines_is_an_error_row(root):
    assert labelled(root, "0 .5 .5 .1 .1\n" * 10_001).error == "its label file has 10,001 lines, more than 10,000"


def test_a_label_file_that_leads_outside_is_not_read(root, tmp_path):
    write(tmp_path / "secret.txt", "0 .5 .5 .1 .1")
    (root / "labels/train/a.txt").unlink()
    (root / "labels/train/a.txt").symlink_to(tmp_path / "secret.txt")
    assert listed(root)["images/train/a.png"].error == "its label file is a link that leads outside the dataset"


def test_a_pipe_for_a_label_file_is_not_opened(root):
    (root / "labels/train/a.txt").unlink()
    os.mkfifo(root / "labels/train/a.txt")
    assert listed(root)["images/train/a.png"].error == "its label file is not a regular file"


def test_a_picture_that_leads_outside_is_not_read(root, tmp_path):
    (root / "images/train/out.png").symlink_to(write_picture(tmp_path / "secret.png"))
    assert listed(root)["images/train/out.png"].error == "is a link that leads outside the dataset"


def test_links_in_a_circle_are_error_rows(root):
    (root / "images/train/loop.png").symlink_to("loop.png")
    (root / "images/train/sub/up").symlink_to(root / "images")
    found = listed(root)
    assert found["images/train/loop.png"].error == "is a link to nothing"
    assert found["images/train/sub/up"].error == "is a link to a folder"


def test_two_pictures_that_share_a_label_file_are_both_at_fault(root):
    write_picture(root / "images/train/a.bmp")
    faults = {name: dict(sample.metadata) for name, sample in listed(root).items() if sample.metadata}
    expected = {"label_faults": "1", "label_fault": "another picture has the same label file"}
    assert faults == {"images/train/a.png": expected, "images/train/a.bmp": expected}


def test_a_picture_of_two_splits_is_given_to_none(root):
    found = described(root, "train: images/train\nval: images/train\n" + NAMES)["images/train/a.png"]
    assert (found.split, found.metadata) == (None, {"splits": "train val"})


@pytest.mark.parametrize("name", [b"\xff\xfe.png", b"a#b?c;d%20.png", "ü 漢.png".encode()])
def test_any_file_name_finds_its_labels(root, name):
    path = Path(os.fsdecode(os.fsencode(root / "images/train") + b"/" + name))
    write_picture(path)
    write(root / "labels/train" / Path(path.name).with_suffix(".txt"), "0 .5 .5 .1 .1")
    found = {len(sample.boxes or ()) for sample in listed(root).values() if sample.uri == path.as_uri()}
    assert found == {1}


def test_a_file_that_is_no_picture_is_no_sample(root):
    write(root / "images/train/notes.md", "about")
    assert len(listed(root)) == 3


def test_labels_may_lie_beside_their_pictures(root):
    write_picture(root / "flat/x.png")
    write(root / "flat/x.txt", "0 .5 .5 .5 .5")
    assert described(root, "train: flat\n" + NAMES)["flat/x.png"].boxes == (Box("cat", 25, 12.5, 50, 25),)


def test_splits_may_lie_above_images(root):
    write_picture(root / "train/images/x.png")
    write(root / "train/labels/x.txt", "0 .5 .5 .5 .5")
    assert described(root, "train: ../train/images\n" + NAMES)["train/images/x.png"].boxes


def test_a_split_may_be_several_folders(root):
    found = described(root, "train: [images/train, images/val]\n" + NAMES)
    assert {sample.split for sample in found.values()} == {"train"}
    assert len(found) == 3


def test_without_splits_all_pictures_below_images_count(root):
    assert {sample.split for sample in described(root, NAMES).values()} == {None}


def test_the_place_where_it_was_written_does_not_matter(root):
    write(root / "data.yaml", "path: /datasets/elsewhere\n" + SPLITS + NAMES)
    assert len(listed(root)) == 3


def test_a_path_within_the_dataset_is_where_splits_start(root):
    write(root / "data.yaml", "path: images\ntrain: train\n" + NAMES)
    assert len(listed(root)) == 2


def test_names_may_be_a_mapping_and_are_text(root):
    found = described(root, SPLITS + "names:\n  0: off\n  1: 1.10\n")
    assert [box.label for box in found["images/train/a.png"].boxes or ()] == ["1.10"]


def test_the_description_may_be_named_itself(root):
    (root / "data.yaml").rename(root / "road.yaml")
    assert listed(root / "road.yaml") == listed(root)


def test_a_list_names_pictures(root):
    write(root / "lists/train.txt", "../images/train/a.png\r\n\n./../images/val/c.png\nimages/train/sub/b.png\n")
    found = described(root, "train: lists/train.txt\n" + NAMES)
    assert {sample.split for sample in found.values()} == {"train"}
    assert sorted(found) == ["images/train/a.png", "images/train/sub/b.png", "images/val/c.png"]


def test_a_line_of_a_list_that_leads_to_no_picture_is_an_error_row(root):
    lines = ["/etc/passwd", "../../secret.png", "images/train/a.png", "images/train/a.png", "images/gone.png", "a\0b"]
    write(root / "train.txt", "\n".join(lines))
    found = described(root, "train: train.txt\n" + NAMES)
    assert {name: sample.error for name, sample in found.items() if sample.error} == {
        "train.txt:1": "leads outside the dataset",
        "train.txt:2": "leads outside the dataset",
        "train.txt:4": "names a picture again",
        "train.txt:6": "leads outside the dataset",
        "images/gone.png": "is named in train.txt but missing",
    }


BOMB = "a: &a [x, x]\n" + "".join(f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcd", "bcde", strict=True))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is no mapping of keys to values"),
        ("- a\n", "is no mapping of keys to values"),
        ("names: [a\n", "is not YAML"),
        (b"names: [caf\xe9]\n", "is not YAML"),
        ('names: ["\\UFFFFFFFF"]\n', "is not YAML"),
        (SPLITS, "has no names of classes"),
        (SPLITS + "names: []\n", "has no names of classes"),
        (SPLITS + "names: cat\n", "has no names of classes"),
        (SPLITS + "names: [cat, ' ']\n", "class 1 has no name"),
        (SPLITS + "names: [cat, [dog]]\n", "class 1 has no name"),
        (SPLITS + "names: {cat: 0}\n", "'cat' is no number of a class"),
        (SPLITS + "names: ['#1']\n", "'#1' is what a class without a name is called"),
        (SPLITS + NAMES + "kpt_shape: [17, 3]\n", "describes key points"),
        (BOMB + NAMES, r"uses the alias \*a"),
        ("names: !!python/object/apply:os.system [id]\n", "uses the tag .*os.system"),
        ("x: " + "[" * 50_000, "is nested deeper than 8 levels"),
        (NAMES + "x: " + "a" * 300_000, "has more than 262,144 bytes"),
        ("train: /etc\n" + NAMES, "train: /etc leads outside the dataset"),
        ("train: ../../../etc\n" + NAMES, "is no folder and no list"),
        ("train: images/../../other\n" + NAMES, "leads outside the dataset"),
        ('train: "a\\0b"\n' + NAMES, "leads outside the dataset"),
        ('train: "\\ud83d"\n' + NAMES, "leads outside the dataset"),
        ("train: nowhere\n" + NAMES, "train: nowhere is no folder and no list"),
        ("train: data.yaml\n" + NAMES, "is no folder and no list"),
        ("train: {a: b}\n" + NAMES, "train is neither a path nor a list of paths"),
    ],
)
def test_a_description_that_cannot_be_used_is_refused_in_one_line(root, content, reason):
    write(root / "data.yaml", content)
    with pytest.raises(DataFault, match=reason) as fault:
        listed(root)
    assert "\n" not in fault.value.line()


def test_half_a_character_in_a_name_becomes_text(root):
    found = described(root, SPLITS + 'names: ["\\ud83d", dog, "\\ud83d"]\n')
    labelled(root, "0 .5 .5 .1 .1\n")
    assert [box.label for box in listed(root)["images/train/a.png"].boxes or ()] == ["\\ud83d"]
    assert found


def test_a_split_that_is_a_link_outside_is_refused(root, tmp_path):
    write_picture(tmp_path / "other/x.png")
    (root / "images/linked").symlink_to(tmp_path / "other")
    with pytest.raises(DataFault, match="leads outside the dataset"):
        described(root, "train: images/linked\n" + NAMES)


def test_a_description_that_leads_outside_is_not_read(root, tmp_path):
    write(tmp_path / "secret.yaml", NAMES)
    (root / "data.yaml").unlink()
    (root / "data.yaml").symlink_to(tmp_path / "secret.yaml")
    with pytest.raises(DataFault, match="is a link that leads outside"):
        listed(root)


def test_a_list_that_leads_outside_is_refused(root, tmp_path):
    (root / "train.txt").symlink_to(write(tmp_path / "secret.txt", "images/train/a.png"))
    with pytest.raises(DataFault, match="leads outside the dataset"):
        described(root, "train: train.txt\n" + NAMES)


def test_a_folder_without_a_description_is_refused(tmp_path):
    with pytest.raises(DataFault, match=r"holds no data\.yaml"):
        listed(tmp_path)


def test_one_of_several_descriptions_has_to_be_named(root):
    (root / "data.yaml").rename(root / "a.yaml")
    write(root / "b.yaml", NAMES)
    with pytest.raises(DataFault, match="holds 2 YAML files"):
        listed(root)


def test_a_dataset_behind_a_link_keeps_the_path_that_was_given(root, tmp_path):
    (tmp_path / "link").symlink_to(root)
    found = listed(tmp_path / "other/../link")["images/train/a.png"]
    assert (found.uri, found.error) == ((tmp_path / "link/images/train/a.png").as_uri(), None)


def test_no_reason_names_this_machine(root, tmp_path):
    write(root / "images/train/a.png", b"rubbish")
    write(root / "labels/val/c.txt", b"\xff")
    (root / "images/train/out.png").symlink_to("/etc/passwd")
    assert not any(str(tmp_path) in (sample.error or "") for sample in listed(root).values())
