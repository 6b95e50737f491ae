"""A table too large to be held is judged as one that is not."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from typer.testing import CliRunner

from edgeloop.__main__ import app
from edgeloop.data import table_schema
from edgeloop.data.large_tables import page
from edgeloop.data.large_tables.judgement import is_large, judge_large
from edgeloop.data.preparation import PrepareDataParams
from edgeloop.data.sources import table as source
from edgeloop.data.table_roles import TableOptions
from edgeloop.data.validation import judge
from edgeloop.errors import DataFault, InputFault

ROWS = 200


@pytest.fixture
def small_limit(monkeypatch):
    """Fifty rows are too many."""
    monkeypatch.setattr(table_schema, "MAX_ROWS", 50)


def faulty(path):
    """Rows with a fault each, and many without."""
    draw = np.random.default_rng(0)
    lines = [
        f"{draw.normal():.4f},{draw.normal(5):.4f},{'ab'[n % 2]},{draw.choice(['red', 'blue'])}" for n in range(ROWS)
    ]
    lines[3] = "x,1,a,red"
    lines[7] = "inf,1,a,red"
    lines[9] = "1,2"
    lines[11] = "1.5,2,,red"
    lines[20] = lines[21][:-4].replace(",a", ",b") + lines[21][-4:]
    lines[30] = "nan,=1+1,a,red"
    path.write_text("\n".join(["width,height,label,colour", *lines]) + "\n")
    return path


def results_of(judgement) -> dict:
    return {
        (r.name, r.column, r.severity): (r.status, r.failing, r.first_ids, r.observed)
        for r in judgement.verdict.expectations
    }


@pytest.mark.slow  # Great Expectations takes seconds to import
def test_the_shipped_suite_finds_what_it_finds_in_memory(tmp_path):
    params = PrepareDataParams(source="table", path=faulty(tmp_path / "a.csv"))
    (tmp_path / "large").mkdir()
    ours = judge_large(params, workdir=tmp_path / "large", memory_mib=200)
    theirs = judge(params, workdir=tmp_path / "small")
    assert results_of(ours) == results_of(theirs)
    assert (ours.verdict.status, ours.verdict.samples) == ("fail", ROWS)
    assert ours.verdict.reason == theirs.verdict.reason
    assert [(a.line(), a.remedy, a.edit) for a in ours.anomalies] == [
        (a.line(), a.remedy, a.edit) for a in theirs.anomalies
    ]


def test_a_class_of_few_rows_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("x,label\n" + "1,a\n2,b\n" * 20 + "3,c\n")
    with pytest.raises(DataFault, match="class 'c' has 1 readable samples, fewer than 10"):
        judge_large(PrepareDataParams(source="table", path=tmp_path / "a.csv"), workdir=tmp_path)


def test_a_split_in_time_is_refused(tmp_path):
    with pytest.raises(InputFault, match="is not split"):
        judge_large(PrepareDataParams(source="table", path=tmp_path, split_by="time"), workdir=tmp_path)


def is_too_large(path) -> bool:
    return is_large(PrepareDataParams(source="table", path=path))


def test_rows_decide_and_lines_do_not(tmp_path, small_limit):
    (tmp_path / "a.csv").write_text("x,y\n" + '1,"a\nb\nc"\n' * 50)
    assert not is_too_large(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text("x,y\n" + "1,a\n" * 51)
    assert is_too_large(tmp_path / "a.csv")


def test_the_rows_of_all_files_count(tmp_path, small_limit):
    parquet.write_table(pa.table({"x": range(30)}), tmp_path / "a.parquet")
    assert not is_too_large(tmp_path)
    (tmp_path / "b.csv").write_text("x\n" + "1\n" * 30)
    assert is_too_large(tmp_path)


def test_cells_count_too(tmp_path, monkeypatch):
    monkeypatch.setattr(table_schema, "MAX_CELLS", 50)
    parquet.write_table(pa.table({"x": range(30)}), tmp_path / "a.parquet")
    assert not is_too_large(tmp_path)
    parquet.write_table(pa.table({"x": range(30), "y": range(30)}), tmp_path / "a.parquet")
    assert is_too_large(tmp_path)


def run(*arguments: object):
    return CliRunner().invoke(app, ["data", *map(str, arguments)])


@pytest.mark.slow
def test_the_command_says_that_it_reads_out_of_core(tmp_path, small_limit):
    ended = run("validate", faulty(tmp_path / "a.csv"), "--json")
    said = json.loads(ended.stdout)
    assert (ended.exit_code, said["status"], said["samples"]) == (1, "fail", ROWS)
    assert "out of core with 500 MiB" in ended.stderr


@pytest.mark.slow
def test_the_page_of_a_large_table_shows_the_cells_at_fault(tmp_path, small_limit):
    run("validate", faulty(tmp_path / "a.csv"), "--report", tmp_path / "page.html")
    shown = (tmp_path / "page.html").read_text()
    assert not [words for words in ("width: x", "Statistics of all rows") if words not in shown]
    assert "<script" not in shown


@pytest.mark.slow
def test_the_page_of_a_large_table_draws_the_features_at_fault(tmp_path, small_limit, monkeypatch):
    monkeypatch.setattr(page, "DRAWN_ROWS", 60)
    draw = np.random.default_rng(0)
    columns = {"x": draw.normal(size=ROWS), "label": ["a", "b"] * 100, "split": ["train", "test"] * 100}
    columns["x"][150] = 77.5
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    between = {"column": "x", "min_value": -9, "max_value": 9}
    expectation = {"type": "expect_column_values_to_be_between", "kwargs": between, "severity": "warning"}
    (tmp_path / "suite.json").write_text(json.dumps({"name": "mine", "expectations": [expectation]}))
    params = PrepareDataParams(source="table", path=tmp_path / "a.parquet")
    judge_large(params, workdir=tmp_path, suite=tmp_path / "suite.json", report=tmp_path / "page.html")
    shown = (tmp_path / "page.html").read_text()
    words = (
        "x by class",
        "of 200 samples, those at fault among them",
        "Statistics of the training split",
        "77.5",
        "a.parquet:0000151",
    )
    assert not [wanted for wanted in words if wanted not in shown]


def test_a_large_table_to_learn_from_is_refused_and_the_command_is_named(tmp_path, small_limit):
    with pytest.raises(DataFault, match="edgeloop data validate"):
        list(source.plugin.samples(faulty(tmp_path / "a.csv"), TableOptions()))
