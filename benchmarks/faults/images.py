"""Faults of pictures with a label each."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from benchmarks.faults.matrix import Clean, Fault, Row, copied, in_splits, torn

PICTURE = "dog/04.png"
"""Where what is wrong with one picture is planted."""

Paint = Callable[[NDArray[np.int64]], NDArray[np.int64]]


def write_photos(root: Path) -> Path:
    """90 coloured pictures of 48 pixels in three classes, none like another."""
    for number in range(90):
        random = np.random.default_rng(number)
        coarse = Image.fromarray(random.integers(60, 200, (6, 6, 3), dtype=np.uint8)).resize((48, 48))
        noise = random.integers(-6, 7, (48, 48, 3))
        path = root / ("cat", "dog", "owl")[number % 3] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((np.asarray(coarse) + noise).clip(0, 255).astype(np.uint8)).save(path)
    return root


def repaint(path: Path, paint: Paint) -> None:
    """Changes the pixels of a picture."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture).astype(int)
    Image.fromarray(paint(pixels).clip(0, 255).astype(np.uint8)).save(path)


def repainted(paint: Paint) -> Callable[[Path], None]:
    """Changes the pixels of PICTURE."""
    return lambda root: repaint(root / PICTURE, paint)


def blur(path: Path, radius: float = 6) -> None:
    """Blurs a picture."""
    with Image.open(path) as picture:
        picture.filter(ImageFilter.GaussianBlur(radius)).save(path)


def convert(path: Path, mode: str) -> None:
    """Changes the colour mode of a picture."""
    with Image.open(path) as picture:
        changed = picture.convert(mode)
    changed.save(path)


def resize(path: Path, width: int, height: int) -> None:
    """Changes the size of a picture."""
    with Image.open(path) as picture:
        changed = picture.resize((width, height))
    changed.save(path)


def deepen(path: Path) -> None:
    """Makes a picture one of 16 bits."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("L")).astype(np.uint16)
    Image.fromarray(pixels * 257).save(path)


def replace_by_pipe(path: Path) -> None:
    """Puts a pipe in the place of a file."""
    path.unlink()
    os.mkfifo(path)


def truncate(path: Path, lost: int = 2000) -> None:
    """Cuts bytes off the end of a file."""
    path.write_bytes(path.read_bytes()[:-lost])


def save_again(root: Path, source: str, target: str) -> None:
    """Copies a picture and changes its first pixel by one level: other bytes, the same to look at."""
    copied(source, target)(root)
    repaint(root / target, lambda p: p + (np.indices(p.shape).sum(axis=0) == 0))


def _shrink_cats(root: Path) -> None:
    for number in range(9, 88, 3):
        (root / f"cat/{number:02d}.png").rename(root / f"dog/{number:02d}.png")


def _remove_label(rows: Mapping[str, Row]) -> None:
    rows[PICTURE]["label"] = None


def _cats_to_train(rows: Mapping[str, Row]) -> None:
    for row in rows.values():
        if row["label"] == "cat":
            row["split"] = "val" if row["id"] == "cat/00.png" else "train"


PHOTOS = Clean("image_folder: photos", "image_folder", write_photos)


def _of_one(name: str, plant: Callable[[Path], object], *said: tuple[str, str]) -> Fault:
    return Fault(name, PHOTOS, frozenset({PICTURE}), said, plant)


def _of_file(name: str, change: Callable[[Path], object], *said: tuple[str, str]) -> Fault:
    return _of_one(name, lambda root: change(root / PICTURE), *said)


_UNREADABLE = ("readable", "critical")
_BLURRED = ("blur", "warning")
_CHANNELS = ("usual_channels", "warning")
_COPIES = ("copies", "warning")
_TWINS = frozenset({"cat/03.png", "cat/03b.png"})

FAULTS = (
    _of_file("unreadable", lambda path: path.write_bytes(b"rubbish"), _UNREADABLE),
    _of_file("empty file", lambda path: path.write_bytes(b""), _UNREADABLE),
    _of_file("truncated", truncate, _UNREADABLE),
    _of_file("a pipe in place of a file", replace_by_pipe, _UNREADABLE),
    _of_file("wrong channels: grey among colour", lambda path: convert(path, "L"), _CHANNELS),
    _of_file("wrong channels: transparency", lambda path: convert(path, "RGBA"), _CHANNELS),
    _of_file(
        "wrong depth: 16 bits",
        deepen,
        ("mode", "warning"),
        _CHANNELS,
        ("bright_share", "warning"),  # models see all above 255 as white
        ("std", "warning"),
        _BLURRED,
    ),
    _of_one("extreme exposure: dark", repainted(lambda p: p // 13), ("dark_share", "warning"), _BLURRED),
    _of_one("extreme exposure: bright", repainted(lambda p: 242 + p // 16), ("bright_share", "warning"), _BLURRED),
    _of_one("blank", repainted(lambda p: p * 0 + 128), ("std", "warning"), _BLURRED),
    _of_file("blur", blur, _BLURRED),
    _of_file("too small", lambda path: resize(path, 3, 3), ("width", "critical"), ("height", "critical")),
    _of_file("a strip", lambda path: resize(path, 300, 20), ("aspect_ratio", "warning")),
    Fault("no class", PHOTOS, frozenset({PICTURE}), (("label", "critical"),), edit=_remove_label),
    Fault("duplicates", PHOTOS, _TWINS, (_COPIES,), copied("cat/03.png", "cat/03b.png")),
    Fault(
        "byte-identical across splits",
        PHOTOS,
        _TWINS,
        (("splits_of_bytes", "critical"), _COPIES),
        copied("cat/03.png", "cat/03b.png"),
        in_splits(train="cat/03.png", test="cat/03b.png"),
    ),
    Fault(
        "near-identical across splits",
        PHOTOS,
        _TWINS,
        (("splits_of_near_copies", "warning"),),
        lambda root: save_again(root, "cat/03.png", "cat/03b.png"),
        in_splits(train="cat/03.png", test="cat/03b.png"),
    ),
    Fault(
        "one picture under two labels",
        PHOTOS,
        frozenset({"cat/03.png", "dog/03.png"}),
        (("labels_of_bytes", "critical"), _COPIES),
        copied("cat/03.png", "dog/03.png"),
        in_splits(train="cat/03.png dog/03.png"),
    ),
    Fault(
        "group leakage",
        PHOTOS,
        frozenset({"cat/03.png", "dog/04.png"}),
        (("splits_of_group", "critical"),),
        edit=torn("cat/03.png", "dog/04.png"),
    ),
    Fault(
        "class balance",
        PHOTOS,
        frozenset({"cat/00.png", "cat/03.png", "cat/06.png"}),
        (("class_balance", "warning"),),
        _shrink_cats,
        prepare={"min_class_samples": 3},
    ),
    Fault(
        "split shares: a class nearly all in train",
        PHOTOS,
        frozenset(f"cat/{number:02d}.png" for number in range(3, 90, 3)),
        (("split_share", "warning"),),
        edit=_cats_to_train,
    ),
)
