"""The base of every frozen value that is read from or written to a file."""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from edgeloop.errors import ModelFault, ParamsFault
from edgeloop.files import read_json, write_json

Value = TypeVar("Value", bound=BaseModel)


class Contract(BaseModel):
    """A frozen value with known keys only, and its JSON file."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())

    @classmethod
    def read(cls, path: Path) -> Self:
        """The value in the JSON file `path`.

        Raises:
            InputFault: There is no such file.
            ModelFault: It is not JSON, or not of this contract; the first wrong key is named.
        """
        try:
            return cls.model_validate(read_json(path))
        except ValidationError as error:
            raise ModelFault(
                f"is not a valid {cls.__name__}: {first_fault(error, cls)}",
                where=str(path),
                fix="make it again with the step that writes it",
            ) from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ModelFault(
                "is not JSON", where=str(path), fix="make it again with the step that writes it"
            ) from error

    def write(self, path: Path) -> None:
        """Writes the value as JSON, whole or not at all."""
        write_json(path, self.values())

    def values(self) -> dict[str, Any]:
        """The value as JSON types."""
        return self.model_dump(mode="json")

    def set_values(self) -> dict[str, Any]:
        """The value as JSON types without its nulls, which KFP cannot carry.

        Lossless for parameters: a field of theirs is null only where null is its default.
        """
        return self.model_dump(mode="json", exclude_none=True)


def parsed(model: type[Value], values: Mapping[str, Any], *, where: str) -> Value:
    """The value of `model` in what a user wrote.

    Raises:
        ParamsFault: It is none; `where` and the first wrong key are named.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ParamsFault(first_fault(error, model), where=where, fix="correct it and run again") from error


def whole_numbers(options: Mapping[str, Any]) -> dict[str, Any]:
    """`options` with 32.0 as 32: KFP carries every number as a float, and one value has one digest."""
    return {name: _whole(value) for name, value in options.items()}


def _whole(value: Any) -> Any:
    if isinstance(value, Mapping):
        return whole_numbers(value)
    if isinstance(value, list | tuple):
        return [_whole(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def first_fault(error: ValidationError, model: type[BaseModel]) -> str:
    """The first thing that `error` complains of: the dotted key, the reason, and the nearest right name."""
    fault = error.errors()[0]
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] != "extra_forbidden":
        reason = fault["msg"].removeprefix("Value error, ")
        return f"{key}: {reason} (got {_shortened(fault['input'])})" if key else reason
    known = _names_beside(fault["loc"], model)
    near = get_close_matches(str(fault["loc"][-1]), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
    return f"{key}: unknown key; {hint}"


def _names_beside(location: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """The keys that may stand where the last part of `location` stands."""
    current: type[BaseModel] = model
    for part in location[:-1]:
        if isinstance(part, str) and part in current.model_fields:
            nested = _model_in(current.model_fields[part].annotation)
            current = nested or current
    return sorted(current.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model inside `annotation`, such as `X` in `tuple[X, ...]` or `X | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if found := _model_in(argument):
            return found
    return None


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
