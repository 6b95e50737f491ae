"""What changed is told of a table out of core as of one in memory."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from edgeloop.data.anomalies import anomalies
from edgeloop.data.large_tables.changes import found_in
from edgeloop.data.statistics import opened, statistics_of
from edgeloop.data.statistics.checking import checked_by_statistics
from edgeloop.data.suite import Suite
from edgeloop.data.verdict import SuiteRecord

pytestmark = pytest.mark.slow  # Great Expectations takes seconds to import

ROWS = 200
PARTITION = {"values": ["red", "blue"], "weights": [0.9, 0.1]}


def expected(name: str, column: str, **kwargs) -> dict:
    return {"type": f"expect_{name}", "kwargs": {"column": column, **kwargs}, "severity": "warning", "notes": name}


EXPECTATIONS = (
    expected("column_values_to_be_between", "x", min_value=-0.5, max_value=0.5),
    expected("column_values_to_be_between", "x", min_value=-0.5, max_value=0.5, mostly=0.9),
    expected("column_values_to_be_between", "count", max_value=10, mostly=0.95),
    expected("column_values_to_be_between", "count", min_value=30),
    expected("column_values_to_be_in_set", "colour", value_set=["red"]),
    expected("column_values_to_not_be_null", "gappy", mostly=0.99),
    expected("column_distinct_values_to_contain_set", "colour", value_set=["red", "pink"]),
    expected("column_distinct_values_to_equal_set", "colour", value_set=["red", "pink"]),
    expected("column_most_common_value_to_be_in_set", "kind", value_set=["none"]),
    expected("column_kl_divergence_to_be_less_than", "colour", partition_object=PARTITION, threshold=0.02),
    expected("column_mean_to_be_between", "x", min_value=5),
)


def test_findings_and_edits_are_those_in_memory(tmp_path):
    draw = np.random.default_rng(0)
    columns = {
        "id": [f"r{row:03d}" for row in range(ROWS)],
        "x": draw.normal(size=ROWS),
        "count": draw.integers(40, size=ROWS),
        "colour": draw.choice(["red", "blue", "green"], ROWS),
        "gappy": pa.array(draw.normal(size=ROWS), mask=draw.random(ROWS) < 0.1),
        "kind": ["one"] * ROWS,
    }
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    suite = Suite(SuiteRecord(name="mine", sha256="0" * 64), EXPECTATIONS)
    with opened(tmp_path / "a.parquet", memory_mib=200, threads=2, scratch=tmp_path) as table:
        where = {"where": tmp_path / "suite.json", "failing": tmp_path / "failing.parquet"}
        results = checked_by_statistics(suite, table, statistics_of(table, columns=()), **where)
        ours = [found_in(table, values, result) for values, result in zip(EXPECTATIONS, results, strict=True)]
    theirs = anomalies(EXPECTATIONS, results, pd.read_parquet(tmp_path / "a.parquet"))
    assert len(theirs) == len(EXPECTATIONS)
    assert [finding.found for finding in ours] == [anomaly.found for anomaly in theirs]
    edits = [None if anomaly.edit is None else anomaly.edit["kwargs"] for anomaly in theirs]
    assert [finding.kwargs for finding in ours] == edits
