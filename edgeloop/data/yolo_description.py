"""`data.yaml`, which says what lies where in a YOLO dataset and what its classes are called.

It is somebody else's file, so it is read as plain text values: no tag makes an object of it, no alias a gigabyte, and a
class called `no` or `1.10` keeps its name. Keys that say nothing of classes and places are left alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from edgeloop.data.boxes import is_unknown
from edgeloop.data.dataset import SPLITS
from edgeloop.data.folders import text_of
from edgeloop.errors import DataFault, translated

MAX_BYTES = 256 << 10
"""A larger description is refused; that of a thousand classes has 40 KiB."""

_MAX_DEPTH = 8
_NOTHING = ("", "~", "null")
_FIX = "correct data.yaml, see prepare_data.source yolo"


@dataclass(frozen=True)
class Description:
    """What `data.yaml` says.

    Args:
        names: Of the classes, by their number.
        path: Where the dataset lay when it was written, or None.
        splits: Of train, val and test those that are named, each with its folders and lists as they are written.
    """

    names: Mapping[int, str]
    path: str | None
    splits: Mapping[str, tuple[str, ...]]


def description_of(file: Path) -> Description:
    """The description in a file.

    Raises:
        DataFault: It is too large, no YAML, or uses what no description needs: aliases, tags, deep nesting; classes
            have no names, or names that cannot be used; it describes key points.
    """
    values = _values(file)
    if "kpt_shape" in values:
        raise _fault("describes key points (kpt_shape), not boxes", file)
    splits = {name: _places(values[name], name, file) for name in SPLITS if values.get(name, "") not in _NOTHING}
    path = values.get("path", "")
    return Description(
        names=_names(values.get("names"), file),
        path=path if isinstance(path, str) and path not in _NOTHING else None,
        splits=splits,
    )


def _values(file: Path) -> Mapping[str, Any]:
    with translated(file), file.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _fault(f"has more than {MAX_BYTES:,} bytes", file)
    try:
        _refuse_traps(content, file)
        values = yaml.load(content, Loader=yaml.BaseLoader)  # noqa: S506 (it builds text, lists and mappings only)
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the last two: an escape beyond Unicode
        raise _fault(f"is not YAML ({' '.join(str(error).split())[:120]})", file) from error
    if not isinstance(values, dict):
        raise _fault("is no mapping of keys to values", file)
    return values


def _refuse_traps(content: bytes, file: Path) -> None:
    """Refuses what makes a small file large or slow; raised at the first sign, before anything is built."""
    depth = 0
    for event in yaml.parse(content, Loader=yaml.BaseLoader):
        if isinstance(event, yaml.AliasEvent):
            raise _fault(f"uses the alias *{str(event.anchor)[:40]}", file)
        if (tag := getattr(event, "tag", None)) is not None:
            raise _fault(f"uses the tag {tag[:60]}", file)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise _fault(f"is nested deeper than {_MAX_DEPTH} levels", file)


def _places(value: Any, split: str, file: Path) -> tuple[str, ...]:
    places = value if isinstance(value, list) else [value]
    if not places or not all(isinstance(place, str) and place not in _NOTHING for place in places):
        raise _fault(f"{split} is neither a path nor a list of paths", file)
    return tuple(places)


def _names(value: Any, file: Path) -> Mapping[int, str]:
    if isinstance(value, list):
        numbered = dict(enumerate(value))
    elif isinstance(value, dict):
        numbered = {_number(key, file): name for key, name in value.items()}
    else:
        raise _fault("has no names of classes", file)
    if not numbered:
        raise _fault("has no names of classes", file)
    return {number: _name(name, number, file) for number, name in numbered.items()}


def _number(key: Any, file: Path) -> int:
    if isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 10:
        return int(key)
    raise _fault(f"names: {str(key)[:40]!r} is no number of a class", file)


def _name(value: Any, number: int, file: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _fault(f"names: class {number} has no name", file)
    if is_unknown(value):
        raise _fault(f"names: {value!r} is what a class without a name is called", file)
    return text_of(value)


def _fault(what: str, file: Path) -> DataFault:
    return DataFault(what, where=str(file), fix=_FIX)
