"""A table read out of core is the one that is made in memory, column by column and cell by cell."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from edgeloop.data.feature_table import columns_in
from edgeloop.data.frame import frame_of
from edgeloop.data.large_tables.rows import rows_of
from edgeloop.data.preparation import PrepareDataParams, prepare
from edgeloop.data.table_roles import TableOptions
from edgeloop.errors import DataFault

ROWS = 300
OTHERWISE = {"uri", "sha256", "copies_by_chance"}
"""Columns that are documented to differ."""


def csv_lines() -> list[str]:
    """Rows with cells of every kind, and a fault of every kind in the first ones."""
    draw = np.random.default_rng(0)
    lines = [
        f"r{n},{draw.normal():.3f},{draw.integers(100)},{'ab'[n % 2]},{['true', 'False'][n % 3 == 0]},"
        f"{['red', 'blue', '=1+1'][draw.choice(3, p=[0.5, 0.49, 0.01])]},g{n // 10},"
        f"{['train', 'Test', 'validation'][n % 3]},2026-01-01T00:00:{n % 60:02d}+01:00"
        for n in range(ROWS)
    ]
    lines[4] = lines[4].replace("r4,", "r3,")
    lines[5:10] = [
        "r5,x12,3,a,true,red,g0,train,",
        'r6,nan,3,a,NA,"red",g0,train,2',
        "r7,inf,3",
        "r8,-inf,?,,true,,g0,train,hello",
        ",1,?,,true,,g0,train,hello",
    ]
    lines[10] = "r10" + lines[11].removeprefix("r11")
    return lines


@pytest.fixture
def folder(tmp_path):
    """CSV, broken CSV, an empty file and Parquet with another column."""
    names, lines, root = "id,width,count,label,flag,colour,group,split,Date", csv_lines(), tmp_path / "data"
    root.mkdir()
    (root / "a.csv").write_text("\n".join([names, *lines[:200]]) + "\n")
    (root / "b.csv").write_text("\n".join([names, *lines[200:]]) + '\n"x"y,1\n')
    (root / "c.csv").write_text("")
    columns = {
        "id": [f"p{n}" for n in range(40)],
        "width": np.random.default_rng(1).normal(size=40),
        "label": ["a", "b"] * 20,
        "split": ["train", "test", "val", "train"] * 10,
        "colour": ["red"] * 40,
        "extra": [1.5, None] * 20,
    }
    parquet.write_table(pa.table(columns), root / "d.parquet")
    return root


def out_of_core(path, tmp_path, **options) -> tuple[pd.DataFrame, tuple]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with rows_of(path, TableOptions(**options), scratch=scratch, memory_mib=200, threads=2) as rows:
        frame = pd.read_parquet(scratch / "rows.parquet")
        return frame.set_index("id").sort_index(), rows.features


def differing(path, tmp_path, **options) -> tuple[dict, tuple, tuple]:
    """The cells that differ by column, and the features of both."""
    own = TableOptions(**options).values()
    params = PrepareDataParams(source="table", path=path, options=own, split_by="given", min_class_samples=3)
    prepare(params, dataset=tmp_path / "dataset", profile=tmp_path / "profile.json")
    ours, features = out_of_core(path, tmp_path, **options)
    theirs = frame_of(tmp_path / "dataset").set_index("id").sort_index()
    assert list(ours.index) == list(theirs.index)
    assert set(ours.columns) == set(theirs.columns)
    found = {}
    for name in theirs.columns.difference(OTHERWISE):
        one, other = ours[name], theirs[name]
        same = (one == other) | (one.isna() & other.isna())
        if not same.all():
            found[name] = list(zip(one.index[~same], one[~same], other[~same], strict=True))[:5]
    return found, features, columns_in(tmp_path / "dataset/features.parquet")


def clean(lines: list[str]) -> list[str]:
    """Those that say a split, which all have to where the data's own splits are kept."""
    return [line for line in lines if line.count(",") == 8]


