"""The edge to Great Expectations: a suite's file becomes expectations, and a table becomes results.

Four traps of the library are met here. A suite that is loaded as a whole drops an expectation that it cannot build
and only logs that, so each is built by itself. An expectation that raises reports "failed", so its exception is looked
for and called "could not check". One that looks at each value passes where there is none, and that is called so as
well. Severity is a label without effect, so the caller decides by it.

One suite serves several *environments*: data to learn from has labels and splits, data that a model is served with has
none. An expectation whose meta says `"environments": ["training"]` is left out of the others; without it, it applies
in all.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeloop.canonical import sha256_of_bytes
from edgeloop.data.verdict import FIRST_IDS, ExpectationResult, SuiteRecord
from edgeloop.errors import DataFault, InputFault, translated
from edgeloop.latecomers import coming_late, not_collecting
from edgeloop.plugins import missing_extra

if TYPE_CHECKING:
    import pandas as pd

ENVIRONMENTS = ("training", "serving")
SUITE_OF_KIND = {
    "image": "images.json",
    "detection": "detection.json",
    "window": "windows.json",
    "table": "tables.json",
}
"""The shipped suite of each kind of sample."""

_SHIPPED = Path(__file__).parent / "suites"
_CHECKOUT = Path(__file__).parents[2] / "suites"
_FIX = "correct the suite or choose another with validate_data.suite"
_NO_ARGUMENTS = {"batch_id", "condition_parser", "column", "column_A", "column_B", "column_list", "column_set"}


@dataclass(frozen=True)
class Suite:
    """A suite as it lies in its file.

    Args:
        record: Its name and digest.
        expectations: The configuration of each: `type`, `kwargs`, `severity`, `notes`, `meta`.
    """

    record: SuiteRecord
    expectations: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Checked:
    """One result, with the ids of every sample that does not meet the expectation."""

    result: ExpectationResult
    failing_ids: tuple[str, ...]


def suite_file(path: Path) -> Path:
    """Where the suite lies: `path`, or, for a shipped one such as `suites/images.json`, the package's own copy."""
    if not path.exists() and path.parent == Path("suites") and (_shipped() / path.name).exists():
        return _shipped() / path.name
    return path


def suite_of_kind(kind: str) -> Path:
    """The suite of a project for a kind of sample: relative to it, and shipped where the project has none.

    Raises:
        InputFault: There is none for it.
    """
    if kind not in SUITE_OF_KIND:
        raise InputFault(
            f"no suite is shipped for {kind} samples", where="suites", fix="name one: --suite, or validate_data.suite"
        )
    return Path("suites") / SUITE_OF_KIND[kind]


def shipped_suite(kind: str) -> Path:
    """The suite that is shipped for a kind of sample; the package's own copy, whatever lies in the current folder.

    Raises:
        InputFault: There is none.
    """
    return _shipped() / suite_of_kind(kind).name


def _shipped() -> Path:
    return _SHIPPED if _SHIPPED.is_dir() else _CHECKOUT


def read_suite(path: Path) -> Suite:
    """The suite in a file as Great Expectations writes it (`suite.to_json_dict()`).

    Raises:
        InputFault: There is no such file.
        DataFault: It is not JSON, or not a suite with expectations.
    """
    if path.is_dir():
        raise DataFault("the suite is a folder", where=str(path), fix=_FIX)
    with translated(path):
        content = path.read_bytes()
    try:
        values = json.loads(content)
    except ValueError as error:
        raise DataFault(f"the suite is not JSON ({error})", where=str(path), fix=_FIX) from error
    expectations = values.get("expectations") if isinstance(values, dict) else None
    if not isinstance(expectations, list) or not expectations:
        raise DataFault("the suite has no expectations", where=str(path), fix=_FIX)
    if not isinstance(name := values.get("name"), str):
        raise DataFault("the suite has no name", where=str(path), fix=_FIX)
    return Suite(SuiteRecord(name=name, sha256=sha256_of_bytes(content)), tuple(expectations))


def in_environment(suite: Suite, environment: str, *, where: Path) -> Suite:
    """The suite without the expectations of other environments; its record says how many those are.

    Args:
        suite: As it lies in its file.
        environment: One of ENVIRONMENTS.
        where: The suite's file, for error messages.

    Raises:
        InputFault: There is no such environment; the nearest right one is named.
        DataFault: An expectation names one that does not exist, or none applies.
    """
    refuse_unknown_environment(environment)
    applied = tuple(
        values
        for position, values in enumerate(suite.expectations, start=1)
        if environment in _environments(values, position, where)
    )
    if not applied:
        raise DataFault(f"no expectation applies in {environment}", where=str(where), fix=_FIX)
    left_out = len(suite.expectations) - len(applied)
    record = SuiteRecord.model_validate({**suite.record.values(), "environment": environment, "left_out": left_out})
    return Suite(record, applied)


def refuse_unknown_environment(name: str) -> None:
    """Raises `InputFault`, which names the nearest right one, unless `name` is one of ENVIRONMENTS."""
    if name not in ENVIRONMENTS:
        raise InputFault(f"no environment named {name!r}", where="environment", fix=_nearest(name))


def _nearest(name: str) -> str:
    near = get_close_matches(name, ENVIRONMENTS, n=1)
    return f"did you mean {near[0]}?" if near else f"use one of: {', '.join(ENVIRONMENTS)}"


