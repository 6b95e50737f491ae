"""The ids of the rows that do not meet an expectation: the first ones, however many there are.

Rows are read in no order. The least ids so far are kept, and of what follows only what is less than the greatest of
them: memory follows from the number that is wanted, and one reading does.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from edgeloop.data.statistics.measures import RowQuestion
from edgeloop.data.statistics.repetition import repeated_conditions
from edgeloop.data.statistics.table import BLOCK, Table

if TYPE_CHECKING:
    import pyarrow as pa

ID_COLUMN = "id"


def failing_ids(table: Table, question: RowQuestion, *, most: int) -> list[str]:
    """The first `most` different ids of the rows that fail, in the order of their bytes.

    Args:
        table: With a column ID_COLUMN; a null there is called `nan`.
        question: Which rows fail.
        most: At least one.
    """
    import pyarrow as pa
    import pyarrow.compute as compute

    if question.unique is not None:
        conditions: Iterable[str] = repeated_conditions(table, question.unique)
    else:
        conditions = [f"({question.considered}) AND ({question.failing})"]
    least, later = pa.array([], pa.large_string()), list["pa.Array"]()
    for ids in _ids(table, conditions):
        if len(least) == most:
            ids = ids.filter(compute.less(ids, least[-1]))
        later.append(ids)
        if sum(map(len, later)) >= most:
            least, later = _least([least, *later], most), []
    return list(_least([least, *later], most).to_pylist())


def _ids(table: Table, conditions: Iterable[str]) -> "Iterator[pa.Array]":
    import pyarrow as pa

    identity = f"coalesce(CAST(c{table.position(ID_COLUMN)} AS VARCHAR), 'nan')"
    for condition in conditions:
        for batch in table.batches(table.selected(f"{identity} AS id", f"AND {condition}"), rows=BLOCK):
            yield batch.column(0).cast(pa.large_string())


def _least(arrays: "list[pa.Array]", most: int) -> "pa.Array":
    """The first different ones among them, ascending."""
    import pyarrow as pa

    return pa.concat_arrays(arrays).unique().sort()[:most]
