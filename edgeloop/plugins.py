"""Finds what was added by adding a file.

A plug-in is a module in one of the packages below, or an entry point of the group `edgeloop.<kind>` in somebody
else's distribution. Its name is the module's name. The module exposes one object called `plugin`, which satisfies the
protocol that the package of its kind declares in its `__init__`; nothing but plug-ins lies beside that. A module that
needs an extra imports it inside its functions.
"""

import importlib
import pkgutil
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, distributions
from typing import Any

from edgeloop.errors import MissingExtra, PluginFault

KINDS = {
    "sources": "edgeloop.data.sources",
    "features": "edgeloop.data.features",
    "tasks": "edgeloop.tasks",
    "models": "edgeloop.models",
    "conversion": "edgeloop.conversion",
    "quantization": "edgeloop.quantization",
    "runtimes": "edgeloop.runtimes",
    "transports": "edgeloop.transports",
    "registries": "edgeloop.registries",
    "drift": "edgeloop.drift",
}


def names(kind: str) -> list[str]:
    """The names of all plug-ins of `kind`, shipped and third-party, sorted."""
    package = importlib.import_module(KINDS[kind])
    shipped = {module.name for module in pkgutil.iter_modules(package.__path__)}
    return sorted(shipped | {entry.name for entry in _entries(kind)})


def load(kind: str, name: str) -> Any:
    """The plug-in `name` of `kind`: an object that satisfies the protocol of its kind.

    Raises:
        PluginFault: There is none of that name; the nearest name is suggested.
        MissingExtra: Its module needs a package that is not installed.
    """
    known = names(kind)
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"use one of: {', '.join(known)}"
        raise PluginFault(f"no plug-in named {name!r}", where=f"edgeloop.{kind}", fix=hint)
    for entry in _entries(kind):
        if entry.name == name:
            return entry.load()
    try:
        return importlib.import_module(f"{KINDS[kind]}.{name}").plugin
    except ModuleNotFoundError as error:
        raise missing_extra(error, name) from error


def _entries(kind: str) -> tuple[EntryPoint, ...]:
    """What other packages offer."""
    return tuple(entry for entry in _offered() if entry.group == f"edgeloop.{kind}")


@cache
def _offered() -> tuple[EntryPoint, ...]:
    """Of every kind; reading the metadata of all installed packages takes hundredths of a second each time."""
    offered = (entry for distribution in distributions() for entry in distribution.entry_points)
    return tuple(entry for entry in offered if entry.group.startswith("edgeloop."))


def missing_extra(error: ModuleNotFoundError, extra: str) -> MissingExtra:
    """The fault that tells which extra brings the package that `error` misses."""
    return MissingExtra(
        f"the package {error.name!r} is not installed", where=extra, fix=f"run: pip install 'edgeloop[{extra}]'"
    )
