"""`train.batch_size: auto`: resolved once, by the planner, and written back as a number.

A run that found its batch by itself would give other weights on another machine, so only `edgeloop plan --write`
resolves it, and everything else refuses it.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from edgeloop.errors import ParamsFault, translated
from edgeloop.files import write_text

AUTO = "auto"

_SECTION = re.compile(r"^train:[ \t]*(#.*)?$", re.MULTILINE)
_FIELD = re.compile(r"^(?P<before>[ \t]+batch_size:[ \t]*)(?P<value>[^\s#]+)", re.MULTILINE)
_NEXT_SECTION = re.compile(r"^[^\s#]", re.MULTILINE)


def write_batch_size(path: Path, batch: int) -> None:
    """Sets `train.batch_size` in a params.yaml; every other character of the file stays.

    Raises:
        ParamsFault: The file has no section `train` of lines, or it would say something else afterwards.
        NotWritable, DiskFull, InputFault: It cannot be read or written.
    """
    with translated(path):
        text = path.read_text(encoding="utf-8")
    begin = _SECTION.search(text)
    if begin is None:
        raise _unwritable(path, batch)
    after = _NEXT_SECTION.search(text, begin.end())
    end = after.start() if after else len(text)
    section = text[begin.end() : end]
    changed, found = _FIELD.subn(lambda match: f"{match['before']}{batch}", section, count=1)
    if not found:
        changed = f"\n  batch_size: {batch}{section}"
    new = text[: begin.end()] + changed + text[end:]
    if _read(new) != _expected(text, batch):
        raise _unwritable(path, batch)
    write_text(path, new)


def _expected(text: str, batch: int) -> Any:
    values = _read(text)
    train = values.get("train") if isinstance(values, dict) else None
    return {**values, "train": {**(train or {}), "batch_size": batch}} if isinstance(values, dict) else None


def _read(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _unwritable(path: Path, batch: int) -> ParamsFault:
    return ParamsFault(
        "has no section train to write a batch into", where=str(path), fix=f"write train.batch_size: {batch} yourself"
    )
