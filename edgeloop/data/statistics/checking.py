"""A suite answered from statistics: few passes for all expectations about rows, none for those about figures.

Great Expectations stays the judge. It validates the suite against an empty table of the same columns, which finds wrong
arguments and missing columns; and it judges a profile of one row, which holds a figure for every expectation. So the
answers equal those that it gives on the whole table, which never has to fit into memory.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeloop.data.statistics.counting import counted_rows
from edgeloop.data.statistics.distinct_values import DIVERGENCE_EXPECTATION, OF_FEW, divergence, few_values
from edgeloop.data.statistics.failing_ids import ID_COLUMN, failing_ids
from edgeloop.data.statistics.measures import (
    COLUMNS_EXPECTATION,
    QUANTILES_EXPECTATION,
    NotAnswered,
    RowQuestion,
    figure,
    nearest_quantiles,
    needs_column,
    row_question,
)
from edgeloop.data.statistics.reading import statistics_of
from edgeloop.data.statistics.repetition import repetition_of
from edgeloop.data.statistics.table import Table
from edgeloop.data.statistics.values import TableStatistics
from edgeloop.data.suite import Suite, checked
from edgeloop.data.verdict import FIRST_IDS, ExpectationResult
from edgeloop.files import whole_file

if TYPE_CHECKING:
    import pandas as pd

MOST_IDS = 100_000
_DTYPES = {"boolean": "bool", "integer": "int64", "float": "float64", "text": "str", "opaque": "object"}


@dataclass(frozen=True)
class _Answer:
    """What was found for one expectation.

    Args:
        figures: To be judged; none: the expectation is met whatever the table holds.
        limits: How each figure is judged.
        observed: As a JSON value.
        question: Where it is about rows.
        failing: Rows that do not meet it.
        reason: Why it could not be checked.
        met: Whether it is; until the figures are judged it is taken to be.
        few: Values on which Great Expectations answers it as on the whole table.
    """

    figures: Sequence[float | None] = ()
    limits: Sequence[Mapping[str, Any]] = ()
    observed: Any = None
    question: RowQuestion | None = None
    failing: int = 0
    reason: str = ""
    met: bool = True
    few: Sequence[Any] = ()


def checked_by_statistics(
    suite: Suite,
    table: Table,
    statistics: TableStatistics,
    *,
    where: Path,
    failing: Path,
    most_ids: int = MOST_IDS,
) -> tuple[ExpectationResult, ...]:
    """The result of each expectation, in the suite's order, as Great Expectations gives it on the whole table.

    An expectation that statistics do not answer could not be checked, and says so.

    Args:
        suite: What to check.
        table: With a column `id`.
        statistics: Of this very table; a column that they lack is read when it is needed.
        where: The suite's file, for error messages.
        failing: Parquet file to write: columns `expectation` (its position in the suite, from 1), `id`; sorted by
            both. An expectation whose `failing` exceeds its rows there was cut off at `most_ids`.
        most_ids: Rows of an expectation in that file, the first in the order of their ids; FIRST_IDS where it is less.

    Raises:
        DataFault: The table has no column `id`, or an expectation does not exist or has wrong arguments.
        MissingExtra: A package of the extras `data` or `validation` is not installed.
    """
    table.position(ID_COLUMN)
    described = [check.result for check in checked(suite, _empty(table), where=where)]
    answers = _answers(suite, described, table, statistics)
    answers = _judged(suite, _judged_by_few(suite, answers, where), where)
    ids = _written(table, answers, failing, most_ids)
    return tuple(
        result if answer is None else _result(result, answer, ids[place])
        for place, (result, answer) in enumerate(zip(described, answers, strict=True))
    )


def _result(described: ExpectationResult, answer: _Answer, ids: Sequence[str]) -> ExpectationResult:
    found: dict[str, Any] = {"status": "could not check", "reason": answer.reason, "observed": None}
    if not answer.reason:
        status = "pass" if answer.met else "fail"
        found = {"status": status, "reason": "", "observed": answer.observed}
    return described.model_copy(update={**found, "failing": answer.failing, "first_ids": tuple(ids[:FIRST_IDS])})


def _empty(table: Table) -> "pd.DataFrame":
    """A table of the same columns without rows."""
    import pandas as pd

    columns = zip(table.names, table.kinds, strict=True)
    return pd.DataFrame({name: pd.Series(dtype=_DTYPES[kind]) for name, kind in columns})


def _answers(
    suite: Suite, described: Sequence[ExpectationResult], table: Table, statistics: TableStatistics
) -> list[_Answer | None]:
    """What is found for each expectation, not judged yet; None where the empty table has answered it."""
    answers: list[_Answer | None] = []
    whole = _with_columns(suite, table, statistics)
    for expectation, result in zip(suite.expectations, described, strict=True):
        kwargs = expectation["kwargs"]
        if result.name == COLUMNS_EXPECTATION or kwargs.get("column", ID_COLUMN) not in table.names:
            answers.append(None)
            continue
        try:
            answers.append(_answer(result.name, kwargs, table, whole))
        except NotAnswered as error:
            answers.append(_Answer(reason=str(error)))
    return _counted(suite, answers, table, whole)


def _with_columns(suite: Suite, table: Table, statistics: TableStatistics) -> TableStatistics:
    """The statistics with every column that the suite asks for."""
    counted = (*OF_FEW, DIVERGENCE_EXPECTATION)
    asked = [e["kwargs"].get("column") for e in suite.expectations if needs_column(e["type"]) or e["type"] in counted]
    missing = [name for name in dict.fromkeys(asked) if name in table.names and statistics.column(name) is None]
    if not missing:
        return statistics
    read = statistics_of(table, columns=missing)
    return statistics.model_copy(update={"columns": (*statistics.columns, *read.columns)})


def _answer(name: str, kwargs: Mapping[str, Any], table: Table, statistics: TableStatistics) -> _Answer:
    if (question := row_question(name, kwargs, table)) is not None:
        return _Answer(question=question)
    if name in OF_FEW:
        return _Answer(few=few_values(name, kwargs, table, statistics))
    if name == DIVERGENCE_EXPECTATION:
        met, observed = divergence(kwargs, statistics)
        return _Answer(met=met, observed=observed)
    if name == QUANTILES_EXPECTATION:
        column = statistics.column(kwargs["column"])
        assert column is not None
        ranges = kwargs["quantile_ranges"]
        values = nearest_quantiles(kwargs, table, column)
        limits = [
            {"quantile_ranges": {"quantiles": [0.5], "value_ranges": [allowed]}} for allowed in ranges["value_ranges"]
        ]
        observed = {"quantiles": ranges["quantiles"], "values": [_json(value) for value in values]}
        return _Answer(figures=values, limits=limits, observed=observed)
    try:
        value = figure(name, kwargs, table, statistics)
    except KeyError:
        raise NotAnswered(f"{name} is not answered from statistics") from None
    bounds = {key: kwargs[key] for key in ("min_value", "max_value", "strict_min", "strict_max") if key in kwargs}
    return _Answer(figures=(value,), limits=(bounds,), observed=_json(value))


def _json(value: float | int | None) -> float | int | str | None:
    """Numbers that JSON does not have as text."""
    return value if value is None or math.isfinite(value) else str(value)


def _counted(
    suite: Suite, answers: Sequence[_Answer | None], table: Table, statistics: TableStatistics
) -> list[_Answer | None]:
    """The answers about rows with the share of them that meet it."""
    asked = {place: a.question for place, a in enumerate(answers) if a is not None and a.question is not None}
    found = list(answers)
    for place, rows in counted_rows(table, asked, statistics).items():
        failing, question = rows.failing, rows.question
        if question.unique is not None:
            failing = repetition_of(table, question.unique).rows if rows.considered else 0
        answer = _Answer(question=question, failing=failing)
        if rows.considered:
            mostly = suite.expectations[place]["kwargs"].get("mostly")
            share = (float(rows.considered) - float(failing)) / float(rows.considered)
            answer = replace(answer, figures=(share,), limits=({"min_value": 1.0 if mostly is None else mostly},))
        elif rows.among:
            answer = _Answer(reason="no sample has a value")
        found[place] = answer
    return found


def _judged_by_few(suite: Suite, answers: Sequence[_Answer | None], where: Path) -> list[_Answer | None]:
    """The answers with the judgement of Great Expectations on the few values that some of them have."""
    import pandas as pd

    judged = list(answers)
    for place, answer in enumerate(answers):
        if answer is None or not answer.few:
            continue
        expectation = suite.expectations[place]
        values = list(answer.few)
        frame = pd.DataFrame({ID_COLUMN: [str(row) for row in range(len(values))]})
        frame[expectation["kwargs"]["column"]] = values
        (check,) = checked(replace(suite, expectations=(expectation,)), frame, where=where)
        found = check.result
        reason = found.reason if found.status == "could not check" else ""
        told: dict[str, Any] = {
            "met": found.status == "pass",
            "observed": found.observed,
            "failing": found.failing,
            "reason": reason,
        }
        judged[place] = replace(answer, **told)
    return judged


def _judged(suite: Suite, answers: Sequence[_Answer | None], where: Path) -> list[_Answer | None]:
    """The answers with the judgement of Great Expectations on their figures."""
    import pandas as pd

    profile: dict[str, list[Any]] = {ID_COLUMN: ["profile"]}
    expectations: list[dict[str, Any]] = []
    owners: list[int] = []
    for place, answer in enumerate(answers):
        for part, (value, limits) in enumerate(zip(answer.figures, answer.limits, strict=True) if answer else ()):
            column = f"{place} {part}"
            profile[column] = [math.nan if value is None else value]
            kind = QUANTILES_EXPECTATION if "quantile_ranges" in limits else "expect_column_mean_to_be_between"
            expectations.append({"type": kind, "kwargs": {"column": column, **limits}})
            owners.append(place)
    judged = list(answers)
    if not expectations:
        return judged
    frame = pd.DataFrame(profile)
    checks = checked(replace(suite, expectations=tuple(expectations)), frame, where=where)
    for owner, check in zip(owners, checks, strict=True):
        answer = judged[owner]
        assert answer is not None
        if check.result.status == "could not check":
            answer = replace(answer, reason=check.result.reason)
        judged[owner] = replace(answer, met=answer.met and check.result.status == "pass")
    return judged


def _written(table: Table, answers: Sequence[_Answer | None], path: Path, most_ids: int) -> list[list[str]]:
    """The ids of the failing rows of every expectation, which are in the file then."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    schema = pa.schema([("expectation", pa.int32()), ("id", pa.string())])
    first: list[list[str]] = []
    with whole_file(path) as partial, parquet.ParquetWriter(partial, schema) as writer:
        for place, answer in enumerate(answers, start=1):
            question = answer.question if answer is not None and answer.failing else None
            ids = [] if question is None else failing_ids(table, question, most=max(most_ids, FIRST_IDS))
            first.append(ids[:FIRST_IDS])
            if ids:
                positions = pa.array([place] * len(ids), pa.int32())
                writer.write_table(pa.table([positions, pa.array(ids, pa.string())], schema=schema))
    return first
