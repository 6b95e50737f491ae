"""The shipped suite for tables, run by Great Expectations; its faults one by one are those of `benchmarks.faults`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from benchmarks.faults.tables import ROWS, clean_rows, write
from edgeloop.data.inference import inferred_suite, suite_text
from edgeloop.data.preparation import PrepareDataParams, prepare
from edgeloop.data.validation import ValidateDataParams, validate
from edgeloop.data.verdict import Verdict

pytestmark = pytest.mark.slow  # the library takes seconds to import

SUITE = Path(__file__).parents[3] / "suites/tables.json"


def prepared(path: Path, work: Path, **params: Any) -> Path:
    chosen = PrepareDataParams(source="table", path=path, **params)
    prepare(chosen, dataset=work / "dataset", profile=work / "profile.json")
    return work


def judged(work: Path, suite: Path = SUITE, **params: Any) -> Verdict:
    return validate(
        ValidateDataParams(suite=suite, **params),
        dataset=work / "dataset",
        profile=work / "profile.json",
        validation=work / "validation",
        report=work / "report.html",
    )


def missed(verdict: Verdict, *severities: str) -> dict[str, tuple[str, ...]]:
    """The ids that each expectation of those severities names, by its column."""
    found = [r for r in verdict.expectations if r.status != "pass" and r.severity in severities]
    return {result.column or "": result.first_ids for result in found}


def test_rows_of_few_values_are_equal_by_chance_and_not_critical(tmp_path):
    random = np.random.default_rng(0)
    columns = {name: random.integers(0, 3, ROWS) for name in ("sex", "place")} | {"label": random.integers(0, 2, ROWS)}
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    verdict = judged(prepared(tmp_path / "a.parquet", tmp_path))
    assert (verdict.status, missed(verdict, "critical", "warning")) == ("pass", {})
    assert "labels_of_bytes" in missed(verdict, "info")


def test_a_table_without_any_target_is_told(tmp_path):
    table = [row | {"label": ""} for row in clean_rows()]
    verdict = judged(prepared(write(table, tmp_path / "a.csv"), tmp_path))
    assert (verdict.status, *missed(verdict, "critical", "warning")) == ("pass", "has_target")


def test_a_clean_table_with_a_quantity_raises_nothing(tmp_path):
    rows = [{**row, "label": f"{n / 7:.3f}"} for n, row in enumerate(clean_rows())]
    verdict = judged(prepared(write(rows, tmp_path / "a.csv"), tmp_path))
    assert (verdict.status, verdict.worst) == ("pass", None)


def test_rows_to_be_served_need_no_target(tmp_path):
    rows = [{name: text for name, text in row.items() if name != "label"} for row in clean_rows()]
    verdict = judged(prepared(write(rows, tmp_path / "a.csv"), tmp_path), environment="serving")
    assert (verdict.status, verdict.worst) == ("pass", None)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_well_known_tables_raise_nothing_critical_and_pass_what_is_inferred_from_them(tmp_path, name):
    from sklearn import datasets

    getattr(datasets, f"load_{name}")(as_frame=True).frame.to_csv(tmp_path / "a.csv")
    work = prepared(tmp_path / "a.csv", tmp_path)
    assert set(missed(judged(work), "critical", "warning")) <= {"copies"}
    suite = inferred_suite(work / "dataset", work / "profile.json", name="mine")
    (tmp_path / "mine.json").write_text(suite_text(suite))
    assert json.loads(suite_text(suite)) == suite
    assert set(missed(judged(work, tmp_path / "mine.json"), "critical", "warning", "info")) <= {"copies"}


def test_the_same_rows_in_another_order_have_the_same_digests(tmp_path):
    rows = clean_rows()
    cards = []
    for number, order in enumerate((rows, rows[::-1])):
        (tmp_path / str(number)).mkdir()
        write(order, tmp_path / str(number) / "a.csv")
        work = prepared(tmp_path / str(number), tmp_path / f"work{number}")
        cards.append((work / "dataset/dataset.json").read_bytes())
    assert cards[0] == cards[1]