def test_every_cell_is_that_of_the_table_in_memory(folder, tmp_path):
    names = "id,width,count,label,flag,colour,group,split,Date"
    (folder / "a.csv").write_text("\n".join([names, *clean(csv_lines())[:200]]) + "\n")
    (folder / "b.csv").write_text("\n".join([names, *csv_lines()[200:]]) + "\n")
    (folder / "c.csv").unlink()
    found, ours, theirs = differing(folder, tmp_path)
    assert found == {}
    assert ours == theirs


def test_rows_and_files_that_cannot_be_read_say_why(folder, tmp_path):
    ours, _ = out_of_core(folder, tmp_path)
    errors = ours["error"].dropna()
    assert errors["a.csv:0000005"] == "has the id 'r3' of a.csv:0000004"
    assert errors["a.csv:0000010"] == "has no id"
    assert errors["a.csv:0000008"] == "has 3 cells where there are 9 columns"
    assert errors["b.csv"].startswith("is no CSV table")
    assert errors["c.csv"] == "is empty"
    assert len(errors) == 5


def test_copies_labels_and_chance_are_those_of_the_table_in_memory(tmp_path):
    draw = np.random.default_rng(2)
    rows = [[f"{draw.normal():.2f}", str(draw.integers(3)), "ab"[n % 2], "train"] for n in range(60)]
    rows += [[*rows[0][:2], "b", "test"], [*rows[1][:2], rows[1][2], "val"]] + [["7", "1", "a", "val"]] * 3
    (tmp_path / "a.csv").write_text("\n".join(["x,y,label,split", *map(",".join, rows)]) + "\n")
    found, _, _ = differing(tmp_path / "a.csv", tmp_path)
    ours = pd.read_parquet(tmp_path / "scratch/rows.parquet").set_index("id").sort_index()
    theirs = frame_of(tmp_path / "dataset").set_index("id").sort_index()
    repeated = theirs["copies"] > 1
    assert found == {}
    assert repeated.sum() > 5
    np.testing.assert_allclose(ours.copies_by_chance[repeated], theirs.copies_by_chance[repeated], rtol=1e-9)


def test_a_quantity_is_no_label(tmp_path):
    lines = [f"{n * 0.37:.2f},{n}" for n in range(50)]
    (tmp_path / "a.csv").write_text("\n".join(["target,x", *lines]) + "\n")
    ours, _ = out_of_core(tmp_path / "a.csv", tmp_path)
    assert ours["label"].isna().all()
    assert ours["metadata"].iloc[3] == '{"target":"1.11"}'
    assert ours["target_values"].iloc[0] == 50


def test_names_that_differ_in_case_only_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("x,X,label\n1,2,a\n")
    with pytest.raises(DataFault, match="differ in case only"):
        out_of_core(tmp_path / "a.csv", tmp_path)


def test_text_in_one_parquet_file_and_numbers_in_another_are_refused(tmp_path):
    (tmp_path / "data").mkdir()
    for name, values in (("a", ["1"]), ("b", [1])):
        parquet.write_table(pa.table({"x": values, "y": [1]}), tmp_path / f"data/{name}.parquet")
    with pytest.raises(DataFault, match="is text in one Parquet file and int in another"):
        out_of_core(tmp_path / "data", tmp_path)


def test_no_usable_row_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("x,label\n1,2,3\n")
    with pytest.raises(DataFault, match="no row can be used, such as: has 3 cells"):
        out_of_core(tmp_path / "a.csv", tmp_path)


def test_many_columns_of_text_take_little_memory(tmp_path):
    names = [f"x{place}" for place in range(40)]
    lines = [",".join(f"{row * place * 0.1:.2f}" for place in range(40)) for row in range(20)]
    (tmp_path / "a.csv").write_text("\n".join([",".join(names), *lines]) + "\n")
    (tmp_path / "scratch").mkdir()
    with rows_of(tmp_path / "a.csv", TableOptions(), scratch=tmp_path / "scratch", memory_mib=200, threads=2) as rows:
        assert rows.table.fetch("SELECT count(*) FROM source") == [(20,)]
