"""Rows that stay are the same bytes as before."""

import codecs

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from edgeloop.data.row_copies import copy_rows
from edgeloop.data.table_rows import Layout, Unreadable


def copied(tmp_path, content: bytes, kept: set[int], **layout) -> bytes:
    (tmp_path / "a.csv").write_bytes(content)
    copy_rows(tmp_path / "a.csv", tmp_path / "b.csv", layout=Layout(**layout), kept=kept)
    return (tmp_path / "b.csv").read_bytes()


def test_quotes_spaces_and_line_ends_stay(tmp_path):
    content = b'a; "b""x" \r\n1;" two\nlines "\r\n\r\n2; 3\r4;5'
    assert copied(tmp_path, content, {1, 3}) == b'a; "b""x" \r\n1;" two\nlines "\r\n\r\n4;5'


@pytest.mark.parametrize(
    ("mark", "written", "named"),
    [
        (b"", "utf-8", "utf-8"),
        (codecs.BOM_UTF8, "utf-8", "utf-8"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16"),
        (b"", "latin-1", "latin-1"),
        (b"", "cp1252", "cp1252"),
    ],
)
def test_encoding_and_mark_stay(tmp_path, mark, written, named):
    content = mark + "größe,b\nä,1\nö,2\n".encode(written)
    assert copied(tmp_path, content, {2}, encoding=named) == mark + "größe,b\nö,2\n".encode(written)


def test_without_names_the_first_line_is_a_row(tmp_path):
    assert copied(tmp_path, b"1,2\n3,4\n", {2}, header=False) == b"3,4\n"


def test_no_row_leaves_the_names(tmp_path):
    assert copied(tmp_path, b"a,b\n1,2\n", set()) == b"a,b\n"


def test_what_cannot_be_read_behind_the_last_row_is_not_looked_at(tmp_path):
    assert copied(tmp_path, b'a,b\n1,2\n"3"x,4\n', {1}) == b"a,b\n1,2\n"


def test_what_cannot_be_read_before_it_is_said(tmp_path):
    with pytest.raises(Unreadable):
        copied(tmp_path, b'a,b\n"3"x,4\n1,2\n', {2})


def test_types_groups_metadata_and_compression_of_parquet_stay(tmp_path):
    table = pa.table(
        {
            "x": pa.array([1, None, 3, 4, 5], pa.uint8()),
            "s": pa.array(["a", "b", "a", None, "c"]).dictionary_encode(),
            "t": pa.array([1, 2, 3, 4, 5], pa.timestamp("ns", "UTC")),
            "l": pa.array([[1], [], None, [2, 3], [4]]),
        }
    ).replace_schema_metadata({"who": "me"})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=2, compression="zstd")
    copy_rows(tmp_path / "a.parquet", tmp_path / "b.parquet", layout=Layout(), kept={1, 2, 5})
    read = parquet.read_table(tmp_path / "b.parquet")
    assert read.schema.equals(parquet.read_table(tmp_path / "a.parquet").schema, check_metadata=True)
    assert read.to_pylist() == [row for row in table.to_pylist() if row["x"] in (1, None, 5)]
    metadata = parquet.read_metadata(tmp_path / "b.parquet")
    assert [metadata.row_group(group).num_rows for group in range(2)] == [2, 1]
    assert metadata.row_group(0).column(0).compression == "ZSTD"
