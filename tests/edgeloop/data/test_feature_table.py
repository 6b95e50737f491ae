"""The feature table tells what its columns are."""

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from edgeloop.data.dataset import Sample
from edgeloop.data.feature_table import columns_in, write_features
from edgeloop.data.features import Column
from edgeloop.errors import DataFault, InputFault

COLUMNS = (
    Column("größe", "float", "in mm"),
    Column("n", "int", "counted", compared=False),
    Column("x", "text", "said"),
)

SAMPLES = [
    Sample(id="a", uri="a", sha256="0", split="train", label=None),
    Sample(id="b", uri="b", sha256=None, split="test", label=None, error="broken"),
]


def test_the_columns_come_back_as_they_were_written(tmp_path):
    write_features(COLUMNS, SAMPLES, [{"größe": 1.5, "n": 2, "x": "y"}, None], tmp_path / "f.parquet")
    assert columns_in(tmp_path / "f.parquet") == COLUMNS


def test_a_sample_that_could_not_be_read_has_nulls(tmp_path):
    write_features(COLUMNS, SAMPLES, [{"größe": 1.5, "n": 2, "x": "y"}, None], tmp_path / "f.parquet")
    assert parquet.read_table(tmp_path / "f.parquet").to_pylist()[1] == {
        "id": "b", "split": "test", "größe": None, "n": None, "x": None,
    }  # fmt: skip


def test_another_table_is_refused(tmp_path):
    parquet.write_table(pa.table({"id": ["a"], "n": [1]}), tmp_path / "f.parquet")
    with pytest.raises(DataFault, match="is no table of features"):
        columns_in(tmp_path / "f.parquet")


def test_rubbish_is_refused(tmp_path):
    (tmp_path / "f.parquet").write_bytes(b"PAR1 rubbish PAR1")
    with pytest.raises(DataFault, match="is no table of features"):
        columns_in(tmp_path / "f.parquet")


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(InputFault, match="does not exist"):
        columns_in(tmp_path / "f.parquet")
