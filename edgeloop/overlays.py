"""The layers of parameters: params.yaml, over it a scenario, over that `-S section.field=value`.

Mappings merge, everything else is replaced. The options of a plug-in are meant for that plug-in: a scenario that names
another one, or an override, begins without the options that were written below it.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from edgeloop.data.preparation import PrepareDataParams
from edgeloop.errors import ParamsFault, translated
from edgeloop.training import TrainParams

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Chosen:
    """A field that names a plug-in, and the field that has its options; `default` is its name where nothing is said."""

    section: str
    field: str
    options: str
    default: str


CHOSEN = (
    Chosen("prepare_data", "source", "options", PrepareDataParams().source),
    Chosen("train", "model", "model_options", TrainParams().model),
    Chosen("train", "task", "task_options", TrainParams().task),
)


@dataclass(frozen=True)
class Layers:
    """What is laid over the defaults, each with the place that it comes from.

    Args:
        files: The lowest first.
        overrides: Over all of them. They stand beside each other: none drops what another says.
    """

    files: tuple[tuple[str, Values], ...]
    overrides: tuple[tuple[str, Values], ...] = ()

    @property
    def last(self) -> str:
        """Where the uppermost comes from."""
        return (*self.files, *self.overrides)[-1][0]

    def laid(self) -> dict[str, Any]:
        """All of them as one mapping."""
        on_top: dict[str, Any] = {}
        for _, values in self.overrides:
            on_top = overlaid(on_top, values)
        merged: dict[str, Any] = {}
        for values in (*(values for _, values in self.files), on_top):
            merged = overlaid(_without_options_of_others(merged, values), values)
        return merged

    def growing(self) -> Iterator["Layers"]:
        """The first layer, the first two, and so on."""
        for count in range(1, len(self.files) + 1):
            yield Layers(self.files[:count])
        for count in range(1, len(self.overrides) + 1):
            yield replace(self, overrides=self.overrides[:count])


class _EachKeyOnce(yaml.SafeLoader):
    """YAML says that keys are unique; PyYAML keeps the last one and is silent."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """See `yaml.SafeLoader`."""
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} stands there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def layers_of(path: Path, scenario: Path | None, overrides: Sequence[str]) -> Layers:
    """The layers of a run, see `edgeloop.params.load`.

    Raises:
        ParamsFault: A file is no mapping in YAML, or an override is not section.field=value.
    """
    files = [(str(file), read_yaml(file)) for file in (path, scenario) if file is not None]
    return Layers(tuple(files), tuple((f"-S {override}", parsed_override(override)) for override in overrides))


def _without_options_of_others(below: Values, above: Values) -> dict[str, Any]:
    """What is below, but for the options of a plug-in in whose place `above` names another."""
    kept = {name: dict(section) if isinstance(section, dict) else section for name, section in below.items()}
    for chosen in CHOSEN:
        under, over = kept.get(chosen.section), above.get(chosen.section)
        if not isinstance(under, dict) or not isinstance(over, dict):
            continue  # what is no section is told where the whole is checked
        before = under.get(chosen.field, chosen.default)
        if over.get(chosen.field, before) != before:
            under.pop(chosen.options, None)
    return kept


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; an empty file is an empty mapping.

    Raises:
        ParamsFault: It is no YAML, or no mapping.
    """
    with translated(path):
        content = path.read_bytes()
    try:
        values = yaml.load(content, _EachKeyOnce)  # noqa: S506  a safe loader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsFault(f"is not YAML ({error})", where=str(path), fix="correct the syntax") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ParamsFault("is not a mapping of sections", where=str(path), fix="write `section:` and fields below it")
    return values


def parsed_override(override: str) -> dict[str, Any]:
    """`train.epochs=3` as `{"train": {"epochs": 3}}`.

    Raises:
        ParamsFault: It has no `=` or no section.
    """
    key, equals, text = override.partition("=")
    names = key.strip().split(".")
    if not equals or len(names) < 2 or not all(names):
        raise ParamsFault("is not section.field=value", where=f"-S {override}", fix="for example: -S train.epochs=3")
    try:
        value: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ParamsFault("the value is not YAML", where=f"-S {override}", fix="quote it") from error
    for name in reversed(names):
        value = {name: value}
    return dict(value)


def overlaid(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`: mappings merge, everything else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = overlaid(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged
