"""docs/params.md, written from the section models: `python -m edgeloop.reference > docs/params.md`."""

import json
from collections.abc import Iterator
from typing import Any

from edgeloop.params import Params

HEAD = """# Parameters

Written by `python -m edgeloop.reference > docs/params.md`; do not edit. Unknown keys, wrong types and values out of
range are refused before anything runs. Override one with `-S section.field=value`.
"""

_BOUNDS = {"minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}"}

Schema = dict[str, Any]


def page() -> str:
    """The page as Markdown."""
    schema = Params.model_json_schema()
    defaults = Params().values()
    parts = [HEAD]
    for section in schema["properties"]:
        parts.append(f"\n## {section}\n\n| Field | Default | Allowed | Meaning |\n|---|---|---|---|\n")
        fields = _fields(schema, schema["properties"][section], section, defaults[section])
        parts += [f"| {' | '.join(cell.replace('|', ' or ') for cell in row)} |\n" for row in fields]
    return "".join(parts)


def _fields(whole: Schema, node: Schema, path: str, default: Any) -> Iterator[tuple[str, str, str, str]]:
    """Name, default, allowed values and meaning of every field below `node`, nested ones after their parent."""
    for key, field in _resolved(whole, node)["properties"].items():
        name, value = f"{path}.{key}", default.get(key) if isinstance(default, dict) else None
        nested = _resolved(whole, field)
        if "properties" in nested:
            yield from _fields(whole, nested, name, value)
            continue
        items = _resolved(whole, nested.get("items", {}))
        of_objects = "properties" in items
        shown = "see params.yaml" if of_objects else f"`{json.dumps(value)}`" if isinstance(default, dict) else ""
        yield f"`{name}`", shown, _allowed(whole, nested), field.get("description", "")
        if of_objects:
            yield from _fields(whole, items, f"{name}[]", _defaults(items))


def _resolved(whole: Schema, node: Schema) -> Schema:
    if "$ref" in node:
        return dict(whole["$defs"][node["$ref"].rpartition("/")[2]])
    return node


def _defaults(node: Schema) -> dict[str, Any]:
    return {key: field.get("default") for key, field in node["properties"].items()}


def _allowed(whole: Schema, field: Schema) -> str:
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_allowed(whole, _resolved(whole, choice)) for choice in field["anyOf"]))
    if "enum" in field:
        return ", ".join(map(str, field["enum"]))
    if field.get("type") == "array":
        return f"list of {_allowed(whole, _resolved(whole, field['items']))}"
    bounds = [text.format(f"{field[key]:g}") for key, text in _BOUNDS.items() if key in field]
    return " ".join([field.get("type", "any"), ", ".join(bounds)]).strip()


if __name__ == "__main__":
    print(page(), end="")
