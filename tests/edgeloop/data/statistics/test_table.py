"""Hostile files and names: what lies in them is never believed, never executed, and never opens anything else."""

import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from edgeloop.data.statistics import statistics_of
from edgeloop.errors import DataFault, EnvironmentFault, InputFault

HOSTILE = "x\"; DROP VIEW source; SELECT '1"


def written(path: Path, columns: dict, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(columns), path, **options)
    return path


def lied(path: Path, truth: float, lie: float) -> Path:
    """The file with another number in its footer."""
    content = path.read_bytes()
    footer = len(content) - 8 - struct.unpack("<I", content[-8:-4])[0]
    changed = content[footer:].replace(struct.pack("<d", truth), struct.pack("<d", lie))
    assert changed != content[footer:]
    path.write_bytes(content[:footer] + changed)
    return path


@pytest.mark.parametrize("name", [HOSTILE, "'", '"', "", "c0", "a b\nc", "--", "ü", "$1", "?", "{0}"])
def test_a_column_name_is_only_a_name(table, name):
    found = statistics_of(table({name: [1.0, 2.0], "label": ["a", "b"]}), label="label", edges={name: (1.5,)})
    assert found.column(name).counts == (1, 1)


@pytest.mark.parametrize("value", [HOSTILE, "'", "''", "\\'", "a\0b", "$x", "%"])
def test_a_text_is_only_a_text(table, value):
    assert statistics_of(table({"split": [value, "other"]}).only("split", value)).rows == 1


@pytest.mark.parametrize("name", ["a[1]*?.parquet", "x';--.parquet", 'q".parquet', "é ü.parquet", "k=v/a.parquet"])
def test_a_file_name_is_only_a_name(table, tmp_path, name):
    written(tmp_path / "data/a1xx.parquet", {"x": [1, 2, 3]})
    found = statistics_of(table(written(tmp_path / "data" / name, {"x": [1]})))
    assert (found.rows, [c.name for c in found.columns]) == (1, ["x"])


def test_no_other_file_can_be_read(table, tmp_path):
    other = written(tmp_path / "other.parquet", {"x": [1]})
    opened = table({"x": [1]})
    with pytest.raises(DataFault, match="disabled by configuration"):
        opened.fetch(f"SELECT * FROM read_parquet('{other}')")


def test_a_folder_is_read_to_its_depth(table, tmp_path):
    for name in ("a.parquet", "deep/er/b.parquet"):
        written(tmp_path / "data" / name, {"x": [1, 2]})
    assert statistics_of(table(tmp_path / "data")).rows == 4


def test_a_pattern_names_several_files(table, tmp_path):
    for name in ("part-1.parquet", "part-2.parquet", "other.parquet"):
        written(tmp_path / "data" / name, {"x": [1, 2]})
    assert statistics_of(table(tmp_path / "data/part-*.parquet")).rows == 4


def test_a_file_that_is_named_twice_is_read_twice(table, tmp_path):
    path = written(tmp_path / "a.parquet", {"x": [1, 2]})
    assert statistics_of(table([path, path])).rows == 4


@pytest.mark.parametrize("place", ["nowhere.parquet", "nothing-*.parquet", "."])
def test_nothing_there_is_an_input_fault(table, tmp_path, place):
    with pytest.raises(InputFault, match="no Parquet file"):
        table(tmp_path / place)


@pytest.mark.parametrize("lie", [500.5, 1e300, float("nan")])
def test_extremes_that_a_file_claims_are_not_believed(table, tmp_path, lie):
    values = [float(number) for number in range(1000)] + [12345.5]
    path = written(tmp_path / "a.parquet", {"x": values}, use_dictionary=False)
    found = statistics_of(table(lied(path, 12345.5, lie)), edges={"x": (1000.0,)}).columns[0]
    assert (found.maximum, found.counts, found.distinct) == (12345.5, (1000, 1), 1001)


@pytest.mark.parametrize("kept", [0, 4, 100, 0.5, 0.99])
def test_a_truncated_file_is_refused(table, tmp_path, kept):
    path = written(tmp_path / "a.parquet", {"x": list(range(1000))})
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(DataFault, match="is not a readable Parquet file"):
        table(path)


def test_damaged_pages_are_a_data_fault(table, tmp_path):
    path = written(tmp_path / "a.parquet", {"x": [f"text {n}" for n in range(1000)]}, compression="zstd")
    content = bytearray(path.read_bytes())
    content[10:400] = bytes(390)
    path.write_bytes(content)
    with pytest.raises(DataFault, match=r"a\.parquet: cannot be read"):
        statistics_of(table(path))


def test_bytes_that_are_no_text_are_a_data_fault(table):
    array = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff\xfe"]).buffers())
    with pytest.raises(DataFault, match="cannot be read"):
        statistics_of(table({"x": array}))


@pytest.mark.parametrize("values", [[[1, 2]], [{"a": 1}]], ids=["list", "struct"])
def test_a_nested_column_is_refused_by_name(table, values):
    with pytest.raises(DataFault, match="column 'deep' is of type"):
        table({"x": [1], "deep": values})


def test_two_columns_of_one_name_are_refused(table):
    with pytest.raises(DataFault, match="two columns called 'A'"):
        table({"a": [1], "A": [2]})


def test_files_of_other_columns_are_refused(table, tmp_path):
    written(tmp_path / "data/a.parquet", {"x": [1]})
    written(tmp_path / "data/b.parquet", {"x": ["1"]})
    with pytest.raises(DataFault, match=r"b\.parquet: has other columns than a\.parquet"):
        table(tmp_path / "data")


def test_a_column_that_is_not_there_is_named(table):
    with pytest.raises(DataFault, match="has no column 'y'"):
        statistics_of(table({"x": [1]}), columns=["y"])


def test_too_little_memory_is_a_fault_of_the_environment(table):
    opened = table({"x": [1]}, memory_mib=16)
    with pytest.raises(EnvironmentFault, match="needs more memory"):
        opened.fetch("SELECT list(range) FROM range(10000000)")


def test_the_scratch_folder_is_left_empty(table, tmp_path):
    statistics_of(table({"x": list(range(1000))}))
    assert list((tmp_path / "scratch").iterdir()) == []
