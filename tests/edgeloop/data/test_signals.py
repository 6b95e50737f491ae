import itertools
import os
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from benchmarks.faults.windows import RATE_HZ, readings, write_csv
from edgeloop.contract import parsed
from edgeloop.data import recordings
from edgeloop.data.features.window import plugin as features
from edgeloop.data.recordings import Wanted
from edgeloop.data.sources import RawSample
from edgeloop.data.sources import signals as module
from edgeloop.data.sources.signals import SignalsOptions, plugin
from edgeloop.data.table_rows import Unreadable
from edgeloop.data.windows import window_of
from edgeloop.errors import DataFault, ParamsFault


def listed(path: Path, **options) -> list[RawSample]:
    return list(plugin.samples(path, SignalsOptions(**{"length": 8, **options})))


def errors(path: Path, **options) -> dict[str, str | None]:
    return {sample.id: sample.error for sample in listed(path, **options)}


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two classes of two files of 20 readings, one of them a folder deeper."""
    for number, name in enumerate(("good/a.csv", "good/deep/b.csv", "worn/a.csv", "worn/b.csv")):
        write_csv(tmp_path / "set" / name, readings(20, number))
    return tmp_path / "set"


GOOD = {"time_column": "t", "rate_hz": RATE_HZ}


# cutting


def test_ids_are_the_path_and_the_first_reading(folder):
    assert [s.id for s in listed(folder, **GOOD)][:3] == [
        "good/a.csv@0000000000",
        "good/a.csv@0000000008",
        "good/deep/b.csv@0000000000",
    ]


def test_the_label_is_the_first_folder_and_the_group_the_file(folder):
    assert {(s.label, s.group) for s in listed(folder, **GOOD)} == {
        ("good", "good/a.csv"),
        ("good", "good/deep/b.csv"),
        ("worn", "worn/a.csv"),
        ("worn", "worn/b.csv"),
    }


def test_a_window_holds_the_readings_of_the_file(folder):
    expected = np.array(readings(20), dtype=float)[8:16, 1:].astype(np.float32)
    assert np.array_equal(window_of(listed(folder, **GOOD)[1].content), expected)


def test_windows_overlap_with_a_stride_below_their_length(folder):
    assert len(listed(folder / "good/a.csv", stride=4, **GOOD)) == 4


def test_channels_come_in_the_order_of_the_options(folder):
    first = listed(folder, channels=["y", "x"], **GOOD)[0]
    assert first.metadata["channels"] == "y,x"
    assert window_of(first.content)[0].tolist() == pytest.approx([float(readings(1)[0][2]), float(readings(1)[0][1])])


def test_a_label_column_begins_a_new_stretch(tmp_path):
    rows = [[*row, "a" if n < 13 else "b"] for n, row in enumerate(readings(26))]
    found = listed(write_csv(tmp_path / "f.csv", rows, "t,x,y,what"), label_column="what", **GOOD)
    assert [(s.id, s.label) for s in found] == [("f.csv@0000000000", "a"), ("f.csv@0000000013", "b")]


def test_groups_between_one_another_are_streams_of_their_own(tmp_path):
    rows = [[str(n // 2), str(n), "1", f"m{n % 2}"] for n in range(32)]
    found = listed(write_csv(tmp_path / "f.csv", rows, "t,x,y,machine"), group_column="machine", time_column="t")
    assert [s.group for s in found] == ["m0", "m0", "m1", "m1"]
    assert window_of(found[2].content)[:, 0].tolist() == list(range(1, 17, 2))


def test_an_empty_group_is_an_error_row(tmp_path):
    rows = [[*row, "m" if n < 10 else ""] for n, row in enumerate(readings(20))]
    found = errors(write_csv(tmp_path / "f.csv", rows, "t,x,y,machine"), group_column="machine", **GOOD)
    assert found["f.csv@0000000010"] == "has no group: the column 'machine' is empty"


def test_an_empty_label_is_no_label(tmp_path):
    rows = [[*row, ""] for row in readings(8)]
    assert listed(write_csv(tmp_path / "f.csv", rows, "t,x,y,what"), label_column="what", **GOOD)[0].label is None


def test_batches_make_no_difference(folder, monkeypatch):
    whole = listed(folder, stride=3, **GOOD)
    monkeypatch.setattr(recordings, "_BLOCK_BYTES", 90)
    assert listed(folder, stride=3, **GOOD) == whole


def test_windows_come_before_the_file_has_been_read(tmp_path):
    path = write_csv(tmp_path / "f.csv", readings(60_000))
    with path.open("a") as file:
        file.write("this,line\n")
    samples = plugin.samples(path, SignalsOptions(**GOOD))
    assert next(samples).error is None
    *_, last = samples
    assert last.error.startswith("cannot be read (CSV parse error")


def test_parquet_gives_the_windows_of_csv(folder, tmp_path):
    other = tmp_path / "other"
    for seed, path in enumerate(sorted(folder.rglob("*.csv"))):
        target = other / path.relative_to(folder).with_suffix(".parquet")
        target.parent.mkdir(parents=True, exist_ok=True)
        rows = np.array(readings(20, seed), dtype=float)
        parquet.write_table(pa.table(dict(zip("txy", rows.T, strict=True))), target, row_group_size=7)
    assert [s.content for s in listed(other, **GOOD)] == [s.content for s in listed(folder, **GOOD)]


# time


def test_the_clock_is_in_the_metadata(folder):
    found = listed(folder, **GOOD)[0].metadata
    assert found == {
        "rate_hz": "100",
        "channels": "x,y",
        "duration_s": "0.07",
        "measured_rate_hz": "100",
        "gaps": "0",
        "missing_readings": "0",
        "longest_gap_s": "0",
        "backward_steps": "0",
    }


def iso(count: int, zone: str = "") -> list[list[str]]:
    return [[f"2026-03-01T23:59:59.{n * 10:03d}{zone}", "1", str(n)] for n in range(count)]


@pytest.mark.parametrize(
    ("zone", "time"),
    [
        ("", "2026-03-01T23:59:59.000000000Z"),
        ("Z", "2026-03-01T23:59:59.000000000Z"),
        ("+02:00", "2026-03-01T21:59:59.000000000Z"),
    ],
)
def test_iso_times_are_read_and_kept_in_utc(tmp_path, zone, time):
    found = listed(write_csv(tmp_path / "f.csv", iso(8, zone)), **GOOD)[0]
    assert (found.time, found.metadata["measured_rate_hz"]) == (time, "100")


def test_iso_times_go_on_in_the_next_batch(tmp_path, monkeypatch):
    monkeypatch.setattr(recordings, "_BLOCK_BYTES", 90)
    found = listed(write_csv(tmp_path / "f.csv", iso(16)), **GOOD)
    assert [s.time for s in found] == ["2026-03-01T23:59:59.000000000Z", "2026-03-01T23:59:59.080000000Z"]
    assert {s.metadata["gaps"] for s in found} == {"0"}


def test_times_in_seconds_sort_as_text(tmp_path):
    rows = [[str(n * 30), "1", str(n)] for n in range(32)]
    times = [s.time for s in listed(write_csv(tmp_path / "f.csv", rows), time_column="t")]
    assert times == sorted(times)
    assert times[1] == "0000000000240.000000"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_time_stamps_of_parquet_are_read(tmp_path, unit):
    steps = {"s": 1, "ms": 10, "us": 10_000, "ns": 10_000_000}[unit]
    times = pa.array([1_700_000_000 + n * steps for n in range(8)], pa.timestamp(unit))
    parquet.write_table(pa.table({"t": times, "x": np.arange(8.0)}), tmp_path / "f.parquet")
    rate_hz = 1 if unit == "s" else 100
    assert listed(tmp_path, time_column="t")[0].metadata["measured_rate_hz"] == str(rate_hz)


def test_a_gap_is_a_sample_whose_features_tell(tmp_path):
    rows = [row for n, row in enumerate(readings(12)) if n not in (3, 4, 5)]
    sample = listed(write_csv(tmp_path / "f.csv", rows), **GOOD)[0]
    found = features.read(sample.content, sample)
    assert (found["gap_share"], found["longest_gap_s"]) == pytest.approx((3 / 11, 0.03))


def test_a_time_that_runs_back_is_a_sample_whose_features_tell(tmp_path):
    rows = readings(8)
    rows[5][0] = "0.001"
    sample = listed(write_csv(tmp_path / "f.csv", rows), **GOOD)[0]
    assert features.read(sample.content, sample)["backward_steps"] == 1


def test_a_time_that_runs_back_between_two_windows_is_told_of_the_second(tmp_path):
    rows = readings(16)
    for n in range(8, 16):
        rows[n][0] = rows[n - 8][0]
    found = [sample.metadata["backward_steps"] for sample in listed(write_csv(tmp_path / "f.csv", rows), **GOOD)]
    assert found == ["0", "1"]


def test_a_wrong_rate_is_a_sample_whose_features_tell(folder):
    sample = listed(folder, time_column="t", rate_hz=80)[0]
    assert features.read(sample.content, sample)["rate_error"] == pytest.approx(0.25)


def test_a_clock_that_stands_still_is_an_error_row(tmp_path):
    rows = [["7", *row[1:]] if n >= 8 else row for n, row in enumerate(readings(16))]
    found = errors(write_csv(tmp_path / "f.csv", rows), **GOOD)
    assert found["f.csv@0000000008"] == "its time stamps in the column 't' are missing or all the same"


def test_without_a_time_column_there_is_no_clock(folder):
    assert set(listed(folder, channels=["x"])[0].metadata) == {"channels"}


# what is wrong with cells


@pytest.mark.parametrize("cell", ["", " ", "nan", "NaN", "NA", "null"])
def test_a_missing_reading_is_a_sample_whose_features_tell(tmp_path, cell):
    rows = readings(8)
    rows[5][1] = cell
    sample = listed(write_csv(tmp_path / "f.csv", rows), **GOOD)[0]
    assert features.read(sample.content, sample)["nan_share"] == 1 / 16


@pytest.mark.parametrize("cell", ["inf", "-inf", "1e999", "1e39"])
def test_an_infinite_reading_is_a_sample_whose_features_tell(tmp_path, cell):
    rows = readings(8)
    rows[5][1] = cell
    sample = listed(write_csv(tmp_path / "f.csv", rows), **GOOD)[0]
    assert features.read(sample.content, sample)["nan_share"] == 1 / 16


@pytest.mark.parametrize("cell", ["=1+1", "=cmd|' /C calc'!A0", "@SUM(1)", "0x10", "1_0", "12g", "١", "True", "1;2"])
def test_text_among_numbers_is_an_error_row_and_never_evaluated(tmp_path, cell):
    rows = readings(24)
    rows[10][2] = cell
    assert errors(write_csv(tmp_path / "f.csv", rows), **GOOD) == {
        "f.csv@0000000000": None,
        "f.csv@0000000008": "reading 11 of its file has no number in the column 'y' but text",
        "f.csv@0000000016": None,
    }


@pytest.mark.parametrize("cell", ["yesterday", "2026-13-01T00:00:00", "=NOW()"])
def test_text_among_times_is_an_error_row(tmp_path, cell):
    rows = readings(16)
    rows[10][0] = cell
    found = errors(write_csv(tmp_path / "f.csv", rows), **GOOD)
    assert found["f.csv@0000000008"] == "reading 11 of its file has no time in the column 't' but text"


@pytest.mark.parametrize("label", ["=1+1", "<script>", "ü 漢", "../../etc"])
def test_a_label_is_text(tmp_path, label):
    rows = [[*row, label] for row in readings(8)]
    assert listed(write_csv(tmp_path / "f.csv", rows, "t,x,y,what"), label_column="what", **GOOD)[0].label == label


@pytest.mark.parametrize("cell", ["1", "+1", " 1 ", "1.", "1e0", '"1"'])
def test_one_is_written_in_many_ways(tmp_path, cell):
    rows = [[cell, "0"] for _ in range(8)]
    assert window_of(listed(write_csv(tmp_path / "f.csv", rows, "x,y"))[0].content)[:, 0].tolist() == [1] * 8


# what is wrong with files: each stands beside a good one


GOOD_ROWS = readings(8)
TEXT = "t,x,y\n" + "".join(",".join(row) + "\n" for row in GOOD_ROWS)


@pytest.fixture
def beside(tmp_path):
    """Writes bytes beside a good file; returns the error of what is made of them, None where all is well."""
    write_csv(tmp_path / "set/good/a.csv", readings(8))

    def written(content: bytes, name: str = "b.csv", **options) -> str | None:
        (tmp_path / "set/good" / name).write_bytes(content)
        found = [s for s in listed(tmp_path / "set", **{**GOOD, **options}) if not s.id.startswith("good/a.csv")]
        assert len(found) == 1
        return found[0].error

    return written


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_is_read(beside, end):
    assert beside(TEXT.replace("\n", end).encode()) is None


def test_mixed_line_ends_are_read(beside):
    ends = itertools.cycle(["\r\n", "\n", "\r\n"])
    assert beside("".join(line + next(ends) for line in TEXT.splitlines()).encode()) is None


def test_a_byte_order_mark_is_read(beside):
    assert beside(b"\xef\xbb\xbf" + TEXT.encode()) is None


def test_a_last_line_without_an_end_is_read(beside):
    assert beside(TEXT.rstrip("\n").encode()) is None


def test_quoted_and_spaced_names_are_read(beside):
    assert beside(TEXT.replace("t,x,y", '"t", x ,y').encode()) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"t,x,y\n", "has 0 readings"),
        (b"t,x,y", "has 0 readings"),
        (b"\n\n\n", "has no column 't'"),
        (TEXT.encode("utf-16"), "is not UTF-8 text"),
        (TEXT.encode("utf-16-le"), "is not UTF-8 text"),
        (TEXT.replace("t,x,y", "t,x,ü").encode("latin-1"), "is not UTF-8 text"),
        (TEXT.replace(",y\n", ",z\n").encode(), "has no column 'y', only 't', 'x', 'z'"),
        (TEXT.replace("t,x,y", "t,x,x").encode(), "has no column 'y'"),
        (TEXT.replace("t,x,y", "t,y,y").encode(), "has no column 'x'"),
        ((TEXT + "1,2\n").encode(), "cannot be read"),
        ((TEXT + "1,2,3,4\n").encode(), "cannot be read"),
        ((TEXT[: len(TEXT) // 2] + '"').encode(), "cannot be read|has no number|has 3 readings|has 4 readings"),
        (b"\0" * 5000, "is not UTF-8 text"),
        (b"x" * (2 << 20), "has a first line that is too long"),
        (os.urandom(4096), "is not UTF-8 text|has no column|cannot be read"),
        (b"t,x,y\n0,1,\xff\n" + b"0,1,2\n" * 8, "cannot be read"),
        (TEXT[: TEXT.index("0.030")].encode(), "has 3 readings, and no 8 of one group and label in a row"),
    ],
)
def test_a_csv_file_that_cannot_be_used_is_one_error_row(beside, content, reason):
    error = beside(content, channels=["x", "y"])
    assert re.search(reason, error or "fine"), error
    assert "\n" not in error


def test_two_columns_of_one_name_are_an_error_row(beside):
    assert beside(TEXT.replace("t,x,y", "t,x,x").encode(), channels=["x"]) == "has two columns 'x'"


def test_very_many_columns_are_refused_before_they_are_compared(beside):
    class Names(list):
        def count(self, _):
            raise AssertionError("every name is compared with every other one")

    with pytest.raises(Unreadable, match="has 100,000 columns of readings, more than 256"):
        Wanted((), (), ",").among(Names(f"c{number}" for number in range(100_000)))
    assert beside(b"t" + b",x" * 257 + b"\n", channels=[]) == "has 257 columns of readings, more than 256"


def test_a_line_longer_than_a_block_is_an_error_row(beside):
    assert "cannot be read" in beside(b"t,x,y\n0,1," + b"9" * (3 << 20) + b"\n" + b"1,2,3\n" * 9)


def columns(**changed) -> pa.Table:
    plain = {"t": np.arange(8) / RATE_HZ, "x": np.arange(8.0), "y": np.arange(8.0)}
    return pa.table({**plain, **changed})


def parquet_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    "values",
    [
        np.arange(8, dtype=np.int16),
        np.arange(8, dtype=np.uint64),
        np.arange(8, dtype=np.float16),
        pa.array([Decimal(n) for n in range(8)]),
        pa.array([1.0, None] * 4),
        pa.array([str(n) for n in range(8)]),
        pa.array(["1", "2"] * 4).dictionary_encode(),
        pa.nulls(8),
    ],
)
def test_any_type_of_number_is_read(beside, values):
    assert beside(parquet_bytes(columns(y=values)), "b.parquet") is None


@pytest.mark.parametrize(
    "values",
    [
        pa.array([[1.0]] * 8),
        pa.array([{"a": 1.0}] * 8),
        pa.array([b"1"] * 8),
        pa.array([True] * 8),
        pa.array([0] * 8, pa.timestamp("s")),
    ],
)
def test_a_column_without_numbers_is_an_error_row(beside, values):
    assert "where numbers are expected" in beside(parquet_bytes(columns(y=values)), "b.parquet")


@pytest.mark.parametrize("values", [pa.array([[1.0]] * 8), pa.array([{"a": 1.0}] * 8), pa.array([b"\xff"] * 8)])
def test_a_group_that_is_no_name_is_a_data_fault(tmp_path, values):
    (tmp_path / "f.parquet").write_bytes(parquet_bytes(columns(machine=values)))
    with pytest.raises(DataFault, match=r"where names are expected|Invalid UTF8"):
        listed(tmp_path, group_column="machine", channels=["x", "y"])


def test_a_dot_in_the_name_of_a_column_is_no_path(tmp_path):
    parquet.write_table(pa.table({"a.b": np.arange(8.0)}), tmp_path / "f.parquet")
    assert listed(tmp_path, channels=["a.b"])[0].error is None


def test_a_file_of_one_format_under_the_name_of_the_other_is_an_error_row(beside):
    assert "cannot be read" in beside(TEXT.encode(), "b.parquet")


def test_a_truncated_parquet_file_is_an_error_row(beside):
    whole = parquet_bytes(columns())
    assert all("cannot be read" in beside(whole[:size], "b.parquet") for size in range(0, len(whole), 97))


def test_a_parquet_file_that_declares_more_rows_than_it_holds_is_an_error_row(tmp_path):
    content = parquet_bytes(columns())
    place = content.rindex(b"\x16\x10\x19")  # thrift: the field num_rows, 8 as a zigzag number, then the row groups
    (tmp_path / "f.parquet").write_bytes(content[:place] + b"\x16\x7e\x19" + content[place + 3 :])
    assert errors(tmp_path, **GOOD)["f.parquet"] == "declares 63 rows and holds 8"


def test_a_flipped_byte_in_a_parquet_file_gives_samples_or_error_rows(tmp_path):
    whole = parquet_bytes(columns())
    write_csv(tmp_path / "a.csv", GOOD_ROWS)
    for position in range(0, len(whole), 11):
        damaged = whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :]
        (tmp_path / "b.parquet").write_bytes(damaged)
        for sample in listed(tmp_path, channels=["x"], time_column="t"):
            assert sample.error or features.read(sample.content, sample)


# what is wrong with folders and options


def test_other_files_are_no_samples(folder):
    before = listed(folder, **GOOD)
    for name in ("README.md", "good/notes.txt", "good/.hidden.csv", ".git/a.csv"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    assert listed(folder, **GOOD) == before


def test_a_link_out_of_the_dataset_is_an_error_row(folder, tmp_path):
    write_csv(tmp_path / "secret.csv", GOOD_ROWS)
    (folder / "good/out.csv").symlink_to(tmp_path / "secret.csv")
    assert errors(folder, **GOOD)["good/out.csv"] == "is a link that leads outside the dataset"


def test_a_linked_folder_is_an_error_row(folder, tmp_path):
    write_csv(tmp_path / "elsewhere/secret.csv", GOOD_ROWS)
    (folder / "good/out").symlink_to(tmp_path / "elsewhere")
    assert errors(folder, **GOOD)["good/out"] == "is a link to a folder"


def test_a_link_in_a_circle_is_an_error_row(folder):
    (folder / "good/circle.csv").symlink_to("circle.csv")
    assert errors(folder, **GOOD)["good/circle.csv"] == "is a link to nothing"


def test_a_pipe_is_an_error_row_and_is_not_opened(folder):
    os.mkfifo(folder / "good/pipe.csv")
    assert errors(folder, **GOOD)["good/pipe.csv"] == "is not a regular file"


@pytest.mark.parametrize("name", [b"\xff\xfe.csv", b"a#b?c;d%20.csv", "ü 漢.csv".encode(), b"line\nbreak.csv"])
def test_any_file_name_is_an_id(folder, name):
    before = len(listed(folder, **GOOD))
    Path(os.fsdecode(os.fsencode(folder / "good") + b"/" + name)).write_text(TEXT)
    found = listed(folder, **GOOD)
    assert len(found) == before + 1
    assert all(s.id.encode() for s in found)


def test_a_named_pipe_is_a_data_fault(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataFault, match="is not a regular file"):
        listed(tmp_path / "pipe.csv")


def test_a_missing_path_is_a_data_fault(tmp_path):
    with pytest.raises(DataFault, match="does not exist"):
        listed(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["", "README.md"])
def test_a_path_without_tables_is_a_data_fault(tmp_path, name):
    (tmp_path / "README.md").write_text("x")
    with pytest.raises(DataFault, match="holds no CSV or Parquet file"):
        listed(tmp_path / name)


def test_no_path_is_a_data_fault():
    with pytest.raises(DataFault, match="needs a file or folder"):
        plugin.samples(None, SignalsOptions())


def test_a_column_that_no_file_has_is_a_data_fault_that_names_those_there_are(folder):
    with pytest.raises(DataFault, match=r"good/a\.csv: .* has no column 'z', only 't', 'x', 'y'"):
        listed(folder, channels=["z"])


def test_more_groups_than_can_be_held_are_an_error_row(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_GROUPS", 3)
    rows = [[*row, f"m{n}"] for n, row in enumerate(readings(8))]
    with pytest.raises(DataFault, match="more than 3 groups in the column 'machine'"):
        listed(write_csv(tmp_path / "f.csv", rows, "t,x,y,machine"), group_column="machine", **GOOD)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"length": 0}, "length"),
        ({"stride": 0}, "stride"),
        ({"rate_hz": 0}, "rate_hz"),
        ({"chanels": ["x"]}, "did you mean channels"),
        ({"channels": ["x", "x"]}, "'x' is named twice"),
        ({"channels": ["t"], "time_column": "t"}, "'t' is named twice"),
        ({"separator": "ab"}, "separator"),
        ({"separator": '"'}, "cannot separate cells"),
        ({"separator": "1"}, "cannot separate cells"),
        ({"length": 1 << 20, "channels": [f"c{n}" for n in range(17)]}, "would hold more than"),
    ],
)
def test_wrong_options_are_refused_by_name(options, reason):
    with pytest.raises(ParamsFault, match=reason):
        parsed(SignalsOptions, options, where="prepare_data.options")


@pytest.mark.parametrize("separator", [";", "\t", "|", " "])
def test_another_separator_is_read(tmp_path, separator):
    path = write_csv(tmp_path / "f.csv", GOOD_ROWS, separator=separator)
    assert listed(path, separator=separator, **GOOD)[0].metadata["channels"] == "x,y"
