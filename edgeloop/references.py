"""How a model is named: a bundle's folder, or `NAME@ALIAS` and `NAME@VERSION` in a registry.

`mlflow` is the registry unless another plug-in stands before it: `folder:digits@champion`.

Whose signature is asked for is said in `edgeloop.lineage.verification`: that of a key in the trust folder, if it has
any; where this project trusts no key, a bundle is verified for integrity only.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeloop import plugins
from edgeloop.bundle import Bundle
from edgeloop.errors import InputFault
from edgeloop.lineage.packing import WINDOW_TAG
from edgeloop.lineage.verification import refuse_untrusted

DEFAULT_REGISTRY = "mlflow"
_REFERENCE = re.compile(r"(?:(?P<registry>[a-z_]+):)?(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)@(?P<ref>[A-Za-z0-9._-]+)")


@dataclass(frozen=True)
class Reference:
    """A model in a registry: its name, and an alias or a version."""

    registry: str
    name: str
    ref: str


def parsed(text: str) -> Reference | Path:
    """What `text` names.

    Raises:
        InputFault: It is neither a folder that exists nor a reference.
    """
    if Path(text).is_dir():
        return Path(text)
    if found := _REFERENCE.fullmatch(text):
        return Reference(found["registry"] or DEFAULT_REGISTRY, found["name"], found["ref"])
    raise InputFault(
        "is no bundle and no NAME@ALIAS", where=text, fix="name a bundle's folder, or such as digits@champion"
    )


def named_in_registry(text: str, registry: str) -> Reference:
    """The reference in `text`, in `registry` unless it names another.

    Raises:
        InputFault: It is no NAME@ALIAS.
    """
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise InputFault("is no NAME@ALIAS", where=text, fix="write such as digits@champion-workstation")
    return Reference(found["registry"] or registry, found["name"], found["ref"])


@contextmanager
def opened(text: str) -> Iterator[Bundle]:
    """The bundle that `text` names, verified; one from a registry lies in a folder that goes with the block.

    Raises:
        InputFault: There is none.
        ModelFault: It is not whole, or not signed by a key that this project trusts.
        ServerFault: The registry does not answer.
    """
    named = parsed(text)
    with tempfile.TemporaryDirectory(prefix="edgeloop-") as scratch:
        if isinstance(named, Path):
            bundle = Bundle.open(named)
        else:
            bundle = plugins.load("registries", named.registry).fetch(named.name, named.ref, Path(scratch) / "bundle")
        refuse_untrusted(bundle, where=text)
        yield bundle


def all_opened(text: str) -> Iterator[tuple[str, Bundle]]:
    """Every bundle that `text` names, with its name: a folder, NAME@ALIAS, or NAME for all of its versions.

    Each is gone when the next is asked for.

    Raises:
        As `opened`.
    """
    if Path(text).is_dir() or _REFERENCE.fullmatch(text):
        names = [text]
    else:
        versions = plugins.load("registries", DEFAULT_REGISTRY).versions(text)
        names = [f"{text}@{version.version}" for version in versions]
    if not names:
        raise InputFault("is no bundle and no model in the registry", where=text, fix="see edgeloop registry list")
    for name in names:
        with opened(name) as bundle:
            yield name, bundle


def version_of(text: str, subject_digest: str) -> str | None:
    """The version in the registry that has this subject; None for a folder."""
    named = parsed(text)
    if isinstance(named, Path):
        return None
    version = plugins.load("registries", named.registry).find(named.name, subject_digest)
    return str(version.version) if version is not None else None


def version_set_off_by(text: str, window_digest: str) -> str | None:
    """The version of the named model that a window of telemetry set off before; None for a folder."""
    named = parsed(text)
    if isinstance(named, Path):
        return None
    versions = plugins.load("registries", named.registry).versions(named.name)
    return next((str(one.version) for one in versions if one.tags.get(WINDOW_TAG) == window_digest), None)
