"""Hashes that repeat are found whatever their number, their order and their shares."""

import tempfile

import numpy as np
import pytest

from edgeloop.data.statistics import hashes
from edgeloop.data.statistics.hashes import HashBuckets, hash_buckets

DRAW = np.random.default_rng(8)
MANY = DRAW.integers(0, 2**64, 5000, dtype=np.uint64)
COLUMNS = {
    "none": np.empty(0, np.uint64),
    "all differ": MANY,
    "one again": np.append(MANY, MANY[7]),
    "all five times": np.repeat(MANY, 5),
    "half of them one": np.concatenate([MANY, np.full(5000, MANY[3])]),
    "the same last bits": (np.arange(3000, dtype=np.uint64) % np.uint64(2000)) << np.uint64(32),
    "the same first bits": np.arange(3000, dtype=np.uint64) % np.uint64(2000),
}


@pytest.mark.parametrize("size", [1 << 20, 700])
@pytest.mark.parametrize("name", COLUMNS)
def test_those_that_repeat_are_found(name, size, monkeypatch):
    monkeypatch.setattr(hashes, "RUN", size)
    monkeypatch.setattr(hashes, "_BUCKET", size // 3)
    column = DRAW.permutation(COLUMNS[name])
    with tempfile.TemporaryFile() as file:
        buckets = HashBuckets(file, rows=column.size)
        for start in range(0, column.size, size):
            buckets.add(column[start : start + size])
        found = np.concatenate(list(buckets.repeated()))
    values, counts = np.unique(column, return_counts=True)
    assert found.tolist() == values[counts > 1].tolist()
    assert buckets.rows == column.size


def test_the_hashes_of_a_column_leave_out_what_is_no_value(table, tmp_path):
    with hash_buckets(table({"x": [1.0, 1.0, -0.0, 0.0, None, float("nan"), float("inf")]}), 0) as buckets:
        assert buckets.rows == 5
        assert sum(map(len, buckets.repeated())) == 2
    assert list((tmp_path / "scratch").iterdir()) == []
