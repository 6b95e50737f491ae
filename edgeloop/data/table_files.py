"""The files of tables that somebody named, whatever their rows mean: one, or all below a folder."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from edgeloop.data.folders import files_below, refusal
from edgeloop.errors import DataFault
from edgeloop.plugins import missing_extra


@dataclass(frozen=True)
class FoundFile:
    """One file, or what stands in its place.

    Args:
        path: Where it lies.
        folder: What ids start at.
        fault: Why it must not be opened, or None.
    """

    path: Path
    folder: Path
    fault: str | None


def table_files(
    path: Path | None, suffixes: Collection[str], *, skipped: Callable[[Path], bool] = lambda _: False
) -> list[FoundFile]:
    """The files, in the order of their paths; a folder that is not entered stands there with its reason.

    Args:
        path: `prepare_data.path`.
        suffixes: Of tables, in small letters.
        skipped: Whether a file right in the folder is no data.

    Raises:
        DataFault: The path is missing or holds no such file.
        MissingExtra: pyarrow is not installed.
    """
    if path is None:
        raise DataFault("needs a file or folder", where="prepare_data.path", fix="name a CSV or Parquet file")
    try:
        import pyarrow  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing_extra(error, "data") from error
    root = path.absolute()
    if not root.exists():
        raise DataFault("does not exist", where=str(path), fix="name a CSV or Parquet file or a folder of them")
    found = _below(root, suffixes, skipped) if root.is_dir() else _alone(root, suffixes)
    if not found:
        raise DataFault("holds no CSV or Parquet file", where=str(path), fix="choose another path")
    return found


def _alone(file: Path, suffixes: Collection[str]) -> list[FoundFile]:
    target = file.resolve()
    return [FoundFile(file, file.parent, refusal(target, target.parent))] if file.suffix.lower() in suffixes else []


def _below(root: Path, suffixes: Collection[str], skipped: Callable[[Path], bool]) -> list[FoundFile]:
    return [
        FoundFile(path, root, fault or refusal(path, root))
        for path, fault in files_below(root)
        if not (path.parent == root and skipped(path)) and (fault is not None or path.suffix.lower() in suffixes)
    ]