def _environments(values: Any, position: int, where: Path) -> Sequence[str]:
    """Where an expectation applies; what is no expectation at all is refused when it is built."""
    meta = values.get("meta") if isinstance(values, Mapping) else None
    if not isinstance(meta, Mapping) or "environments" not in meta:
        return ENVIRONMENTS
    names = meta["environments"]
    if not isinstance(names, list) or not names:
        raise DataFault(f"expectation {position}: meta.environments is not a list of names", where=str(where), fix=_FIX)
    for name in names:
        if name not in ENVIRONMENTS:
            raise DataFault(
                f"expectation {position}: no environment named {name!r}", where=str(where), fix=_nearest(str(name))
            )
    return names


def checked(suite: Suite, frame: "pd.DataFrame", *, where: Path) -> Iterator[Checked]:
    """The result of each expectation on `frame`, in the suite's order.

    Args:
        suite: What to check.
        frame: One row a sample, with a column `id`.
        where: The suite's file, for error messages.

    Raises:
        DataFault: An expectation does not exist or has wrong arguments; raised before anything is checked.
        MissingExtra: Great Expectations is not installed.
    """
    expectations = [_built(values, position, where) for position, values in enumerate(suite.expectations, start=1)]
    validator = _validator(frame)
    for expectation in expectations:
        yield _checked(expectation, validator)


def _built(values: Mapping[str, Any], position: int, where: Path) -> Any:
    """The expectation that a configuration describes."""
    _import_quietly()
    from great_expectations.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    try:
        return ExpectationConfiguration(**values).to_domain_obj()
    except (GreatExpectationsError, TypeError, ValueError, AttributeError) as error:
        name = values.get("type", "no type") if isinstance(values, dict) else type(values).__name__
        raise DataFault(
            f"expectation {position} ({name}) is not valid: {_first_complaint(error)}", where=str(where), fix=_FIX
        ) from error


def _first_complaint(error: Exception) -> str:
    """The first of the complaints in a validation error, or the error's own words."""
    complaints = getattr(error, "errors", None)
    if not callable(complaints):
        return str(error)
    first = complaints()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _import_quietly() -> None:
    """Imports the library with its usage statistics off, unless the user turned them on."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    try:
        with not_collecting(), coming_late("altair", "botocore", "google.cloud", "scipy.stats"):
            import great_expectations  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing_extra(error, "validation") from error


def _validator(frame: "pd.DataFrame") -> Any:
    """What checks `frame`, in a context that lives in memory only.

    One for all expectations: `Batch.validate` makes another for each, which takes a digest of the whole frame.
    """
    _import_quietly()
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.validator.v1_validator import Validator

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("dataset").add_dataframe_asset("samples")
    return Validator(
        asset.add_batch_definition_whole_dataframe("all"),
        batch_parameters={"dataframe": frame},
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["id"]},
    )


def _checked(expectation: Any, validator: Any) -> Checked:
    try:
        outcome = validator.validate_expectation(expectation)
        raised = _raised(outcome.exception_info) or _nothing_to_check(outcome.result)
    except Exception as error:  # any expectation of the library's or the user's may do anything
        outcome, raised = None, str(error) or type(error).__name__
    kwargs = expectation.configuration.kwargs
    common = {
        "name": expectation.expectation_type,
        "column": _columns(kwargs),
        "severity": expectation.severity.value,
        "says": _text(expectation.notes),
        "expected": {key: _argument(value) for key, value in sorted(kwargs.items()) if key not in _NO_ARGUMENTS},
    }
    if outcome is None or raised is not None:
        reason = " ".join((raised or "").split())
        return Checked(ExpectationResult(**common, status="could not check", reason=reason), ())
    found = outcome.result
    ids = tuple(sorted({str(row["id"]) for row in found.get("unexpected_index_list") or ()}))
    result = ExpectationResult(
        **common,
        status="pass" if bool(outcome.success) else "fail",
        observed=_json(_observed(found)),
        failing=int(found.get("unexpected_count") or 0),
        first_ids=ids[:FIRST_IDS],
    )
    return Checked(result, ids)


def _observed(found: Mapping[str, Any]) -> Any:
    """The value found; of a comparison of shares also the shares, which its one number does not tell."""
    value = found.get("observed_value")
    shares = (found.get("details") or {}).get("observed_partition")
    return {"value": value, **shares} if shares else value


def _raised(info: Mapping[str, Any]) -> str | None:
    """The first exception behind a result: the library keeps one, or one for each metric that failed."""
    records = [info] if "raised_exception" in info else list(info.values())
    return next((str(record["exception_message"]) for record in records if record["raised_exception"]), None)


def _nothing_to_check(found: Mapping[str, Any]) -> str | None:
    """That no sample has a value, where an expectation about each value looked at none."""
    looked_at = found.get("element_count", 0)
    return "no sample has a value" if looked_at and found.get("missing_count") == looked_at else None


def _columns(kwargs: Mapping[str, Any]) -> str | None:
    names: list[str] = []
    for key in ("column", "column_A", "column_B"):
        names += [kwargs[key]] if key in kwargs else []
    for key in ("column_list", "column_set"):
        names += kwargs.get(key) or []
    return ", ".join(names) or None


def _argument(value: Any) -> Any:
    """An argument as the suite's author wrote it: the library wraps a condition on rows."""
    wrapped = isinstance(value, Mapping) and "pass_through_filter" in value
    return _json(value["pass_through_filter"] if wrapped else value)


def _text(notes: str | Sequence[str] | None) -> str:
    return notes or "" if isinstance(notes, str | None) else " ".join(notes)


def _json(value: Any) -> Any:
    """`value` as a JSON value: numbers of numpy as numbers, no NaN, anything else as text."""
    if isinstance(value, Mapping):
        return {str(key): _json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_json(entry) for entry in value]
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, float) and plain not in (float("inf"), float("-inf")) and plain == plain:
        return plain
    return plain if isinstance(plain, str | bool | int | None) else str(plain)
