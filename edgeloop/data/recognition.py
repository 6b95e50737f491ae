"""Which source reads what lies at a path, guessed from names and, of a JSON file, from its first level.

    data.yaml, or images/ beside labels/            yolo
    a JSON file with images and annotations         coco
    sub-folders with pictures                       image_folder
    CSV or Parquet files                            signals or table, see `edgeloop.data.sighting`

Options decide between the last two where only one of them has options of these names. A guess is said aloud, and a
source that is named is never second-guessed.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from edgeloop import plugins
from edgeloop.contract import parsed
from edgeloop.data.folders import OF_A_QUARANTINE, PICTURE_SUFFIXES
from edgeloop.errors import DataFault, InputFault, ParamsFault, translated

if TYPE_CHECKING:
    from edgeloop.data.preparation import PrepareDataParams

TABLE_SUFFIXES = {".csv", ".tsv", ".parquet"}
_ADDRESS = re.compile(r"(?P<protocol>[a-z][a-z0-9+]+):/(?P<rest>[^/].*)")
_LOOKED_AT = 10_000


@dataclass(frozen=True)
class Recognised:
    """A source, and what speaks for it."""

    source: str
    because: str


def recognised(path: Path, options: Sequence[str] = ()) -> Recognised:
    """The source for what lies at `path`.

    Args:
        path: What the user has.
        options: `key=value` that the source is meant to understand.

    Raises:
        DataFault: Nothing is there, or nothing that a source is known for.
    """
    if not path.exists():
        raise DataFault("does not exist", where=str(path), fix="name the folder or file that holds the samples")
    given = parsed_options(options)
    found = _of_folder(path, given) if path.is_dir() else _of_file(path, given)
    if found is None:
        known = ", ".join(plugins.names("sources"))
        raise DataFault(
            "holds nothing that a source is known for", where=str(path), fix=f"name one with --source: {known}"
        )
    return found


def _of_file(path: Path, options: Mapping[str, Any]) -> Recognised | None:
    suffix = path.suffix.lower()
    if suffix in (".yaml", ".yml"):
        return Recognised("yolo", "a YAML file")
    if suffix == ".json" and is_coco(path):
        return Recognised("coco", "a JSON file with images and annotations")
    return _of_tables(path, options) if suffix in TABLE_SUFFIXES else None


def _of_tables(file: Path, options: Mapping[str, Any]) -> Recognised:
    """Signals or a table, by what the user says of them and by a file of theirs."""
    from edgeloop.data.sources.signals import SignalsOptions
    from edgeloop.data.table_roles import TableOptions

    known = {"signals": SignalsOptions.model_fields.keys(), "table": TableOptions.model_fields.keys()}
    for source, other in (("signals", "table"), ("table", "signals")):
        if telling := sorted((options.keys() & known[source]) - known[other]):
            return Recognised(source, f"the option {telling[0]}")
    from edgeloop.data.sighting import sighted

    if not file.is_file():
        return Recognised("signals", f"a {file.suffix.lower()} file")
    values = {key: value for key, value in options.items() if key in ("encoding", "separator", "header")}
    found = sighted(file, parsed(TableOptions, values, where="-o").layout)
    return Recognised(found.source, f"{file.name}: {found.because}")


def _of_folder(path: Path, options: Mapping[str, Any]) -> Recognised | None:
    with translated(path):
        entries = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    names = {entry.name for entry in entries}
    folders = [entry for entry in entries if entry.is_dir()]
    if names & {"data.yaml", "data.yml"}:
        return Recognised("yolo", "a data.yaml")
    if {"images", "labels"} <= {folder.name for folder in folders}:
        return Recognised("yolo", "images/ beside labels/")
    exported = path.glob("*/_annotations.coco.json")
    if any(map(is_coco, chain(_json_files(path), _json_files(path / "annotations"), exported))):
        return Recognised("coco", "a JSON file with images and annotations")
    below = [file for folder in folders for file in _files(folder)]
    suffixes = {file.suffix.lower() for file in below}
    if suffixes & PICTURE_SUFFIXES:
        return Recognised("image_folder", "a sub-folder for each class")
    beside = [entry for entry in entries if entry.is_file() and entry.name != OF_A_QUARANTINE]
    tables = [file for file in (*beside, *below) if file.suffix.lower() in TABLE_SUFFIXES]
    if tables:
        regular = (file for file in tables if file.is_file() and not file.is_symlink())
        return _of_tables(next(regular, tables[0]), options)
    # what is wrong with a folder of pictures that has no pictures, its source says best
    return Recognised("image_folder", "sub-folders") if folders or not entries else None


def is_coco(path: Path) -> bool:
    """Whether a file is JSON with the lists `images` and `annotations`."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):  # the last of lists in lists, thousands deep
        return False
    return isinstance(values, dict) and all(isinstance(values.get(key), list) for key in ("images", "annotations"))


