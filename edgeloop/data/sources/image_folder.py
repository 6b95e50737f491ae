"""A folder with a sub-folder for each class, whose pictures lie in it at any depth.

What cannot be used is listed with its reason, never skipped; only hidden files and folders, and files beside the class
folders that do not look like pictures, are no samples. Nothing is read or decoded here.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from edgeloop.data.sources import NoOptions, RawSample
from edgeloop.errors import DataFault, from_os_error

PICTURE_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".jp2", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}


class ImageFolder:
    """Ids are paths relative to the root, with `/` between their parts."""

    kind = "image"
    options = NoOptions

    def samples(self, path: Path | None, _options: NoOptions) -> Iterator[RawSample]:
        """Every file below a class folder, in the order of its path.

        Raises:
            DataFault: The folder is missing, is no folder, has no class sub-folder, or a class folder is empty or a
                link.
        """
        if path is None:
            raise DataFault("needs a folder", where="prepare_data.path", fix="name the folder that holds the classes")
        root = path.absolute()
        if not root.is_dir():
            what = "is not a folder" if root.exists() else "does not exist"
            raise DataFault(what, where=str(path), fix="name the folder that holds a sub-folder for each class")
        classes = _class_folders(root)
        return (sample for folder in (root, *classes) for sample in _samples_in(folder, root))


def _class_folders(root: Path) -> list[Path]:
    entries = [entry for entry in _entries(root) if not _is_hidden(entry)]
    folders = [entry for entry in entries if entry.is_dir()]
    if not folders:
        what = "is empty" if not entries else "has no class sub-folder"
        raise DataFault(what, where=str(root), fix="put the pictures of each class into a sub-folder named after it")
    for folder in folders:
        if folder.is_symlink():
            raise DataFault("the class folder is a link", where=str(folder), fix="copy its pictures into the dataset")
    return folders


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise from_os_error(error, folder) from error


def _samples_in(folder: Path, root: Path) -> Iterator[RawSample]:
    """The samples of one class folder, or the pictures that lie beside the class folders."""
    if folder == root:
        strays = (entry for entry in _entries(root) if not entry.is_dir() and not _is_hidden(entry))
        for stray in strays:
            if stray.suffix.lower() in PICTURE_SUFFIXES:
                yield _sample(stray, root, label=None, error="lies in no class folder")
        return
    label = _text(folder.name)
    found = False
    for path, error in _files(folder):
        found = True
        yield _sample(path, root, label=label, error=error or _refusal(path, root))
    if not found:
        raise DataFault("the class folder holds no file", where=str(folder), fix="add pictures or remove the folder")


def _files(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Every visible file below `folder`, and every folder that cannot be entered with the reason."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        yield folder, f"the folder cannot be listed ({error.strerror})"
        return
    for entry in entries:
        if _is_hidden(entry):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _files(entry)
        else:
            yield entry, "is a link to a folder" if entry.is_dir() else None


def _refusal(path: Path, root: Path) -> str | None:
    """Why the file must not be read, or None."""
    try:
        target = path.resolve(strict=True)
        mode = target.stat().st_mode
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        return "is a link to nothing" if path.is_symlink() else "cannot be read"
    if not target.is_relative_to(root.resolve()):
        return "is a link that leads outside the dataset"
    return None if stat.S_ISREG(mode) else "is not a regular file"


def _sample(path: Path, root: Path, *, label: str | None, error: str | None) -> RawSample:
    name = _text(path.relative_to(root).as_posix())
    return RawSample(id=name, label=label, uri=path.as_uri(), error=error)


def _text(name: str) -> str:
    r"""A file name as valid text: bytes that are no UTF-8 are written as `\xNN`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".")


plugin = ImageFolder()
