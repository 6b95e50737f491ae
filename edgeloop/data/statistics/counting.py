"""The rows that do not meet an expectation, counted for many expectations at once.

Questions about a text column of few different values are put to these: the engine tells them apart much faster than it
looks at every row. All other questions are answered in one pass.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from edgeloop.data.statistics.measures import RowQuestion
from edgeloop.data.statistics.table import Table, text
from edgeloop.data.statistics.values import TableStatistics

_FEW_VALUES = 20_000
"""About so many different values of a column are few."""
_NAMED_VALUES = 1_000
"""So many failing values are named one by one to find their rows again."""


@dataclass(frozen=True)
class Counted:
    """The rows of a question.

    Args:
        question: Which rows fail may be said in a faster way than it was asked.
        among: That the expectation is about at all.
        considered: That count.
        failing: Among these that do not meet it.
    """

    question: RowQuestion
    among: int
    considered: int
    failing: int


def counted_rows(table: Table, questions: Mapping[int, RowQuestion], statistics: TableStatistics) -> dict[int, Counted]:
    """The rows of each question, by its key; `statistics` are of this very table, of some of its columns."""
    asked = {q.column for q in questions.values() if q.column is not None and q.unique is None}
    few = _of_few_values(table, asked, statistics)
    by_source: defaultdict[int | None, dict[int, RowQuestion]] = defaultdict(dict)
    for key, question in questions.items():
        by_source[question.column if question.column in few and question.unique is None else None][key] = question
    found: dict[int, Counted] = {}
    for position, those in by_source.items():
        if position is None:
            found |= _counted(table, those, table.selected("*, 1 AS n"))
        else:
            found |= _of_values(table, those, position)
    return found


def _of_few_values(table: Table, positions: set[int], statistics: TableStatistics) -> set[int]:
    """The text columns among them that have few different values."""
    texts = sorted(position for position in positions if table.kinds[position] == "text")
    columns = {position: statistics.column(table.names[position]) for position in texts}
    distinct = {position: column.distinct for position, column in columns.items() if column is not None}
    if unknown := [position for position in texts if distinct.get(position) is None]:
        estimates = table.fetch(
            table.selected(", ".join(f"approx_count_distinct(c{position})" for position in unknown))
        )
        distinct |= dict(zip(unknown, estimates[0], strict=True))
    return {position for position, values in distinct.items() if values is not None and values <= _FEW_VALUES}


def _of_values(table: Table, questions: Mapping[int, RowQuestion], position: int) -> dict[int, Counted]:
    """The rows of questions about one column, counted by its different values."""
    grouped = table.selected(f"c{position}, count(*) AS n", f"GROUP BY c{position}")
    found = _counted(table, questions, grouped)
    return {
        key: replace(counted, question=_named(table, counted.question, grouped)) if counted.failing else counted
        for key, counted in found.items()
    }


def _named(table: Table, question: RowQuestion, grouped: str) -> RowQuestion:
    """The question by the values that fail, where they are few and none of them is null."""
    fails = f"({question.considered}) AND ({question.failing})"
    values = table.fetch(f"SELECT c{question.column} FROM ({grouped}) WHERE {fails} LIMIT {_NAMED_VALUES + 1}")  # noqa: S608
    names = [value for (value,) in values]
    if len(names) > _NAMED_VALUES or None in names:
        return question
    return replace(question, failing=f"c{question.column} IN ({', '.join(text(name) for name in sorted(names))})")


def _counted(table: Table, questions: Mapping[int, RowQuestion], source: str) -> dict[int, Counted]:
    """The rows of each question, where each row of `source` stands for `n`."""
    selections = ", ".join(
        f"sum(n) FILTER ({q.among}), sum(n) FILTER ({q.considered}), sum(n) FILTER (({q.considered}) AND ({q.failing}))"
        for q in questions.values()
    )
    row = iter(table.fetch(f"SELECT {selections} FROM ({source})")[0])  # noqa: S608
    figures = (int(figure or 0) for figure in row)
    return {
        key: Counted(question, among=next(figures), considered=next(figures), failing=next(figures))
        for key, question in questions.items()
    }
