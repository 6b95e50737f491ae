"""Faults of pictures with boxes, in the layout of YOLO."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.faults import images
from benchmarks.faults.matrix import Clean, Fault, copied, in_splits, torn

PICTURES = 40
WIDTH, HEIGHT = 64, 48

Plant = Callable[[Path, str], object]
"""Spoils the picture of a name, such as `07`, or its labels."""


def write_picture(path: Path, seed: int, *, darker: int = 1) -> None:
    """A grey picture of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8) // darker
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_yolo(root: Path) -> Path:
    """40 pictures of 64 x 48 pixels, each with an object of one of two classes in its middle."""
    (root / "labels").mkdir(parents=True)
    for number in range(PICTURES):
        write_picture(root / f"images/{number:02d}.png", number)
        (root / f"labels/{number:02d}.txt").write_text(f"{number % 2} 0.5 0.5 0.25 0.25\n")
    (root / "data.yaml").write_text("names: [sign, light]\n")
    return root


def write_coco(root: Path) -> Path:
    """The same pictures and objects, listed in an instances file."""
    for number in range(PICTURES):
        write_picture(root / f"images/{number:02d}.png", number)
    numbers = range(PICTURES)
    listing = {
        "images": [{"id": n, "file_name": f"{n:02d}.png", "width": WIDTH, "height": HEIGHT} for n in numbers],
        "annotations": [{"image_id": n, "category_id": n % 2, "bbox": [24, 18, 16, 12]} for n in numbers],
        "categories": [{"id": 0, "name": "sign"}, {"id": 1, "name": "light"}],
    }
    (root / "instances.json").write_text(json.dumps(listing))
    return root


def add_label(line: str) -> Plant:
    """One more line in the label file."""

    def plant(root: Path, name: str) -> None:
        with (root / f"labels/{name}.txt").open("a") as file:
            file.write(f"{line}\n")

    return plant


def spoil_labels(root: Path, name: str) -> None:
    """A label file that is no text."""
    (root / f"labels/{name}.txt").write_bytes(b"\xff\xfe0\x00")


def remove_labels(root: Path, name: str) -> None:
    """No label file: nobody has said what is there."""
    (root / f"labels/{name}.txt").unlink()


def empty_labels(root: Path, name: str) -> None:
    """An empty label file: nothing is there."""
    (root / f"labels/{name}.txt").write_text("")


def blank_picture(root: Path, name: str) -> None:
    """A picture of one grey."""
    Image.new("L", (WIDTH, HEIGHT), 128).save(root / f"images/{name}.png")


def darken_picture(root: Path, name: str) -> None:
    """A picture with grey values up to 10."""
    write_picture(root / f"images/{name}.png", 900, darker=25)


def to_picture(change: Callable[[Path], object]) -> Plant:
    """A change of the picture's file alone."""
    return lambda root, name: change(root / f"images/{name}.png")


_CRITICAL, _WARNING = "critical", "warning"
_BLURRED = ("blur", _WARNING)
_CHANNELS = ("usual_channels", _WARNING)
_UNREAD = (("readable", _CRITICAL), ("objects", _WARNING))  # of a picture that is not read nobody says what it shows
_NO_AREA = (("no_area", _CRITICAL), ("smallest_side_px", _WARNING))  # what has no area is narrower than 2 pixels

OF_ONE_PICTURE: Mapping[str, tuple[Plant, tuple[tuple[str, str], ...]]] = {
    "unreadable": (to_picture(lambda path: path.write_bytes(b"rubbish")), _UNREAD),
    "truncated": (to_picture(images.truncate), _UNREAD),
    "labels that are no text": (spoil_labels, _UNREAD),
    "boxes outside: over the right edge": (add_label("0 0.95 0.5 0.2 0.2"), (("outside", _CRITICAL),)),
    "boxes outside: in pixels": (add_label("0 32 24 16 12"), (("outside", _CRITICAL),)),
    "zero area: no width": (add_label("0 0.2 0.2 0 0.2"), _NO_AREA),
    "zero area: negative height": (add_label("0 0.2 0.2 0.2 -0.2"), _NO_AREA),
    "class id out of range": (add_label("2 0.2 0.2 0.2 0.2"), (("unknown_classes", _CRITICAL),)),
    "a number that is none": (add_label("0 0.2 nan 0.2 0.2"), (("label_faults", _CRITICAL),)),
    "half a line": (add_label("0 0.2"), (("label_faults", _CRITICAL),)),
    "unlabelled": (remove_labels, (("objects", _WARNING),)),
    "no object": (empty_labels, (("objects", "info"),)),
    "duplicate boxes": (add_label("0 0.501 0.5 0.25 0.25"), (("duplicates", _WARNING),)),
    "a box of a pixel": (add_label("0 0.2 0.2 0.02 0.2"), (("smallest_side_px", _WARNING),)),
    "wrong channels": (to_picture(lambda path: images.convert(path, "RGB")), (_CHANNELS,)),
    "extreme exposure: dark": (darken_picture, (("dark_share", _WARNING), _BLURRED)),
    "blank": (blank_picture, (("std", _WARNING), _BLURRED)),
    "blur": (to_picture(lambda path: images.blur(path, 2)), (_BLURRED,)),
}
"""What spoils one picture, and what is said of it then."""


