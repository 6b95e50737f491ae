"""What changed between two manifests."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.lineage.manifest import Manifest


class Change(Contract):
    """One value that differs; what one side does not have is null there."""

    group: str = Field(description="part of the subject, such as `params`, or `evidence.<kind>`")
    key: str = Field(description="dotted, the group first")
    kind: Literal["added", "removed", "changed"]
    old: Any = None
    new: Any = None


def diff(a: Manifest, b: Manifest) -> tuple[Change, ...]:
    """Everything in which `b` differs from `a`, subject first, each group together, keys sorted.

    The list of files is left out: it follows from the rest.
    """
    old, new = _groups(a), _groups(b)
    names = [*old, *(name for name in new if name not in old)]
    return tuple(change for name in names for change in _changes(name, old.get(name, {}), new.get(name, {})))


def _groups(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """Values by dotted key, by group, in the order of the manifest."""
    groups = {name: dict(_flat(value, name)) for name, value in manifest.subject.values().items()}
    for piece in manifest.evidence:
        group = f"evidence.{piece.kind}"
        while group in groups:  # a second piece of the same kind
            group += "+"
        groups[group] = dict(_flat(piece.body.values(), group))
    return groups


def _flat(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings by dotted key; a list is one leaf."""
    if not isinstance(value, dict) or not value:
        yield prefix, value
        return
    for key, item in value.items():
        yield from _flat(item, f"{prefix}.{key}")


def _changes(group: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for key in sorted({*old, *new}):
        if key not in old:
            yield Change(group=group, key=key, kind="added", new=new[key])
        elif key not in new:
            yield Change(group=group, key=key, kind="removed", old=old[key])
        elif old[key] != new[key]:
            yield Change(group=group, key=key, kind="changed", old=old[key], new=new[key])
