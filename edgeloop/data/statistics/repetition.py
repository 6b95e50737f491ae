"""Exact counts of different and of repeated values, whatever their number.

To tell whether a value repeats, all different ones have to be held. So the rows are dealt into parts by the hash of the
value, as many as it takes for the values of one part to fit into most of the memory, and the parts are read one after
another. Where no value repeats, as among ids, their hashes alone tell it: they take eight bytes each, and a third of
the time.
"""

import math
from collections.abc import Iterator

import numpy as np

from edgeloop.data.statistics.table import Table

_SHARE_OF_HASHES = 0.2
"""Of the memory; their array lies beside the engine's own."""


def distinct_values(table: Table, position: int) -> int:
    """Different values; a NaN is none, an infinity is one."""
    value = table.comparable(position)
    return sum(
        int(table.fetch(f"SELECT count(*) FROM ({table.selected(f'DISTINCT {value}', f'AND {part}')})")[0][0])  # noqa: S608
        for part in _parts(table, position)
    )


def repeated_rows(table: Table, position: int, rows: int) -> int:
    """Rows whose value another row has as well, of `rows` that have one."""
    if not _hashes_repeat(table, position, rows):
        return 0
    return sum(
        int(table.fetch(f"SELECT coalesce(sum(n), 0) FROM ({_repeated(table, position, part)})")[0][0])  # noqa: S608
        for part in _parts(table, position)
    )


def _hashes_repeat(table: Table, position: int, rows: int) -> bool:
    """Whether two values have the same hash; equal ones always have."""
    present, value = table.present(position), table.comparable(position)
    parts = math.ceil(rows * 8 / (table.memory_mib * 2**20 * _SHARE_OF_HASHES))
    for part in range(parts):
        dealt = f"AND hash({value}) % {parts} = {part}" if parts > 1 else ""
        hashes = table.fetch_arrays(table.selected(f"hash({value}) AS hash", f"AND {present} {dealt}"))["hash"]
        hashes.sort()
        if np.any(hashes[1:] == hashes[:-1]):
            return True
    return False


def repeated_conditions(table: Table, position: int) -> Iterator[str]:
    """SQL conditions on a row; together they are met by the rows that `repeated_rows` counts, each by one."""
    for part in _parts(table, position):
        values = f"SELECT v FROM ({_repeated(table, position, part)})"  # noqa: S608
        yield f"{part} AND {table.comparable(position)} IN ({values})"


def _repeated(table: Table, position: int, part: str) -> str:
    """SQL: the values of a part that repeat, and the rows of each."""
    selection = f"{table.comparable(position)} AS v, count(*) AS n"
    return table.selected(selection, f"AND {part} GROUP BY v HAVING n > 1")


def _parts(table: Table, position: int) -> list[str]:
    """SQL conditions that are met by every row with a value, each by one of them."""
    present = table.present(position)
    length = f"coalesce(avg(strlen(c{position})), 0)" if table.kinds[position] == "text" else "0"
    counted = table.selected(f"count(*), {length}", f"AND {present}")
    return [f"{present} AND {part}" for part in table.parts(counted, table.comparable(position))]
