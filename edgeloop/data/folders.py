r"""Folders and names that somebody else made: listed without following a link out of them or round in a circle.

Nothing is read here. A name is text on one line: bytes that are no UTF-8, and characters that would steer a terminal
or turn the direction of writing, are written as `\xNN` or `\uNNNN`.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from edgeloop.errors import DataFault, from_os_error

PICTURE_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".jp2", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}

OF_A_QUARANTINE = "quarantine.parquet"
"""Lies beside what a quarantine let pass, and is no data."""

MAX_FILES = 2_000_000
"""A folder of more, at any depth, is refused: what is known of each sample is held in memory."""


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
    """Every visible file below `folder`; with a reason, every folder that is not entered, such as a link to one.

    In the order of their names, a folder at the place of its own name. Of the folders on the way to a file the names
    are held, about 100 bytes each.

    Raises:
        DataFault: There are more than MAX_FILES.
    """
    found = 0
    waiting: list[Iterator[tuple[Path, bool, str | None]]] = [_visible(folder)]
    while waiting:
        path, is_folder, reason = next(waiting[-1], _NO_MORE)
        if path == _NO_MORE[0]:
            waiting.pop()
        elif is_folder:
            waiting.append(_visible(path))
        else:
            found += 1
            if found > MAX_FILES:
                raise DataFault(f"holds more than {MAX_FILES:,} files", where=str(folder), fix="divide the dataset")
            yield path, reason


_NO_MORE = (Path(), False, None)


def _visible(folder: Path) -> Iterator[tuple[Path, bool, str | None]]:
    """What lies in a folder by name: its path, whether it is to be entered, and else why it is no file."""
    try:
        with os.scandir(folder) as listed:
            seen = [(entry.name, _kind(entry)) for entry in listed if not entry.name.startswith(".")]
    except OSError as error:
        yield folder, False, f"the folder cannot be listed ({error.strerror})"
        return
    seen.sort()
    for name, kind in seen:
        yield folder / name, kind == _FOLDER, _LINK if kind == _LINK else None


_FILE, _FOLDER, _LINK = "", "folder", "is a link to a folder"


def _kind(entry: "os.DirEntry[str]") -> str:
    try:
        is_folder = entry.is_dir()
    except OSError:  # links in a circle
        return _FILE
    if not is_folder:
        return _FILE
    return _LINK if entry.is_symlink() else _FOLDER


def refusal(path: Path, root: Path) -> str | None:
    """Why the file must not be read, or None."""
    return refusing(root)(path)


def refusing(root: Path) -> Callable[[Path], str | None]:
    """`refusal` for many files of one root: what leads to their folders is looked up once for each folder."""
    whole = root.resolve()
    inside: dict[str, bool] = {}

    def reason(path: Path) -> str | None:
        try:
            mode = path.lstat().st_mode
        except (OSError, ValueError):  # ValueError: a name that no file can have
            return "cannot be read"
        if stat.S_ISLNK(mode):
            return _refusal_of_link(path, whole)
        folder = os.path.dirname(path)  # noqa: PTH120 a Path costs more than all else here
        if folder not in inside:
            inside[folder] = Path(folder).resolve().is_relative_to(whole)
        if not inside[folder]:
            return _OUTSIDE
        return None if stat.S_ISREG(mode) else "is not a regular file"

    return reason


_OUTSIDE = "is a link that leads outside the dataset"


def _refusal_of_link(path: Path, whole: Path) -> str | None:
    try:
        target = path.resolve(strict=True)
        mode = target.stat().st_mode
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        return "is a link to nothing"
    if not target.is_relative_to(whole):
        return _OUTSIDE
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
    r"""A name as valid text on one line; what is none is written as `\xNN` or `\uNNNN`."""
    try:
        text = os.fsencode(name).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half of a surrogate pair, which no file name holds but JSON and YAML can write
        text = name.encode("utf-8", "backslashreplace").decode()
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


_STEERING = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069]")


def is_hidden(path: Path) -> bool:
    """Whether its name begins with a dot."""
    return path.name.startswith(".")
