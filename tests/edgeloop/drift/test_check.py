from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from edgeloop.data.dataset import Sample
from edgeloop.data.feature_table import write_features
from edgeloop.data.features import compared
from edgeloop.data.features.image import COLUMNS
from edgeloop.data.profile import profile_of
from edgeloop.drift import DetectDriftParams, check
from edgeloop.errors import DataFault, InputFault

PARAMS = DetectDriftParams()


def columns(rows, seed, **shifts):
    random = np.random.default_rng(seed)
    return {name: random.normal(100 + shifts.get(name, 0), 10, rows) for name in compared(COLUMNS)}


@pytest.fixture
def reference(tmp_path):
    values = columns(2000, 0)
    samples = [Sample(id=f"{k:04d}", uri="x", sha256=f"{k}", split="train", label=None) for k in range(2000)]
    rows = [dict(zip(values, row, strict=True)) for row in zip(*(v.tolist() for v in values.values()), strict=True)]
    described = [replace(column, type="float") for column in COLUMNS if column.name in values]
    write_features(described, samples, rows, tmp_path / "features.parquet")
    profile_of(samples, tmp_path / "features.parquet").write(tmp_path / "profile.json")
    return tmp_path / "profile.json"


def window(folder, values, name="w.parquet"):
    parquet.write_table(pa.table(values), folder / name)
    return folder / name


def test_a_window_as_in_training_is_no_drift(tmp_path, reference):
    verdict = check(PARAMS, reference=reference, current=window(tmp_path, columns(500, 1)))
    assert verdict.status == "no drift"
    assert verdict.rows == 500


def test_the_feature_that_moved_is_named(tmp_path, reference):
    verdict = check(PARAMS, reference=reference, current=window(tmp_path, columns(500, 1, mean=-15)))
    assert verdict.status == "drift"
    assert [feature.name for feature in verdict.features if feature.status == "drift"] == ["mean"]
    assert "mean moved away" in verdict.reason


def test_the_order_of_the_rows_and_other_columns_do_not_count(tmp_path, reference):
    values = columns(500, 1)
    turned = {name: column[::-1] for name, column in values.items()} | {"device": ["a"] * 500}
    digests = {
        check(PARAMS, reference=reference, current=window(tmp_path, table, name)).window_digest
        for name, table in (("a.parquet", values), ("b.parquet", turned))
    }
    assert len(digests) == 1


def test_a_small_window_is_not_evaluated(tmp_path, reference):
    verdict = check(PARAMS, reference=reference, current=window(tmp_path, columns(99, 1, mean=-50)))
    assert verdict.status == "not evaluated"
    assert "min_rows" in verdict.reason


def test_a_missing_or_empty_feature_is_named_and_does_not_hide_the_rest(tmp_path, reference):
    values = columns(500, 1)
    del values["width"]
    values["height"] = np.full(500, np.nan)
    verdict = check(PARAMS, reference=reference, current=window(tmp_path, values))
    assert verdict.status == "no drift"
    assert "width, height" in verdict.reason


def test_a_csv_window_is_read_as_well(tmp_path, reference):
    from pyarrow import csv

    csv.write_csv(pa.table(columns(500, 1, std=20)), tmp_path / "w.csv")
    assert check(PARAMS, reference=reference, current=tmp_path / "w.csv").status == "drift"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("w.parquet", b"rubbish", "not a readable Parquet"),
        ("w.parquet", b"", "not a readable Parquet"),
        ("w.csv", b"a,b\n1,2\n", "none of the columns"),
        ("w.csv", b"mean,std\n", "no"),
        ("w.csv", b"mean\nlarge\n", "no column of numbers"),
        ("w.csv", b"mean\n1,2,3\n", "not a readable"),
    ],
)
def test_rubbish_is_refused_in_one_line(tmp_path, reference, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataFault, match=words) as caught:
        check(PARAMS, reference=reference, current=tmp_path / name)
    assert "\n" not in caught.value.line()


def test_a_missing_file_is_named(tmp_path, reference):
    with pytest.raises(InputFault, match=r"gone\.csv: does not exist"):
        check(PARAMS, reference=reference, current=tmp_path / "gone.csv")
