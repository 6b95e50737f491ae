"""The hashes of a column that several of its rows have, found in scratch space and bounded memory.

Equal values have equal hashes, so a value can only repeat where its hash does. The hashes are dealt into buckets by
their first bits, a run of some rows at a time, and written; then one bucket after another is read. A bucket holds some
thousands of different hashes whatever the number of rows, so memory does not grow with them.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.statistics.table import BLOCK, Table
from edgeloop.errors import translated

Hashes = NDArray[np.uint64]

RUN = 1 << 20
"""Hashes that are dealt out at once."""
_BUCKET = 1 << 18
_MOST_BITS = 16
_SLOT_BITS = 20


class HashBuckets:
    """Hashes on disk.

    Args:
        file: Empty; what is written to it is read again.
        rows: Hashes to expect.
    """

    def __init__(self, file: IO[bytes], *, rows: int) -> None:
        self.rows = 0
        self._file, self._ends = file, list[NDArray[np.int64]]()
        self._bits = min(_MOST_BITS, max(1, (rows // _BUCKET).bit_length()))

    def add(self, run: Hashes) -> None:
        """Deals hashes out."""
        places = (run >> np.uint64(64 - self._bits)).astype(np.uint16)
        ends = np.cumsum(np.bincount(places, minlength=1 << self._bits)) + self.rows
        self._ends.append(np.concatenate([[self.rows], ends]))
        self._file.write(run[np.argsort(places, kind="stable")].tobytes())
        self.rows += run.size

    def repeated(self) -> Iterator[Hashes]:
        """The different hashes that were added more than once, ascending, some at a time."""
        for place in range(1 << self._bits):
            yield _repeated(self._pieces(place))

    def _pieces(self, place: int) -> Iterator[Hashes]:
        """The hashes of a bucket, at most RUN at a time."""
        held: list[Hashes] = []
        for ends in self._ends:
            start, end = ends[place : place + 2].tolist()
            if sum(map(len, held)) + end - start > RUN:
                yield np.concatenate(held)
                held = []
            self._file.seek(start * 8)
            held.append(np.frombuffer(self._file.read((end - start) * 8), np.uint64))
        if held:
            yield np.concatenate(held)


@contextmanager
def hash_buckets(table: Table, position: int) -> Iterator[HashBuckets]:
    """The hashes of a column's values; a NaN is none.

    Raises:
        EnvironmentFault: Scratch space does not suffice.
    """
    rows = int(table.fetch(table.selected("count(*)"))[0][0])
    selected = table.selected(f"hash({table.comparable(position)}) AS hash", f"AND {table.present(position)}")
    with translated(table.scratch), tempfile.TemporaryFile(dir=table.scratch) as file:
        buckets = HashBuckets(file, rows=rows)
        for run in _runs(table, selected):
            buckets.add(run)
        yield buckets


def _runs(table: Table, selected: str) -> Iterator[Hashes]:
    run, filled = np.empty(RUN, np.uint64), 0
    for batch in table.batches(selected, rows=BLOCK):
        hashes = batch.column(0).to_numpy()
        if filled + hashes.size > RUN:
            yield run[:filled]
            filled = 0
        run[filled : filled + hashes.size] = hashes
        filled += hashes.size
    yield run[:filled]


def _repeated(pieces: Iterator[Hashes]) -> Hashes:
    first, second = next(pieces, None), next(pieces, None)
    if first is None:
        return np.empty(0, np.uint64)
    if second is None:
        values, counts = np.unique(_sharing_a_slot(first), return_counts=True)
        return values[counts > 1]
    held, again = first[:0], np.empty(0, np.bool_)
    for piece in (first, second, *pieces):
        values, counts = np.unique(piece, return_counts=True)
        held, places = np.unique(np.concatenate([held, values]), return_inverse=True)
        again = np.bincount(places, weights=1 + np.concatenate([again, counts > 1])) > 1
    return held[again]


def _sharing_a_slot(hashes: Hashes) -> Hashes:
    """Those whose last bits another one has as well: few of those that differ."""
    slots = (hashes & np.uint64((1 << _SLOT_BITS) - 1)).view(np.int64)
    owners = np.empty(1 << _SLOT_BITS, np.int32)
    own = np.arange(hashes.size, dtype=np.int32)
    owners[slots] = own
    is_shared = np.zeros(1 << _SLOT_BITS, np.bool_)
    is_shared[slots[owners[slots] != own]] = True
    return hashes[is_shared[slots]]