def _given(root: Path, **splits: str) -> None:
    """Writes a list for each split: train has all pictures that no other split names, apart by blanks."""
    named = {name for names in splits.values() for name in names.split()}
    others = sorted(path.stem for path in (root / "images").iterdir() if path.stem not in named)
    lists = {"train": others, **{split: names.split() for split, names in splits.items()}}
    for split, names in lists.items():
        (root / f"{split}.txt").write_text("".join(f"./images/{name}.png\n" for name in names))
    entries = "".join(f"{split}: {split}.txt\n" for split in lists)
    (root / "data.yaml").write_text(f"names: [sign, light]\n{entries}")


_TEST, _VAL = "01 02 03 04 05 06 07 08", "10 11 12 13"


def _twin_in_test(root: Path) -> None:
    _copy_with_labels(root)
    _given(root, val=_VAL, test=f"{_TEST} twin")


def _near_twin_in_test(root: Path) -> None:
    _copy_with_labels(root)
    images.repaint(root / "images/twin.png", lambda p: p + (np.indices(p.shape).sum(axis=0) == 0))
    _given(root, val=_VAL, test=f"{_TEST} twin")


def _copy_with_labels(root: Path) -> None:
    for file in (root / "images/30.png", root / "labels/30.txt"):
        shutil.copyfile(file, file.with_stem("twin"))


def _two_sets_of_boxes(root: Path) -> None:
    copied("images/30.png", "images/twin.png")(root)
    (root / "labels/twin.txt").write_text("1 0.5 0.5 0.25 0.25\n")


def _three_lights(root: Path) -> None:
    for number in range(7, PICTURES, 2):
        (root / f"labels/{number:02d}.txt").write_text("0 0.5 0.5 0.25 0.25\n")


def _lights_to_train(root: Path) -> None:
    _given(root, val="00 02 04 06", test="08 10 12 14 16 18 20 22")


YOLO = Clean("yolo: boxes", "yolo", write_yolo)
COCO = Clean("coco: boxes", "coco", write_coco)
_PICTURE = "06"
_TWINS = frozenset({"images/30.png", "images/twin.png"})
_COPIES = ("copies", _WARNING)


def _planted(plant: Plant) -> Callable[[Path], object]:
    return lambda root: plant(root, _PICTURE)


FAULTS = (
    *(
        Fault(name, YOLO, frozenset({f"images/{_PICTURE}.png"}), said, _planted(plant))
        for name, (plant, said) in OF_ONE_PICTURE.items()
    ),
    Fault("duplicate pictures", YOLO, _TWINS, (_COPIES,), _copy_with_labels),
    Fault(
        "byte-identical across splits",
        YOLO,
        _TWINS,
        (("splits_of_bytes", _CRITICAL), _COPIES),
        _twin_in_test,
        prepare={"split_by": "given"},
    ),
    Fault(
        "near-identical across splits",
        YOLO,
        _TWINS,
        (("splits_of_near_copies", _WARNING),),
        _near_twin_in_test,
        prepare={"split_by": "given"},
    ),
    Fault(
        "one picture with two sets of boxes",
        YOLO,
        _TWINS,
        (("labels_of_bytes", _CRITICAL), _COPIES),
        _two_sets_of_boxes,
        in_splits(train=" ".join(_TWINS)),
    ),
    Fault(
        "group leakage",
        YOLO,
        frozenset({"images/00.png", "images/01.png"}),
        (("splits_of_group", _CRITICAL),),
        edit=torn("images/00.png", "images/01.png"),
    ),
    Fault(
        "class balance",
        YOLO,
        frozenset(f"images/{name}.png" for name in ("01", "03", "05")),
        (("class_balance", _WARNING),),
        _three_lights,
        prepare={"min_class_samples": 3},
    ),
    Fault(
        "split shares: a class all in train",
        YOLO,
        frozenset(f"images/{number:02d}.png" for number in range(1, PICTURES, 2)),
        (("split_share", _WARNING),),
        _lights_to_train,
        prepare={"split_by": "given"},
    ),
)
