"""A COCO instances file: `images`, `annotations` with boxes, `categories`; JSON of somebody else's.

Format: https://cocodataset.org/#format-data. What an entry says is kept where it can be written down; every entry that
says nothing usable is counted with what it belongs to.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeloop.data.boxes import MAX_BOXES, fits, is_unknown, unknown_label
from edgeloop.data.folders import text_of
from edgeloop.data.sources import Box
from edgeloop.errors import DataFault, translated

MAX_BYTES = 512 << 20
"""A larger file is refused; that of COCO's 118,287 training pictures has 448 MB."""

Id = int | str


@dataclass(frozen=True)
class Listed:
    """One entry of `images`.

    Args:
        position: Among the entries.
        name: Its file, as it is written; None where it names none.
        error: Why the entry cannot be used, or None.
        size: Width and height in pixels as the entry has them, or None.
        boxes: Its annotations in their order; None where the file has no annotations at all.
        crowds: Positions of boxes around many objects at once (`iscrowd`).
        faults: What is wrong with annotations that have no usable box.
    """

    position: int
    name: str | None
    error: str | None
    size: tuple[int, int] | None
    boxes: tuple[Box, ...] | None
    crowds: tuple[int, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Instances:
    """What an instances file says.

    Args:
        listed: Every entry of `images`.
        stray: Annotations that belong to none of these, in words, by the position of the first of each kind.
    """

    listed: tuple[Listed, ...]
    stray: Mapping[int, str]


@dataclass
class _Labels:
    """The annotations of one image."""

    boxes: list[Box] = field(default_factory=list)
    crowds: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def instances_in(file: Path) -> Instances:
    """What a file says.

    Raises:
        DataFault: It is too large, no JSON, or no instances file.
    """
    values = _values(file)
    images = _list(values, "images", file)
    annotations = _list(values, "annotations", file) if "annotations" in values else None
    ids = [_id(image, "id") for image in images]
    again = {one for one, count in Counter(ids).items() if one is not None and count > 1}
    labels, stray = _labels(annotations or [], set(ids), _categories(values, file))
    listed = [
        _listed(image, position, again, labels, is_labelled=annotations is not None)
        for position, image in enumerate(images)
    ]
    return Instances(tuple(listed), stray)


def _values(file: Path) -> Mapping[str, Any]:
    with translated(file), file.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _fault(f"has more than {MAX_BYTES:,} bytes", file)
    try:
        values = json.loads(content.removeprefix(b"\xef\xbb\xbf"), object_hook=_without_outline)
    except (ValueError, RecursionError) as error:
        raise _fault(f"is not JSON ({str(error)[:120]})", file) from error
    if not isinstance(values, dict):
        raise _fault("is no COCO instances file: it is no object", file)
    return values


def _without_outline(values: dict[str, Any]) -> dict[str, Any]:
    """Outlines are nine tenths of a file, and nothing here looks at them."""
    values.pop("segmentation", None)
    return values


def _list(values: Mapping[str, Any], name: str, file: Path) -> list[Any]:
    found = values.get(name)
    if not isinstance(found, list):
        raise _fault(f"is no COCO instances file: {name} is no list", file)
    return found


def _categories(values: Mapping[str, Any], file: Path) -> dict[Id, str]:
    """The name of each category that has an id; two ids of one name are one class."""
    found: dict[Id, str] = {}
    for category in _list(values, "categories", file) if "annotations" in values else ():
        name, key = _value(category, "name"), _id(category, "id")
        if key is None or not isinstance(name, str) or not name.strip():
            raise _fault("has a category without an id or a name", file)
        if is_unknown(name):
            raise _fault(f"has the category {name!r}, which is what one without a name is called", file)
        if found.setdefault(key, text_of(name)) != text_of(name):
            raise _fault(f"has two names for category {key!r}", file)
    return found


def _labels(
    annotations: Sequence[Any], images: set[Id | None], categories: Mapping[Id, str]
) -> tuple[dict[Id, _Labels], dict[int, str]]:
    """The annotations of each image, and what is to be said of those without one."""
    found: dict[Id, _Labels] = defaultdict(_Labels)
    nameless: list[int] = []
    unlisted: list[int] = []
    for position, annotation in enumerate(annotations):
        image = _id(annotation, "image_id")
        if image is None or image not in images:
            (nameless if image is None else unlisted).append(position)
        else:
            _keep(annotation, position, found[image], categories)
    strays = {"no image": nameless, "images that are not listed": unlisted}
    return found, {first[0]: f"{len(first)} annotations of {whose}" for whose, first in strays.items() if first}


def _keep(annotation: Any, position: int, labels: _Labels, categories: Mapping[Id, str]) -> None:
    box = _box(annotation, categories)
    if isinstance(box, str):
        labels.faults.append(f"annotations[{position}]: {box}")
        return
    if _value(annotation, "iscrowd") == 1:
        labels.crowds.append(len(labels.boxes))
    labels.boxes.append(box)


def _box(annotation: Any, categories: Mapping[Id, str]) -> Box | str:
    """The box of an annotation, or what is wrong with it."""
    numbers = _value(annotation, "bbox")
    if not isinstance(numbers, list) or len(numbers) != 4 or not all(_is_number(number) for number in numbers):
        return "bbox is not four numbers"
    if not fits(*numbers):
        return "bbox is far outside any picture"
    category = _id(annotation, "category_id")
    if category is not None and category in categories:
        label = categories[category]
    elif isinstance(category, int) and fits(category):
        label = unknown_label(category)
    else:
        return "names no category"
    return Box(label, *(float(number) for number in numbers))


def _listed(image: Any, position: int, again: set[Id], labels: Mapping[Id, _Labels], *, is_labelled: bool) -> Listed:
    key, name = _id(image, "id"), _value(image, "file_name")
    size = _value(image, "width"), _value(image, "height")
    mine = labels.get(key, _Labels()) if key is not None else _Labels()
    return Listed(
        position=position,
        name=name if isinstance(name, str) and name else None,
        error=_error(key, name, again, mine),
        size=size if all(_is_side(side) for side in size) else None,
        boxes=tuple(mine.boxes) if is_labelled else None,
        crowds=tuple(mine.crowds),
        faults=tuple(mine.faults),
    )


def _error(key: Id | None, name: Any, again: set[Id], labels: _Labels) -> str | None:
    if not isinstance(name, str) or not name:
        return "names no file"
    if key is None:
        return "has no id"
    if key in again:
        return f"its id {_short(key)} is that of several images"
    if len(labels.boxes) + len(labels.faults) > MAX_BOXES:
        return f"has more than {MAX_BOXES:,} annotations"
    return None


def _value(entry: Any, name: str) -> Any:
    return entry.get(name) if isinstance(entry, dict) else None


def _id(entry: Any, name: str) -> Id | None:
    """A whole number or a text; anything else is none."""
    value = _value(entry, name)
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_side(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and fits(value)


def _short(key: Id) -> str:
    return repr(key)[:40]


def _fault(what: str, file: Path) -> DataFault:
    return DataFault(what, where=str(file), fix="correct the file, see prepare_data.source coco")
