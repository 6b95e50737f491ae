"""A YOLO dataset: `data.yaml`, pictures, and for each picture a text file of boxes, see `edgeloop.data.yolo_labels`.

`data.yaml` is `prepare_data.path` itself, or lies in that folder, where it may have another name if it is the only YAML
file there. Its folder is the dataset: nothing outside is read.

* `train`, `val` and `test` name a folder, a list of folders, or a text file with a path a line. Paths start at `path`,
  where that is a folder of this dataset, else at the dataset; in a text file at its own folder. A leading `../`, which
  some tools write, is left out where it would lead outside. Without any of the three all pictures below `images` count.
* The labels of `…/images/…/a.png` lie in `…/labels/…/a.txt`; where no folder is called `images`, beside the picture. No
  file: nobody has said what is there. An empty one: nothing is there. Two pictures that share one are both at fault.
* A picture in two splits is given to none of them; its metadata says `splits`.
* Pictures that are stored turned (EXIF) are at fault where they have boxes: nobody can tell what those refer to.

What is named but cannot be used, and a label file without a picture, is a sample with its reason.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgeloop.data.boxes import fault_metadata
from edgeloop.data.folders import (
    PICTURE_SUFFIXES,
    files_below,
    leads_outside,
    lexical,
    refusal,
    refusing,
    relative_name,
    text_of,
    within,
)
from edgeloop.data.headers import header_of
from edgeloop.data.sources import Box, NoOptions, RawSample
from edgeloop.data.yolo_description import Description, description_of
from edgeloop.data.yolo_labels import labels_in
from edgeloop.errors import DataFault, translated

MAX_LIST_BYTES = 64 << 20
"""A larger list of pictures is refused."""

_PICTURES, _LABELS = "images", "labels"
_NO_LABELS = {"classes.txt"}
"""Lies among the labels, where some tools leave it, and is none."""


@dataclass(frozen=True)
class _Found:
    """A picture that the description leads to, or whatever else it names; `splits` are those that lead to it."""

    id: str
    path: Path
    error: str | None = None
    splits: set[str | None] = field(default_factory=set)


class Yolo:
    """Ids are paths relative to the dataset; a line of a list that leads to no picture is `train.txt:3`."""

    kind = "detection"
    needs_place = True
    options = NoOptions

    def samples(self, path: Path | None, _options: NoOptions) -> Iterator[RawSample]:
        """Every picture that `data.yaml` leads to, and every label file without a picture.

        Raises:
            DataFault: There is no usable `data.yaml`, or what it names is missing or leads outside the dataset.
            MissingExtra: Pillow is not installed.
        """
        file = _description_file(path)
        root = file.parent
        description = description_of(file)
        places = _places(description, root, file)
        found = _all(places, root)
        return _samples(found, places, description.names, root)


def _description_file(path: Path | None) -> Path:
    if path is None:
        raise DataFault("needs a folder", where="prepare_data.path", fix="name the folder that holds data.yaml")
    given = lexical(path)
    if not given.exists():
        raise DataFault("does not exist", where=str(path), fix="name the folder that holds data.yaml")
    file = _only_description(given) if given.is_dir() else given
    if (reason := refusal(file, file.parent)) is not None:
        raise DataFault(reason, where=str(file), fix="put data.yaml itself there")
    return file


def _only_description(folder: Path) -> Path:
    if (usual := folder / "data.yaml").exists():
        return usual
    others = sorted(entry for entry in folder.iterdir() if entry.suffix.lower() in (".yaml", ".yml"))
    if len(others) != 1:
        what = "holds no data.yaml" if not others else f"holds {len(others)} YAML files, none of them data.yaml"
        raise DataFault(what, where=str(folder), fix="name the file itself with prepare_data.path")
    return others[0]


def _places(description: Description, root: Path, file: Path) -> list[tuple[str | None, Path]]:
    """The folders and lists of each split."""
    start = within(root, description.path) if description.path else None
    start = start if start is not None and start.is_dir() else root
    named = [(split, name) for split, names in description.splits.items() for name in names]
    if not named:
        folder = root / _PICTURES
        return [(None, _existing(folder if folder.is_dir() else root, root, file, named=_PICTURES))]
    return [(split, _existing(_path(name, root, start), root, file, named=f"{split}: {name}")) for split, name in named]


def _path(name: str, root: Path, start: Path) -> Path | None:
    path = within(root, name, start=start)
    while path is None and name.startswith("../"):
        name = name.removeprefix("../")
        path = within(root, name, start=start)
    return path


def _existing(path: Path | None, root: Path, file: Path, *, named: str) -> Path:
    if path is None or (path.exists() and leads_outside(path, root)):
        raise DataFault(f"{text_of(named)} leads outside the dataset", where=str(file), fix="correct the path")
    if not path.is_dir() and (path.suffix.lower() != ".txt" or refusal(path, root) is not None):
        what = f"{text_of(named)} is no folder and no list (.txt) of the dataset"
        raise DataFault(what, where=str(file), fix="correct or remove it")
    return path


def _all(places: list[tuple[str | None, Path]], root: Path) -> dict[str, _Found]:
    """What all places hold, once each, by id."""
    found: dict[str, _Found] = {}
    for split, place in places:
        for one in _in_folder(place, root) if place.is_dir() else _in_list(place, root):
            found.setdefault(one.id, one).splits.add(split)
    return found


def _in_folder(folder: Path, root: Path) -> Iterator[_Found]:
    for path, error in files_below(folder):
        if error is not None or path.suffix.lower() in PICTURE_SUFFIXES:
            yield _Found(relative_name(path, root), path, error)


def _in_list(file: Path, root: Path) -> Iterator[_Found]:
    """The picture on each line; what cannot be one is called by its line."""
    seen: set[Path] = set()
    for number, line in enumerate(_lines(file), start=1):
        if not line.strip():
            continue
        path = within(root, line.strip(), start=file.parent)
        if path is None or not path.exists():
            path = within(root, line.strip()) or path
        what = "leads outside the dataset" if path is None else "names a picture again" if path in seen else None
        if path is None or what is not None:
            yield _Found(f"{relative_name(file, root)}:{number}", file, what)
            continue
        seen.add(path)
        missing = None if path.exists() or path.is_symlink() else f"is named in {file.name} but missing"
        yield _Found(relative_name(path, root), path, missing)


def _lines(file: Path) -> list[str]:
    with translated(file), file.open("rb") as opened:
        content = opened.read(MAX_LIST_BYTES + 1)
    if len(content) > MAX_LIST_BYTES:
        raise DataFault(f"has more than {MAX_LIST_BYTES:,} bytes", where=str(file), fix="name folders instead")
    return content.decode("utf-8-sig", "surrogateescape").splitlines()


def _samples(
    found: Mapping[str, _Found], places: list[tuple[str | None, Path]], names: Mapping[int, str], root: Path
) -> Iterator[RawSample]:
    sharing = Counter(_label_file(one.path, root) for one in found.values() if one.error is None)
    refused = refusing(root)
    for one in found.values():
        if one.error is None and (reason := refused(one.path)) is not None:
            yield _unusable(one, reason)
        elif one.error is None:
            yield _sample(one, names, root, alone=sharing[_label_file(one.path, root)] == 1)
        else:
            yield _unusable(one, one.error)
    for orphan in _orphans(places, set(sharing), root):
        yield _unusable(orphan, "is a label file without a picture")


def _sample(one: _Found, names: Mapping[int, str], root: Path, *, alone: bool) -> RawSample:
    try:
        header = header_of(one.path)
        labels = labels_in(_label_file(one.path, root), root, names=names, header=header)
    except DataFault as fault:
        return _unusable(one, fault.what)
    if labels is None:
        return _raw(one, boxes=None, metadata={"unlabelled": "has no label file"})
    faults = [*labels.faults]
    if labels.boxes and header.is_turned:
        faults.append(f"the picture is stored turned (EXIF orientation {header.orientation})")
    if not alone:
        faults.append("another picture has the same label file")
    return _raw(one, boxes=labels.boxes, metadata=fault_metadata(faults))


def _label_file(picture: Path, root: Path) -> Path:
    parts = list(picture.relative_to(root).parts)
    if _PICTURES in parts[:-1]:
        parts[len(parts) - 2 - parts[-2::-1].index(_PICTURES)] = _LABELS
    return root.joinpath(*parts).with_suffix(".txt")


def _orphans(places: list[tuple[str | None, Path]], used: set[Path], root: Path) -> Iterator[_Found]:
    """Label files below the folders of labels that belong to no picture."""
    orphans: dict[str, _Found] = {}
    for split, place in places:
        folder = _label_file(place / "any", root).parent
        if not place.is_dir() or folder == place or not folder.is_dir():
            continue
        for path, error in files_below(folder):
            if error is None and path.suffix == ".txt" and path not in used and path.name not in _NO_LABELS:
                orphan = _Found(relative_name(path, root), path)
                orphans.setdefault(orphan.id, orphan).splits.add(split)
    yield from orphans.values()


def _unusable(one: _Found, reason: str) -> RawSample:
    return RawSample(id=one.id, label=None, uri=one.path.as_uri(), error=reason, split=_split(one))


def _raw(one: _Found, *, boxes: tuple[Box, ...] | None, metadata: Mapping[str, str]) -> RawSample:
    several = {"splits": " ".join(sorted(split or "" for split in one.splits))} if len(one.splits) > 1 else {}
    return RawSample(
        id=one.id,
        label=None,
        uri=one.path.as_uri(),
        boxes=boxes,
        metadata={**metadata, **several},
        split=_split(one),
    )


def _split(one: _Found) -> str | None:
    return next(iter(one.splits)) if len(one.splits) == 1 else None


plugin = Yolo()
