"""The shipped suite for tables, run by Great Expectations.

All faults that are of one row are planted in one table, each in a row of its own: a fault is caught when its row is
named, and alone when nothing else names it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from edgeloop.data.inference import inferred_suite, suite_text
from edgeloop.data.preparation import PrepareDataParams, prepare
from edgeloop.data.validation import ValidateDataParams, validate
from edgeloop.data.verdict import Verdict

pytestmark = pytest.mark.slow  # the library takes seconds to import

ROWS = 120
SUITE = Path(__file__).parents[3] / "suites/tables.json"

Cells = dict[str, Any]


def clean_rows() -> list[Cells]:
    """Two classes that no column tells apart for certain."""
    random = np.random.default_rng(0)
    return [
        {
            "id": f"r{number:03d}",
            "label": "ab"[number % 2],
            "width": f"{random.normal(number % 2, 1):.4f}",
            "height": f"{random.normal(5, 1):.4f}",
            "count": str(random.integers(100)),
            "colour": str(random.choice(["red", "green", "blue"])),
        }
        for number in range(ROWS)
    ]


def write(rows: list[Cells], path: Path) -> Path:
    names = list(rows[-1])
    lines = [",".join(row.get(name, "") for name in names if name in row) for row in rows]
    path.write_text("\n".join([",".join(names), *lines]) + "\n")
    return path


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


def named(verdict: Verdict) -> dict[str, set[tuple[str, str]]]:
    """The severity and column of every expectation that names a row."""
    found: dict[str, set[tuple[str, str]]] = {}
    for result in verdict.expectations:
        for sample_id in result.first_ids:
            found.setdefault(sample_id, set()).add((result.severity, result.column or ""))
    return found


def cell(name: str, text: str) -> Callable[[Cells], None]:
    def plant(row: Cells) -> None:
        row[name] = text

    return plant


def remove_cell(row: Cells) -> None:
    del row["colour"]


def empty(row: Cells) -> None:
    row.update(width="", height="", count="", colour="red")


FAULTS = {
    "a cell too few": (remove_cell, "critical", "readable"),
    "no target": (cell("label", ""), "critical", "target_missing"),
    "a word among numbers": (cell("count", "many"), "critical", "mistyped"),
    "an infinite number": (cell("width", "inf"), "critical", "infinite_cells"),
    "NaN": (cell("width", "nan"), "warning", "nan_cells"),
    "a formula": (cell("colour", "=1+1"), "warning", "formulas"),
    "a row of nothing": (empty, "warning", "null_share"),
}
IDS = {"a cell too few": "a.csv:0000001"}
"""A row that cannot be cut into cells has no id but its place."""


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    """The verdict on a table with each fault in the row of its number, and two that take two rows."""
    work = tmp_path_factory.mktemp("spoiled")
    rows = clean_rows()
    for row, (plant, _, _) in zip(rows, FAULTS.values(), strict=False):
        plant(row)
    rows[21] = {**rows[20], "id": "r021", "label": rows[20]["label"]}
    rows[31] = {**rows[30], "id": "r031", "label": "ab"[rows[30]["label"] == "a"]}
    return judged(prepared(write(rows, work / "a.csv"), work))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_and_nothing_else_is_said_of_its_row(spoiled, fault):
    _, severity, column = FAULTS[fault]
    row = IDS.get(fault, f"r{list(FAULTS).index(fault):03d}")
    assert named(spoiled)[row] == {(severity, column)}


def test_a_row_that_is_there_twice_is_a_warning(spoiled):
    assert named(spoiled)["r020"] == named(spoiled)["r021"] == {("warning", "copies")}


def test_one_row_under_two_labels_is_critical(spoiled):
    found = named(spoiled)["r030"]
    assert found == named(spoiled)["r031"]
    assert ("critical", "labels_of_bytes") in found


def test_nothing_is_said_of_any_other_row(spoiled):
    spoilt = {IDS.get(fault, f"r{number:03d}") for number, fault in enumerate(FAULTS)}
    assert set(named(spoiled)) == spoilt | {"r020", "r021", "r030", "r031"}


def test_copies_across_splits_and_torn_groups_are_critical(tmp_path):
    rows = [row | {"split": ("train", "train", "val", "test")[n % 4], "group": f"g{n}"} for n, row in
            enumerate(clean_rows())]  # fmt: skip
    rows[1] = {**rows[0], "id": "r001", "split": "test", "group": "g1"}
    rows[5]["group"] = rows[4]["group"] = "torn"
    rows[5]["split"] = "val"
    verdict = judged(prepared(write(rows, tmp_path / "a.csv"), tmp_path, split_by="given"))
    assert missed(verdict, "critical") == {"splits_of_bytes": ("r000", "r001"), "splits_of_group": ("r004", "r005")}


def test_rows_of_few_values_are_equal_by_chance_and_not_critical(tmp_path):
    random = np.random.default_rng(0)
    columns = {name: random.integers(0, 3, ROWS) for name in ("sex", "place")} | {"label": random.integers(0, 2, ROWS)}
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    verdict = judged(prepared(tmp_path / "a.parquet", tmp_path))
    assert (verdict.status, missed(verdict, "critical", "warning")) == ("pass", {})
    assert "labels_of_bytes" in missed(verdict, "info")


def test_a_column_that_tells_the_target_is_named(tmp_path):
    rows = [row | {"diagnosis_code": {"a": "E11", "b": "I10"}[row["label"]]} for row in clean_rows()]
    verdict = judged(prepared(write(rows, tmp_path / "a.csv"), tmp_path))
    (hint,) = [r for r in verdict.expectations if r.status != "pass"]
    assert (hint.column, hint.severity, hint.observed) == ("tells_target", "warning", ["diagnosis_code"])
    assert verdict.status == "pass"


def test_a_class_that_is_rare_is_a_warning(tmp_path):
    rows = clean_rows()
    for number, row in enumerate(rows):
        row["label"] = "a" if number % 12 else "b"
    verdict = judged(prepared(write(rows, tmp_path / "a.csv"), tmp_path))
    assert list(missed(verdict, "critical", "warning")) == ["class_balance"]


@pytest.mark.parametrize("rows", ["one class", "no target"])
def test_a_table_of_which_nothing_can_be_learned_is_told(tmp_path, rows):
    table = [row | {"label": "a" if rows == "one class" else ""} for row in clean_rows()]
    verdict = judged(prepared(write(table, tmp_path / "a.csv"), tmp_path))
    told = {"one class": ("fail", "target_values"), "no target": ("pass", "has_target")}[rows]
    assert (verdict.status, *missed(verdict, "critical", "warning")) == told


def test_a_clean_table_raises_nothing(tmp_path):
    verdict = judged(prepared(write(clean_rows(), tmp_path / "a.csv"), tmp_path))
    assert (verdict.status, verdict.worst, sum(verdict.accepted.values())) == ("pass", None, ROWS)


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
