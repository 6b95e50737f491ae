"""The digest of the code that makes a model, with or without Git.

Over every source file of the packages edgeloop, components and pipelines and over the lock file, by their paths
relative to the project. Where only the library is installed, no lock file lies beside it, and it is the library alone.
"""

from pathlib import Path

import edgeloop
from edgeloop.canonical import digest_of_files
from edgeloop.errors import translated

LOCK_FILE = "requirements.lock"
PACKAGES = ("edgeloop", "components", "pipelines")
SUFFIXES = frozenset({".py", ".html", ".css", ".j2", ".json", ".yaml"})


def project_root() -> Path:
    """The folder that the package edgeloop lies in."""
    return Path(edgeloop.__file__).resolve().parents[1]


def source_files(root: Path) -> list[Path]:
    """The files that the digest is over, sorted.

    A folder without a lock file is no project of ours but, say, site-packages: what is called `components` there
    belongs to somebody else.
    """
    is_project = (root / LOCK_FILE).is_file()
    packages = [root / name for name in (PACKAGES if is_project else PACKAGES[:1])]
    found = [path for package in packages for path in package.rglob("*") if _is_source(path.relative_to(root), path)]
    return sorted([*found, root / LOCK_FILE] if is_project else found)


def _is_source(relative: Path, path: Path) -> bool:
    hidden = any(part.startswith(".") or part == "__pycache__" for part in relative.parts)
    return path.suffix in SUFFIXES and not hidden and path.is_file()


def code_digest(root: Path | None = None) -> str:
    """`sha256:…` over the sources of the project in `root`, by default of the one that runs."""
    root = root or project_root()
    with translated(root):
        return digest_of_files(root, source_files(root))
