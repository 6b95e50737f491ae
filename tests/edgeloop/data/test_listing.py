"""Rows of a table as a page shows them."""

import pytest

from edgeloop.data.dataset import Dataset
from edgeloop.data.listing import MAX_COLUMNS, listing
from edgeloop.data.preparation import PrepareDataParams, prepare


@pytest.fixture
def dataset(tmp_path):
    names = [f"c{n:02d}" for n in range(12)]
    rows = [[f"r{n:02d}", "ab"[n % 2], *(str(n * place) for place in range(12))] for n in range(40)]
    rows[3][13] = "=1+1"
    rows[4] = rows[4][:5]
    text = "\n".join(",".join(row) for row in (["id", "label", *names], *rows))
    (tmp_path / "a.csv").write_text(text)
    params = PrepareDataParams(source="table", path=tmp_path / "a.csv")
    prepare(params, dataset=tmp_path / "dataset", profile=tmp_path / "profile.json")
    return Dataset(tmp_path / "dataset")


def shown(dataset, *ids):
    return listing(dataset, [sample for sample in dataset.rows if sample.id in ids])


def test_columns_with_something_wrong_come_first(dataset):
    found = shown(dataset, "r02", "r03")
    assert found.columns[:2] == ("c11", "c00")
    assert [(row.cells[0].text, row.cells[0].odd) for row in found.rows] == [("22", False), ("=1+1", True)]


def test_many_columns_are_counted_and_not_shown(dataset):
    found = shown(dataset, "r02")
    assert (len(found.columns), found.more_columns) == (MAX_COLUMNS, 12 - MAX_COLUMNS)


def test_a_row_that_cannot_be_read_says_why(dataset):
    (row,) = shown(dataset, "a.csv:0000005").rows
    assert (row.cells, row.error) == ((), "has 5 cells where there are 14 columns")


def test_the_target_is_shown(dataset):
    assert [row.target for row in shown(dataset, "r02", "r03").rows] == ["a", "b"]
