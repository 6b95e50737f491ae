"""Exact counts of different and of repeated values, whatever their number.

Where no two values have the same hash, as among ids, none repeats. The others are told apart by the engine: the values
of some of the hashes that repeat, as many as fit into a fixed share of the memory, and then those of the next ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgeloop.data.statistics.hashes import Hashes, hash_buckets
from edgeloop.data.statistics.table import BYTES_A_VALUE, Table

_SHARE = 0.15
"""Of the memory; what the engine reads and its own buffers lie beside it."""
_LENT = "suspected"


@dataclass(frozen=True)
class Repetition:
    """How the values of a column repeat.

    Args:
        distinct: Different values; a NaN is none, an infinity is one.
        rows: Whose value another row has as well.
    """

    distinct: int
    rows: int


def repetition_of(table: Table, position: int) -> Repetition:
    """The repetition in a column."""
    with hash_buckets(table, position) as buckets:
        distinct, repeated = buckets.rows, 0
        for suspected in _parts(table, position, buckets.repeated()):
            counted = table.selected("count(*) AS n", f"AND {suspected} GROUP BY {table.comparable(position)}")
            sums = "count(*), coalesce(sum(n), 0), coalesce(sum(n) FILTER (n > 1), 0)"
            ((values, rows, again),) = table.fetch(f"SELECT {sums} FROM ({counted})")  # noqa: S608
            distinct += int(values) - int(rows)
            repeated += int(again)
    return Repetition(distinct, repeated)


def repeated_conditions(table: Table, position: int) -> Iterator[str]:
    """SQL conditions on a row, each to be used before the next one is asked for.

    Together they are met by the rows that `repetition_of` counts, each by one.
    """
    value = table.comparable(position)
    with hash_buckets(table, position) as buckets:
        for suspected in _parts(table, position, buckets.repeated()):
            repeated = table.selected(f"{value} AS v", f"AND {suspected} GROUP BY v HAVING count(*) > 1")
            yield f"{suspected} AND {value} IN (SELECT v FROM ({repeated}))"  # noqa: S608


def _parts(table: Table, position: int, repeated: Iterator[Hashes]) -> Iterator[str]:
    """SQL conditions, each met by the rows with some of the hashes."""
    condition = f"{table.present(position)} AND hash({table.comparable(position)}) IN (SELECT hash FROM {_LENT})"  # noqa: S608
    held, most = np.empty(0, np.uint64), 0
    for hashes in filter(len, repeated):
        most = most or _values_at_once(table, position)
        held = np.concatenate([held, hashes])
        while held.size >= most:
            with table.lent(_LENT, hash=held[:most]):
                yield condition
            held = held[most:]
    if held.size:
        with table.lent(_LENT, hash=held):
            yield condition


def _values_at_once(table: Table, position: int) -> int:
    """Different values that fit into the share of the memory."""
    each = float(BYTES_A_VALUE)
    if table.kinds[position] == "text":
        each += float(table.fetch(table.selected(f"coalesce(avg(strlen(c{position})), 0)"))[0][0])
    return max(1, int(table.memory_mib * 2**20 * _SHARE / each))