def _json_files(folder: Path) -> Sequence[Path]:
    if not folder.is_dir():
        return ()
    return [entry for entry in sorted(folder.iterdir()) if entry.suffix.lower() == ".json" and entry.is_file()]


def _files(folder: Path) -> Iterator[Path]:
    """The first visible files below a folder."""
    below = (
        Path(place) / name
        for place, folders, names in os.walk(folder)
        if not _hide(folders)
        for name in names
        if not name.startswith(".")
    )
    return islice(below, _LOOKED_AT)


def _hide(folders: list[str]) -> bool:
    """Keeps `os.walk` out of hidden folders."""
    folders[:] = sorted(name for name in folders if not name.startswith("."))
    return False


def address_of(path: Path | None) -> str | None:
    """The address that a path on a command line stands for; None where it stands for a place on this machine."""
    found = _ADDRESS.fullmatch(path.as_posix()) if path is not None else None
    if found is None:
        return None
    return f"{found['protocol']}:{'///' if found['protocol'] == 'file' else '//'}{found['rest']}"


def preparation(
    path: Path | None,
    *,
    source: str | None,
    options: Sequence[str] = (),
    min_class_samples: int | None = None,
    split_by: str | None = None,
) -> "PrepareDataParams":
    """The parameters that read `path`.

    Args:
        path: What the user has; None for a source that needs none. `s3://bucket/data` and the like, though a path
            keeps one stroke of two, is the address that it was.
        source: None to guess it.
        options: `key=value` of the source, the value as YAML.
        min_class_samples: None for the default.
        split_by: As of `PrepareDataParams`; None for the default.

    Raises:
        DataFault: The source cannot be guessed.
        InputFault: Neither is it at an address.
        ParamsFault: An option is not `key=value`, or a value is out of range.
        PluginFault: There is no such source.
    """
    from edgeloop.data.preparation import PrepareDataParams

    if source is None and path is None:
        raise DataFault("needs a path or a source", where="edgeloop data", fix="name the folder or file of the samples")
    if source is None and (url := address_of(path)):
        raise InputFault(
            "what lies at an address is not guessed", where=url, fix="name it, such as --source image_folder"
        )
    name = source if source is not None else recognised(path or Path(), options).source
    loaded = plugins.load("sources", name)
    values = parsed(loaded.options, parsed_options(options), where="-o")
    wanted = {"min_class_samples": min_class_samples, "split_by": split_by}
    given = {key: value for key, value in wanted.items() if value is not None}
    url = address_of(path)
    place = {"path": path} if url is None else {"url": url}
    chosen = {"source": name, **place, "options": values.model_dump(exclude_unset=True), **given}
    return parsed(PrepareDataParams, chosen, where="edgeloop data")


def parsed_options(options: Sequence[str]) -> Mapping[str, Any]:
    """`["length=512"]` as `{"length": 512}`.

    Raises:
        ParamsFault: One has no `=`, or a value that is no YAML.
    """
    return dict(_parsed(option) for option in options)


def _parsed(option: str) -> tuple[str, Any]:
    key, equals, text = option.partition("=")
    if not equals or not key.strip():
        raise ParamsFault("is not key=value", where=f"-o {option}", fix="for example: -o length=512")
    try:
        return key.strip(), yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ParamsFault("the value is not YAML", where=f"-o {option}", fix="quote it") from error
