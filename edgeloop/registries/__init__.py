"""Model registries, one file each.

Where a registry lies is inventory: each plug-in documents the environment variable that names it.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pydantic import Field

from edgeloop.bundle import Bundle
from edgeloop.contract import Contract
from edgeloop.errors import GateRefused, InputFault

_ALIAS = re.compile(r"(?!latest$|v[0-9]+$)[A-Za-z][A-Za-z0-9_-]*")
"""What every registry takes: MLflow has a narrow choice, and a number would be a version."""


class RegisteredVersion(Contract):
    """One version of a model in a registry."""

    name: str
    version: str = Field(description="a number, counted from 1 for each name")
    uri: str = Field(description="the registry's own address of it")
    subject_digest: str
    lineage_sha256: str = Field(description="of the lineage.yaml that is stored: which evidence came with it")
    aliases: tuple[str, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)


class Registry(Protocol):
    """Named models, their versions, and aliases that point to one version each.

    Every verb raises `ServerFault` when the registry does not answer; calling it again finishes the work. A push that
    was killed leaves no version, or a whole one.
    """

    def push(self, bundle: Bundle, name: str, *, tags: Mapping[str, str]) -> RegisteredVersion:
        """Stores the bundle byte for byte and makes it a new version of `name`, in no alias yet.

        The version appears after the stored bytes were read back and verified. A subject that `name` has already gets
        no second version: its own comes back, verified as well, with the evidence that it was stored with.

        Raises:
            ModelFault: What was read back is not what was stored.
        """

    def promote(self, name: str, alias: str, version: str, *, expected: str | None = None) -> None:
        """Points `alias` to `version`, away from wherever it pointed; where it points there already, all is done.

        Args:
            name: The model.
            alias: What to move.
            version: Where to.
            expected: The version that the caller believes it points to, "" for none; None does not ask.

        Raises:
            InputFault: There is no such version, or it is no name for an alias.
            GateRefused: `alias` points neither to `version` nor to `expected`: somebody else has moved it.
        """

    def versions(self, name: str) -> tuple[RegisteredVersion, ...]:
        """All versions, oldest first; none for a name that is unknown."""

    def find(self, name: str, subject_digest: str) -> RegisteredVersion | None:
        """The version of `name` that has this subject."""

    def fetch(self, name: str, ref: str, folder: Path) -> Bundle:
        """Writes the bundle of a version (its number or an alias) to `folder`, whole, and opens it.

        Raises:
            InputFault: There is no such version.
            ModelFault: What was fetched is not whole.
        """


def refuse_moved(name: str, alias: str, *, now: str, expected: str | None) -> None:
    """Compares before an alias is moved; `now` and `expected` are versions, "" for none.

    Raises:
        GateRefused: `alias` does not point to `expected`.
    """
    if expected is not None and now != expected:
        raise GateRefused(
            f"points to version {now or 'nothing'}, not to {expected or 'nothing'}",
            where=f"{name}@{alias}",
            fix="look at what was promoted meanwhile, then promote again",
        )


def refuse_odd_alias(name: str, alias: str) -> None:
    """Refuses an alias that not every registry takes.

    Raises:
        InputFault: It is one.
    """
    if not _ALIAS.fullmatch(alias):
        raise InputFault(
            "is no name for an alias",
            where=f"{name}@{alias}",
            fix="begin with a letter, then letters, digits, - and _; latest, v1, v2, … are MLflow's own",
        )


def unknown_version(name: str, ref: str) -> InputFault:
    """The fault that says that `name` has no version or alias `ref`."""
    return InputFault("no such version or alias", where=f"{name}@{ref}", fix=f"see: edgeloop registry list {name}")


def earlier_holder(versions: Sequence[RegisteredVersion], name: str, alias: str) -> tuple[str, str]:
    """The version that holds `alias`, and the newest older one that was promoted to it when it was registered.

    Raises:
        InputFault: Nothing holds the alias, or nothing held it before.
    """
    numbers = [version.version for version in versions]
    holder = next((version.version for version in versions if alias in version.aliases), None)
    if holder is None:
        raise unknown_version(name, alias)
    older = versions[: numbers.index(holder)]
    before = [version.version for version in older if version.tags.get("promotion", "").startswith(f"{alias}: yes")]
    if not before:
        raise InputFault("no older version was promoted to it", where=f"{name}@{alias}", fix="use registry promote")
    return holder, before[-1]
