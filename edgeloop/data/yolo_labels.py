"""The label file of a picture in a YOLO dataset: a line an object, numbers relative to the picture.

    CLASS X Y WIDTH HEIGHT          a box; X and Y are its middle
    CLASS X1 Y1 X2 Y2 X3 Y3 …       an outline of three or more points, read as the box around it

A line that is neither is a fault; so is a number that is none, infinite, or far outside any picture. Other lines count.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeloop.data.boxes import MAX_BOXES, fits, unknown_label
from edgeloop.data.folders import refusal
from edgeloop.data.headers import Header
from edgeloop.data.sources import Box
from edgeloop.errors import DataFault

MAX_BYTES = 8 << 20
"""A larger label file is not read."""

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_BOX_NUMBERS, _FEWEST_OUTLINE_NUMBERS = 5, 7


@dataclass(frozen=True)
class Labels:
    """What a label file says: the boxes in it, and what is wrong with every other line."""

    boxes: tuple[Box, ...]
    faults: tuple[str, ...]


def labels_in(file: Path, root: Path, *, names: Mapping[int, str], header: Header) -> Labels | None:
    """The labels of a picture, or None where it has no label file.

    Args:
        file: Where it should lie.
        root: It must not lead outside.
        names: Of the classes; a number without a name becomes a label such as `#7`.
        header: Of the picture, for its size.

    Raises:
        DataFault: There is a file, but nothing of it can be used; `what` names no place.
    """
    if not file.exists() and not file.is_symlink():
        return None
    if (reason := refusal(file, root)) is not None:
        raise _fault(reason)
    return labels_of(_text(file), names=names, header=header)


def labels_of(text: str, *, names: Mapping[int, str], header: Header) -> Labels:
    """The labels in the text of a label file.

    Raises:
        DataFault: It has more than MAX_BOXES lines.
    """
    lines = [(number, parts) for number, line in enumerate(text.splitlines(), start=1) if (parts := line.split())]
    if len(lines) > MAX_BOXES:
        raise _fault(f"has {len(lines):,} lines, more than {MAX_BOXES:,}")
    boxes: list[Box] = []
    faults: list[str] = []
    for number, parts in lines:
        found = _box(parts, names, header)
        if isinstance(found, Box):
            boxes.append(found)
        else:
            faults.append(f"line {number}: {found}")
    return Labels(tuple(boxes), tuple(faults))


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise _fault(f"has more than {MAX_BYTES:,} bytes")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _fault("is no UTF-8 text") from error
    except OSError as error:
        raise _fault(f"cannot be read ({error.strerror or type(error).__name__})") from error


def _box(parts: Sequence[str], names: Mapping[int, str], header: Header) -> Box | str:
    """The box that a line describes, or what is wrong with it."""
    wrong = next((part for part in parts if not _NUMBER.fullmatch(part)), None)
    if wrong is not None:
        return f"{wrong[:20]!r} is no number"
    class_number, *numbers = (float(part) for part in parts)
    if not class_number.is_integer() or not fits(class_number):
        return f"{parts[0][:20]!r} is no number of a class"
    if len(parts) == _BOX_NUMBERS:
        x, y, width, height = numbers
        left, top = x - width / 2, y - height / 2
    elif len(parts) >= _FEWEST_OUTLINE_NUMBERS and len(parts) % 2 == 1:
        left, top = min(numbers[::2]), min(numbers[1::2])
        width, height = max(numbers[::2]) - left, max(numbers[1::2]) - top
    else:
        return f"{len(parts)} numbers are neither a box nor an outline"
    sides = (left * header.width, top * header.height, width * header.width, height * header.height)
    if not fits(*sides):
        return "a number is far outside any picture"
    class_id = int(class_number)
    return Box(names.get(class_id) or unknown_label(class_id), *sides)


def _fault(what: str) -> DataFault:
    return DataFault(f"its label file {what}", where="labels", fix="correct it or remove the picture")
