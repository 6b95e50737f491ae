"""Values as YAML documents that are read back as they were written.

Written: block style, keys in the order given, no anchors. Read: plain types only; a repeated or merged key, an alias
(which lets a small file unfold into a huge value), nesting beyond `MAX_DEPTH`, a file beyond `MAX_BYTES` are refused.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from edgeloop.contract import Contract, first_fault
from edgeloop.errors import ModelFault, translated

MAX_BYTES = 64 << 20
MAX_DEPTH = 64

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times faster, where PyYAML has it
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

_TEXT = "tag:yaml.org,2002:str"

Document = TypeVar("Document", bound=Contract)


class _Loader(_LOADER):  # type: ignore[misc]  # one of two bases, chosen above
    """Refuses what two readers could read differently: repeated keys, merged mappings, keys that are no text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.tag == _TEXT]
        if len(set(keys)) < len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key is repeated or is no text", node.start_mark)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


class _Dumper(_DUMPER):  # type: ignore[misc]  # one of two bases, chosen above
    """Writes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def text_of(values: Any) -> str:
    """JSON types as a YAML document."""
    text: str = yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, line_break="\n")
    return text


def read(path: Path, kind: type[Document]) -> Document:
    """The value of contract `kind` in the YAML file `path`.

    Raises:
        InputFault: There is no such file.
        ModelFault: It is no YAML, or not of that contract; the first wrong key is named.
    """
    fix = "take the bundle again from where it was made"
    with translated(path):
        if path.stat().st_size > MAX_BYTES:
            raise ModelFault(f"is larger than {MAX_BYTES >> 20} MiB", where=str(path), fix=fix)
        content = path.read_bytes()
    try:
        return kind.model_validate(_values_in(content))
    except ValidationError as error:
        raise ModelFault(
            f"is not a valid {kind.__name__}: {first_fault(error, kind)}", where=str(path), fix=fix
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelFault(f"is not readable YAML ({reason})", where=str(path), fix=fix) from error


def _values_in(content: bytes) -> Any:
    text, depth = content.decode("utf-8"), 0
    for event in yaml.parse(text, Loader=_LOADER):  # before anything is built from it
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or depth > MAX_DEPTH:
            raise ValueError("it holds an alias, or is nested too deep")
    return yaml.load(text, Loader=_Loader)  # noqa: S506 -- a safe loader, made stricter
