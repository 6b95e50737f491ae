"""What is looked at in a row of a table."""

import json

import pytest

from edgeloop.data.features.table import COLUMNS, DERIVED_NAMES, is_formula, plugin
from edgeloop.data.frame import of_table
from edgeloop.data.sources import RawSample
from edgeloop.errors import DataFault

SAMPLE = RawSample(id="a.csv:0000001", label=None)


def features(**cells):
    return plugin.read(json.dumps(cells).encode(), SAMPLE)


def test_a_column_is_a_feature_of_its_name():
    found = features(x=1, y=2.5, z="a", t=True)
    assert [found[name] for name in "xyzt"] == [1, 2.5, "a", 1]


def test_a_column_that_is_called_as_another_feature_is_called_otherwise():
    assert {"column_id", "column_nulls", "column_mode"} <= features(id=1, nulls=2, mode="x").keys()


def test_two_columns_are_never_one_feature():
    found = features(id=1, column_id=2, column_column_id=3, column_3=4)
    assert [found[name] for name in ("column_id", "column_column_id", "column_column_column_id", "column_3")] == [
        1, 2, 3, 4,
    ]  # fmt: skip


def test_cells_without_a_value_are_counted():
    found = features(x=None, y=1, z=None, w=2)
    assert (found["nulls"], found["null_share"]) == (2, 0.5)


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ({"text": "12a"}, "mistyped"),
        ({"number": "nan"}, "nan_cells"),
        ({"number": "-inf"}, "infinite_cells"),
        ("=1+1", "formulas"),
    ],
)
def test_a_flaw_is_counted_and_named(cell, name):
    found = features(x=cell, y=1)
    counts = {flaw: found[flaw] for flaw in ("mistyped", "nan_cells", "infinite_cells", "formulas")}
    assert counts == {**dict.fromkeys(counts, 0), name: 1}
    assert found["flaws"] == f"x: {next(iter(cell.values())) if isinstance(cell, dict) else cell}"


def test_a_row_without_a_flaw_has_none():
    assert features(x=1)["flaws"] is None


@pytest.mark.parametrize("text", ["=1+1", "=SUM(A1:A2)", "@SUM(A1)", "+cmd|' /C calc'!A0", "-HYPERLINK(1)"])
def test_what_a_spreadsheet_would_evaluate_is_a_formula(text):
    assert is_formula(text)


@pytest.mark.parametrize("text", ["=", "= ", "-5", "+49 30 1234", "@name", "a=b", "- (none)", "", None, 3])
def test_other_text_is_no_formula(text):
    assert not is_formula(text)


def test_the_columns_of_a_table_stand_behind_those_of_every_table():
    rows = [features(b=1, a="x", c=None, d=1), features(b=None, a=None, c=None, d=0.5)]
    found = plugin.described(rows)
    assert found[: len(COLUMNS)] == COLUMNS
    assert [(c.name, c.type) for c in found[len(COLUMNS) :]] == [
        ("a", "text"), ("b", "int"), ("c", "text"), ("d", "float"),
    ]  # fmt: skip


def test_the_names_that_are_kept_free_are_those_that_are_derived():
    import pandas as pd

    names = ("id", "sha256", "split", "label", "group", "boxes", "metadata", "error")
    frame = pd.DataFrame({name: pd.Series(["a"] * 3, dtype=object) for name in names} | {"x": [1, 2, 3]})
    frame["error"] = frame["boxes"] = None
    assert set(of_table(frame, ["x"]).columns) - set(frame.columns) == set(DERIVED_NAMES)


@pytest.mark.parametrize("content", [b"{}", b"[1]", b'{"x": [1]}', b'{"x": {"y": "z"}}', b'{"x": {"text": 3}}'])
def test_other_json_is_no_row(content):
    with pytest.raises(DataFault, match="is no row of a table"):
        plugin.read(content, SAMPLE)
