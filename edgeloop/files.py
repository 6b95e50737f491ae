"""What exists is whole: files and folders are written beside their place and renamed into it.

`renamed` is the only rename of the package, so it is also the only place where a killed process can leave one state
or the other, see `edgeloop.killing`.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgeloop.errors import translated
from edgeloop.killing import rename_point

_COPY_BYTES = 1 << 20


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to, that becomes `path` when the block ends without an error.

    Raises:
        NotWritable, DiskFull, EnvironmentFault: The place cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            renamed(partial, path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """An empty folder to fill, that replaces `path` when the block ends without an error.

    Raises:
        NotWritable, DiskFull, EnvironmentFault: The place cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    replaced = path.with_name(f".{path.name}.replaced")
    with translated(path):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            shutil.rmtree(replaced, ignore_errors=True)
            if path.is_dir():
                renamed(path, replaced)
            renamed(partial, path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
            shutil.rmtree(replaced, ignore_errors=True)


def renamed(source: Path, target: Path) -> None:
    """Renames; the one place where a run that is killed changes from before to after."""
    with rename_point():
        source.replace(target)


def copy_file(source: Path, target: Path) -> None:
    """Copies the bytes; a fault names the side that it lies on.

    Raises:
        InputFault: There is no `source`.
        NotWritable, DiskFull, EnvironmentFault: `target` cannot be written.
    """
    with translated(source), source.open("rb") as reader, translated(target), target.open("wb") as writer:
        shutil.copyfileobj(reader, writer, _COPY_BYTES)


def write_json(path: Path, value: Any) -> None:
    """JSON for people and programs: indented, keys in the order given, one trailing newline."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """UTF-8 text, whole or not at all."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def read_json(path: Path) -> Any:
    """The JSON value in `path`.

    Raises:
        InputFault: The file is missing.
        ValueError: It is not JSON.
    """
    with translated(path):
        return json.loads(path.read_text(encoding="utf-8"))
