"""Windows of telemetry that are none."""

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from edgeloop.errors import DataFault
from edgeloop.telemetry import read_window


def test_two_columns_of_one_name_are_refused(tmp_path):
    (tmp_path / "w.csv").write_text("mean,mean\n1,2\n")
    with pytest.raises(DataFault, match="two columns of one name"):
        read_window(tmp_path / "w.csv")
    columns = [pa.array([1.0]), pa.array([2.0])]
    parquet.write_table(pa.Table.from_arrays(columns, names=["mean", "mean"]), tmp_path / "w.parquet")
    with pytest.raises(DataFault, match="two columns of one name"):
        read_window(tmp_path / "w.parquet")


def test_a_header_that_is_no_utf_8_is_refused(tmp_path):
    (tmp_path / "w.csv").write_bytes("helligkeit,schärfe\n1,2\n".encode("latin-1"))
    with pytest.raises(DataFault, match="not a readable"):
        read_window(tmp_path / "w.csv")
