"""A COCO dataset: instances files, see `edgeloop.data.coco_instances`, and the pictures that they list.

`prepare_data.path` is one instances file, or a folder: then its files are `annotations/instances_*.json`, else
`annotations/*.json`, else `*.json`, else `*/_annotations.coco.json`. The dataset is that folder, or the one that holds
the file or its `annotations`; nothing outside is read.

* The pictures of `…/instances_NAME.json` lie in the first of `images/NAME`, `NAME`, `images`, `data` that is a folder
  beside it (or beside `annotations`), else beside it; what is not there may be named from that place too.
* The split is what the file's name, or that of its folder, has of `train`, `val` (or `valid`) and `test`.
* An entry without annotations shows nothing; without `annotations` in its file nobody has said. So it is with a picture
  that no entry names.
* `crowd` in the metadata holds the positions of boxes around many objects at once (`iscrowd`).
* Where the size in an entry is not that of its picture, or has none and the picture is stored turned (EXIF), the labels
  are at fault: nobody can tell what they refer to.

What is listed but cannot be used, and annotations without a picture, are samples with their reason.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edgeloop.data.boxes import fault_metadata
from edgeloop.data.coco_instances import Listed, instances_in
from edgeloop.data.folders import (
    PICTURE_SUFFIXES,
    files_below,
    leads_outside,
    lexical,
    refusal,
    refusing,
    relative_name,
    within,
)
from edgeloop.data.headers import Header, header_of
from edgeloop.data.sources import NoOptions, RawSample
from edgeloop.errors import DataFault

_ANNOTATIONS = "annotations"
_PATTERNS = (f"{_ANNOTATIONS}/instances_*.json", f"{_ANNOTATIONS}/*.json", "*.json", "*/_annotations.coco.json")
_SPLIT = re.compile(r"(?<![a-z])(train|val|test)")


@dataclass(frozen=True)
class _File:
    """An instances file, the folder of its pictures, and its split, if its name tells one."""

    path: Path
    pictures: Path
    split: str | None

    @property
    def place(self) -> Path:
        """The folder that its pictures, or folders of them, lie in."""
        return _place(self.path)


@dataclass(frozen=True)
class _Found:
    """A picture or whatever else a file leads to; `listed` is its entry, where there is one."""

    path: Path
    split: str | None
    listed: Listed | None = None
    error: str | None = None


class Coco:
    """Ids are paths relative to the dataset; what leads to no picture is called like `a.json#images[3]`."""

    kind = "detection"
    needs_place = True
    options = NoOptions

    def samples(self, path: Path | None, _options: NoOptions) -> Iterator[RawSample]:
        """Every entry of the instances files, and every picture in their folders without one.

        Raises:
            DataFault: There is no usable instances file.
            MissingExtra: Pillow is not installed.
        """
        files, root = _files(path)
        found: dict[str, list[_Found]] = {}
        for file in files:
            for name, one in _in_file(file, root):
                found.setdefault(name, []).append(one)
        for name, one in _unlisted(files, set(found), root):
            found[name] = [one]
        refused = refusing(root)
        return (_sample(name, ones, refused) for name, ones in found.items())


def entries_in(path: Path) -> tuple[dict[Path, dict[int, str]], Path]:
    """Of every instances file the position of each entry of `images` and its sample's id; and the dataset's folder.

    Raises:
        DataFault: There is no usable instances file.
    """
    files, root = _files(path)
    found: dict[Path, dict[int, str]] = {}
    for file in files:
        listed = ((name, one.listed) for name, one in _in_file(file, root))
        found[file.path] = {entry.position: name for name, entry in listed if entry is not None}
    return found, root


def _files(path: Path | None) -> tuple[list[_File], Path]:
    """The instances files and the folder of the dataset."""
    fix = "name an instances file, or the folder that holds annotations and pictures"
    if path is None:
        raise DataFault("needs a file or folder", where="prepare_data.path", fix=fix)
    given = lexical(path)
    if not given.exists():
        raise DataFault("does not exist", where=str(path), fix=fix)
    root = given if given.is_dir() else _place(given)
    paths = _instances_files(given) if given.is_dir() else [given]
    if not paths:
        raise DataFault("holds no instances file", where=str(path), fix=fix)
    for file in paths:
        if (reason := refusal(file, root)) is not None:
            raise DataFault(reason, where=str(file), fix="put the file itself there")
    return [_File(file, _pictures(file, root), _split(file)) for file in paths], root


def _instances_files(folder: Path) -> list[Path]:
    found = (sorted(folder.glob(pattern)) for pattern in _PATTERNS)
    return next((files for files in found if files), [])


def _place(file: Path) -> Path:
    return file.parent.parent if file.parent.name == _ANNOTATIONS else file.parent


def _pictures(file: Path, root: Path) -> Path:
    """The folder of its pictures; a link that leads outside is none."""
    place, name = _place(file), file.stem.removeprefix("instances_")
    candidates = (place / "images" / name, place / name, place / "images", place / "data")
    inside = (folder for folder in candidates if folder.is_dir() and not leads_outside(folder, root))
    return next(inside, place)


def _split(file: Path) -> str | None:
    found = _SPLIT.search(file.stem.lower()) or _SPLIT.search(file.parent.name.lower())
    return found[1] if found else None


def _in_file(file: _File, root: Path) -> Iterator[tuple[str, _Found]]:
    """What an instances file lists, by id."""
    name = relative_name(file.path, root)
    instances = instances_in(file.path)
    for listed in instances.listed:
        path = _path(listed.name, file, root) if listed.name else None
        if path is None:
            error = listed.error or "its file name leads outside the dataset"
            yield f"{name}#images[{listed.position}]", _Found(file.path, file.split, listed, error)
            continue
        missing = None if path.exists() or path.is_symlink() else f"is listed in {name} but missing"
        yield relative_name(path, root), _Found(path, file.split, listed, listed.error or missing)
    for position, reason in instances.stray.items():
        yield f"{name}#annotations[{position}]", _Found(file.path, file.split, error=reason)


def _path(name: str, file: _File, root: Path) -> Path | None:
    path = within(root, name, start=file.pictures)
    if path is not None and path.exists():
        return path
    other = within(root, name, start=file.place)
    return other if other is not None and other.exists() else path


def _unlisted(files: list[_File], listed: set[str], root: Path) -> Iterator[tuple[str, _Found]]:
    """Pictures in the folders of the files that none of them lists, once each."""
    splits: dict[Path, set[str | None]] = {}
    for file in files:
        splits.setdefault(file.pictures, set()).add(file.split)
    seen = set(listed)
    for folder in sorted(splits, key=lambda folder: -len(folder.parts)):
        for path, error in files_below(folder):
            name = relative_name(path, root)
            if name in seen or (error is None and path.suffix.lower() not in PICTURE_SUFFIXES):
                continue
            seen.add(name)
            yield name, _Found(path, next(iter(splits[folder])) if len(splits[folder]) == 1 else None, error=error)


def _sample(name: str, ones: list[_Found], refused: Callable[[Path], str | None]) -> RawSample:
    first = ones[0]
    raw = RawSample(id=name, label=None, uri=first.path.as_uri(), split=_common(ones))
    error = f"is listed {len(ones)} times" if len(ones) > 1 else first.error or refused(first.path)
    if error is not None:
        return replace(raw, error=error)
    if first.listed is None:
        return replace(raw, metadata={"unlabelled": "is in no annotation file"})
    if first.listed.boxes is None:
        return replace(raw, metadata={"unlabelled": "its annotation file has no annotations"})
    try:
        header = header_of(first.path)
    except DataFault as fault:
        return replace(raw, error=fault.what)
    return replace(raw, boxes=first.listed.boxes, metadata=_metadata(first.listed, header))


def _common(ones: list[_Found]) -> str | None:
    splits = {one.split for one in ones}
    return next(iter(splits)) if len(splits) == 1 else None


def _metadata(listed: Listed, header: Header) -> Mapping[str, str]:
    faults = [*listed.faults]
    if listed.size not in (None, (header.width, header.height)):
        width, height = listed.size or (0, 0)
        faults.append(f"the entry says {width} x {height} pixels, the picture has {header.width} x {header.height}")
    elif listed.size is None and listed.boxes and header.is_turned:
        faults.append(f"the picture is stored turned (EXIF orientation {header.orientation})")
    crowd = {"crowd": " ".join(str(position) for position in listed.crowds)} if listed.crowds else {}
    return {**fault_metadata(faults), **crowd}


plugin = Coco()
