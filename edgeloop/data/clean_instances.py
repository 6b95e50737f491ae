"""The clean set of a COCO dataset: its instances files without what belongs to pictures that are left out.

From a file only entries of `images` and `annotations` are cut; all else is there letter by letter: outlines, categories
and whatever other keys there are. A file that loses nothing is linked or copied. The text is scanned and not turned
into objects, so the outlines of a hundred thousand pictures take the memory of their text.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edgeloop.data.placing import Accepted, placed, unchanged
from edgeloop.data.sources.coco import entries_in
from edgeloop.errors import DataFault
from edgeloop.progress import Advance

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


def write_clean_instances(accepted: Accepted, folder: Path, advance: Advance) -> list[bool]:
    """Writes the instances files and the accepted pictures to `folder`; whether each file is a link.

    Raises:
        DataFault: A picture or an instances file is no longer what was judged.
    """
    names = {sample.id for sample in accepted.samples}
    listed, root = entries_in(accepted.path)
    files = []
    for sample in accepted.samples:
        source = unchanged(sample)
        files.append(placed(source, folder / source.relative_to(root)))
        advance(1, "")
    for file, ids in listed.items():
        positions = {position for position, name in ids.items() if name in names}
        files.append(_written(file, folder / file.relative_to(root), positions))
    return files


def _written(file: Path, target: Path, positions: set[int]) -> bool:
    """Writes an instances file with the images at `positions`, and their annotations."""
    content = file.read_bytes()
    encoding = json.detect_encoding(content)
    text = content.decode(encoding, "surrogatepass")
    try:
        shortened = without_others(text, positions)
    except (ValueError, IndexError) as error:
        raise DataFault(
            "is no JSON object any more", where=str(file), fix="run again when nobody writes to it"
        ) from error
    if shortened == text:
        return placed(file, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(shortened.encode(encoding, "surrogatepass"))
    return False


def without_others(text: str, positions: set[int]) -> str:
    """The text of an instances file with the images at `positions` and their annotations only.

    Raises:
        ValueError: It is no JSON object.
    """
    starts = dict(_members(text))  # of a key that is written twice the last one counts, as to json
    ids: set[Any] = set()

    def is_kept(place: int, image: Any) -> bool:
        if place in positions:
            ids.add(image["id"])
        return place in positions

    images = _cut(text, starts["images"], is_kept)
    cuts = [images]
    if "annotations" in starts:
        cuts.append(_cut(text, starts["annotations"], lambda _, annotation: _belongs(annotation, ids)))
    for start, end, replacement in sorted(cuts, reverse=True):
        text = f"{text[:start]}{replacement}{text[end:]}"
    return text


def _belongs(annotation: Any, ids: set[Any]) -> bool:
    image = annotation.get("image_id") if isinstance(annotation, dict) else None
    return isinstance(image, int | str) and image in ids


def _members(text: str) -> Iterator[tuple[str, int]]:
    """The keys of the object that a text is, and where their values begin."""
    place = _after(text, _space(text, 0), "{")
    while text[place] != "}":
        key, place = _DECODER.raw_decode(text, place)
        place = _after(text, place, ":")
        yield key, place
        _, place = _DECODER.raw_decode(text, place)
        place = _space(text, place)
        if text[place] != "}":
            place = _after(text, place, ",")


def _cut(text: str, start: int, is_kept: Callable[[int, Any], bool]) -> tuple[int, int, str]:
    """Begin and end of the elements of a list in the text, and what is to stand there instead."""
    begin = _after(text, start, "[")
    kept: list[str] = []
    place, number, between, end = begin, 0, ",", begin
    while text[place] != "]":
        element, end = _DECODER.raw_decode(text, place)
        if is_kept(number, element):
            kept.append(text[place:end])
        number += 1
        place = _space(text, end)
        if text[place] != "]":
            place = _after(text, place, ",")
            between = text[end:place]
    return begin, end, between.join(kept)


def _after(text: str, place: int, sign: str) -> int:
    """The place of the next value behind a sign that stands at `place` or behind white space."""
    place = _space(text, place)
    if text[place] != sign:
        raise ValueError(f"no {sign} at {place}")
    return _space(text, place + 1)


def _space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    assert found is not None
    return found.end()
