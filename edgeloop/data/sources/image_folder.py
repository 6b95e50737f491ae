"""A folder with a sub-folder for each class, whose pictures lie in it at any depth.

What cannot be used is listed with its reason, never skipped; only hidden files and folders, and files beside the class
folders that do not look like pictures, are no samples. Nothing is read or decoded here.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

from edgeloop.data.folders import PICTURE_SUFFIXES, entries, files_below, is_hidden, refusing, relative_name, text_of
from edgeloop.data.sources import NoOptions, RawSample
from edgeloop.errors import DataFault


class ImageFolder:
    """Ids are paths relative to the root, with `/` between their parts."""

    kind = "image"
    needs_place = True
    options = NoOptions

    def samples(self, path: Path | None, _options: NoOptions) -> Iterator[RawSample]:
        """Every file below a class folder, in the order of its path.

        Raises:
            DataFault: The folder is missing, is no folder, has no class sub-folder, a class folder is empty or a link,
                or two look alike.
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
    visible = [entry for entry in entries(root) if not is_hidden(entry)]
    folders = [entry for entry in visible if entry.is_dir()]
    if not folders:
        what = "is empty" if not visible else "has no class sub-folder"
        raise DataFault(what, where=str(root), fix="put the pictures of each class into a sub-folder named after it")
    for folder in folders:
        if folder.is_symlink():
            raise DataFault("the class folder is a link", where=str(folder), fix="copy its pictures into the dataset")
    _refuse_twins(folders, root)
    return folders


def _refuse_twins(folders: list[Path], root: Path) -> None:
    """Refuses two classes whose names look alike: one letter and its accent are one character here and two there."""
    names: dict[str, str] = {}
    for folder in folders:
        name = text_of(folder.name)
        twin = names.setdefault(unicodedata.normalize("NFC", name), name)
        if twin != name:
            what = f"two class folders look alike: {twin!a} and {name!a}"
            raise DataFault(what, where=str(root), fix="put their pictures into one of them")


def _samples_in(folder: Path, root: Path) -> Iterator[RawSample]:
    """The samples of one class folder, or the pictures that lie beside the class folders."""
    if folder == root:
        strays = (entry for entry in entries(root) if not entry.is_dir() and not is_hidden(entry))
        for stray in strays:
            if stray.suffix.lower() in PICTURE_SUFFIXES:
                yield _sample(stray, root, label=None, error="lies in no class folder")
        return
    label = text_of(folder.name)
    found, refused = False, refusing(root)
    for path, error in files_below(folder):
        found = True
        yield _sample(path, root, label=label, error=error or refused(path))
    if not found:
        raise DataFault("the class folder holds no file", where=str(folder), fix="add pictures or remove the folder")


def _sample(path: Path, root: Path, *, label: str | None, error: str | None) -> RawSample:
    name = relative_name(path, root)
    return RawSample(id=name, label=label, uri=path.as_uri(), error=error)


plugin = ImageFolder()
