r"""Folders and names that somebody else made: listed without following a link out of them or round in a circle.

Nothing is read here. A name is text: bytes that are no UTF-8 are written as `\xNN`.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from edgeloop.errors import from_os_error

PICTURE_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".jp2", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}


def entries(folder: Path) -> list[Path]:
    """What lies in a folder, hidden entries too, in the order of their names.

    Raises:
        NotWritable, EnvironmentFault: It cannot be listed.
    """
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise from_os_error(error, folder) from error


def files_below(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Every visible file below `folder`; with a reason, every folder that is not entered, such as a link to one."""
    waiting: list[Path] = [folder]
    while waiting:
        path = waiting.pop()
        if path != folder and (path.is_symlink() or not path.is_dir()):
            yield path, "is a link to a folder" if path.is_dir() else None
            continue
        try:
            visible = [entry for entry in path.iterdir() if not is_hidden(entry)]
        except OSError as error:
            yield path, f"the folder cannot be listed ({error.strerror})"
            continue
        waiting += sorted(visible, reverse=True)


def refusal(path: Path, root: Path) -> str | None:
    """Why the file must not be read, or None."""
    try:
        target = path.resolve(strict=True)
        mode = target.stat().st_mode
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        return "is a link to nothing" if path.is_symlink() else "cannot be read"
    if not target.is_relative_to(root.resolve()):
        return "is a link that leads outside the dataset"
    return None if stat.S_ISREG(mode) else "is not a regular file"


def within(root: Path, name: str, *, start: Path | None = None) -> Path | None:
    """The path that `name` means, or None where it is no path or leads outside `root`; links are not looked at.

    Args:
        root: As from `lexical`.
        name: Absolute or relative, as somebody else wrote it.
        start: Where a relative name starts, `root` unless given.
    """
    try:
        usable = bool(name) and b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:  # half of a surrogate pair
        usable = False
    if not usable:
        return None
    path = Path(os.path.normpath((start or root) / name))
    return path if path.is_relative_to(root) else None


def lexical(path: Path) -> Path:
    """The path from the root of the disk, without `..`; links stay as they are, so that uris begin as was written."""
    return Path(os.path.normpath(path.absolute()))


def leads_outside(path: Path, root: Path) -> bool:
    """Whether a link on the way takes what lies at `path` out of `root`."""
    return not path.resolve().is_relative_to(root.resolve())


def relative_name(path: Path, root: Path) -> str:
    """The path from `root`, with `/` between its parts."""
    return text_of(path.relative_to(root).as_posix())


def text_of(name: str) -> str:
    r"""A name as valid text: bytes that are no UTF-8 are written as `\xNN`, half of a character as `\uNNNN`."""
    try:
        return os.fsencode(name).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half of a surrogate pair, which no file name holds but JSON and YAML can write
        return name.encode("utf-8", "backslashreplace").decode()


def is_hidden(path: Path) -> bool:
    """Whether its name begins with a dot."""
    return path.name.startswith(".")
