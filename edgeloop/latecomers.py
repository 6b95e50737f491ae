"""Large libraries, imported sooner.

Great Expectations imports all of SciPy's statistics and a plotting library for what few suites ask for: more than a
third of the four seconds that its import takes. And whatever is imported stays, so looking for garbage meanwhile finds
none and takes a tenth of the time.
"""

import gc
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


@contextmanager
def not_collecting() -> Iterator[None]:
    """No garbage is looked for in the block."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def coming_late(*names: str) -> Iterator[None]:
    """Modules of these names that are imported in the block are loaded at their first use, by whomever.

    Args:
        names: Full names. One that is imported already, or is not installed, is as it was.
    """
    finder = _LateFinder(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _LateFinder(MetaPathFinder):
    def __init__(self, names: Sequence[str]) -> None:
        self._names = set(names)

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._names:
            return None
        self._names.remove(fullname)  # the next line asks all finders, this one too
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec
