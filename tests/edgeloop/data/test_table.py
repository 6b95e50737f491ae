"""Rows of CSV and Parquet files as samples."""

import datetime
import decimal
import json

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from pydantic import ValidationError

from edgeloop.data import table_schema
from edgeloop.data.features.table import plugin as features
from edgeloop.data.sources.table import plugin
from edgeloop.data.table_roles import TableOptions
from edgeloop.errors import DataFault

FLOWERS = "id,width,colour,label\nx,1.5,red,a\ny,2,blue,b\nz,,,a\n"


def read(path, **options):
    return list(plugin.samples(path, TableOptions(**options)))


def written(tmp_path, text, name="a.csv", encoding="utf-8"):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return path


def stored(tmp_path, columns, name="a.parquet"):
    parquet.write_table(pa.table(columns), tmp_path / name)
    return tmp_path / name


def contents(samples):
    return [None if s.content is None else json.loads(s.content) for s in samples]


def errors(samples):
    return [s.error for s in samples]


# rows


def test_a_row_is_the_canonical_json_of_its_columns(tmp_path):
    samples = read(written(tmp_path, FLOWERS))
    assert [s.content for s in samples] == [
        b'{"colour":"red","width":1.5}', b'{"colour":"blue","width":2.0}', b'{"colour":null,"width":null}',
    ]  # fmt: skip


def test_columns_of_usual_names_have_their_roles(tmp_path):
    text = "Label,ID,group,split,date,x\na,1,g,validation,2026-01-01T01:00:00+01:00,1\n"
    (sample,) = read(written(tmp_path, text))
    assert (sample.label, sample.id, sample.group, sample.split) == ("a", "1", "g", "val")
    assert sample.time == "2026-01-01T00:00:00.000000Z"
    assert contents([sample]) == [{"x": 1}]


def test_columns_that_are_named_have_their_roles(tmp_path):
    (sample,) = read(written(tmp_path, "a,b,c,x\n1,2,3,4\n"), target="a", id="b", time="c")
    assert (sample.label, sample.id, sample.time) == ("1", "2", "0000000000003.000000")


def test_an_empty_name_takes_a_role_away(tmp_path):
    (sample,) = read(written(tmp_path, "label,id,x\na,7,1\n"), target="", id="")
    assert (sample.label, sample.id, contents([sample])) == (None, "a.csv:0000001", [{"id": 7, "label": "a", "x": 1}])


def test_a_dropped_column_is_in_no_content(tmp_path):
    assert contents(read(written(tmp_path, "x,y\n1,2\n"), drop=["y"])) == [{"x": 1}]


def test_without_an_id_column_rows_are_numbered_in_their_file(tmp_path):
    written(tmp_path, "x\n1\n\n2\n", name="deep/a.csv")
    assert [s.id for s in read(tmp_path)] == ["deep/a.csv:0000001", "deep/a.csv:0000002"]


def test_equal_rows_of_two_files_have_equal_contents(tmp_path):
    written(tmp_path, "x,y\n1,2\n3,4\n", name="a.csv")
    written(tmp_path, "y,x\n2.0,1\n4.5,3\n", name="b.csv")
    stored(tmp_path, {"x": pa.array([1], pa.int8()), "y": pa.array([2.0], pa.float32())}, name="c.parquet")
    found = [s.content for s in read(tmp_path)]
    assert found[0] == found[2] == found[4]


def test_a_column_that_a_file_lacks_is_null_there(tmp_path):
    written(tmp_path, "x\n1\n", name="a.csv")
    written(tmp_path, "x,y\n1,z\n", name="b.csv")
    assert contents(read(tmp_path)) == [{"x": 1, "y": None}, {"x": 1, "y": "z"}]


# labels


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["cat", "dog", ""], ["cat", "dog", None]),
        (["1", "0", "NA"], ["1", "0", None]),
        (["1.0", "0.0", "1"], ["1", "0", "1"]),
        (["true", "FALSE", "true"], ["true", "false", "true"]),
        (["007", "010", "007"], ["007", "010", "007"]),
    ],
)
def test_text_and_few_whole_numbers_are_classes(tmp_path, cells, labels):
    rows = "".join(f"{n},{cell}\n" for n, cell in enumerate(cells))
    assert [s.label for s in read(written(tmp_path, f"x,label\n{rows}"))] == labels


@pytest.mark.parametrize("cells", [["1.5", "2", "3"], [str(n) for n in range(101)]])
def test_other_numbers_are_a_quantity(tmp_path, cells):
    rows = "".join(f"{n},{cell}\n" for n, cell in enumerate(cells))
    samples = read(written(tmp_path, f"x,label\n{rows}"))
    assert {s.label for s in samples} == {None}
    assert [float(s.metadata["target"]) for s in samples] == [float(cell) for cell in cells]


def test_what_a_target_is_can_be_said(tmp_path):
    path = written(tmp_path, "x,label\n1,3\n2,4\n")
    assert [s.metadata for s in read(path, target_is="quantity")] == [{"target": "3"}, {"target": "4"}]
    path = written(tmp_path, "x,label\n1,0.5\n2,1.5\n")
    assert [s.label for s in read(path, target_is="class")] == ["0.5", "1.5"]


# what is wrong with a row


def test_a_ragged_row_is_a_sample_with_an_error(tmp_path):
    samples = read(written(tmp_path, "x,y\n1,2\n1\n1,2,3\n5,6\n"))
    assert errors(samples) == [
        None, "has 1 cells where there are 2 columns", "has 3 cells where there are 2 columns", None,
    ]  # fmt: skip
    assert samples[3].id == "a.csv:0000004"


def test_an_id_that_is_there_twice_is_an_error_of_the_second_row(tmp_path):
    samples = read(written(tmp_path, "id,x\na,1\na,2\n,3\n"))
    assert [s.id for s in samples] == ["a", "a.csv:0000002", "a.csv:0000003"]
    assert errors(samples) == [None, "has the id 'a' of a.csv:0000001", "has no id"]


def test_a_word_among_numbers_is_marked(tmp_path):
    rows = "".join(f"{n}\n" for n in range(20))
    assert contents(read(written(tmp_path, f"x\n{rows}12a\n")))[-1] == {"x": {"text": "12a"}}


def test_a_formula_stays_text(tmp_path):
    assert contents(read(written(tmp_path, "x,y\n=1+1,a\n@SUM(A1),b\n"))) == [
        {"x": "=1+1", "y": "a"}, {"x": "@SUM(A1)", "y": "b"},
    ]  # fmt: skip


# CSV as people write it


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfx,y\n1,a\n2,b\n",
        b"x,y\r\n1,a\r2,b\n",
        b"x,y\n1,a\n\n2,b",
        b"x;y\n1;a\n2;b\n",
        b"x\ty\n1\ta\n2\tb\n",
        b' x , "y" \n 1 , a \n 2 , b \n'.replace(b'"', b""),
        b'"x","y"\n"1","a"\n"2","b"\n',
        b",x,y\n0,1,a\n1,2,b\n",
    ],
    ids=["mark", "line ends", "empty line", "semicolons", "tabs", "white space", "quotes", "row names"],
)
def test_a_table_is_the_same_however_it_is_written(tmp_path, content):
    assert contents(read(written(tmp_path, content))) == [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16"])
def test_an_encoding_that_is_named_is_read(tmp_path, encoding):
    path = written(tmp_path, "größe,label\n1,grün\n", encoding=encoding)
    (sample,) = read(path, encoding=encoding)
    assert (sample.label, contents([sample])) == ("grün", [{"größe": 1}])


def test_another_encoding_than_the_named_one_is_refused_with_what_to_say(tmp_path):
    with pytest.raises(DataFault, match=r"no row can be used.*is not text of that encoding.*-o encoding=latin-1"):
        read(written(tmp_path, "x,label\n1,grün\n", encoding="latin-1"))


def test_names_are_unicode_as_they_stand(tmp_path):
    assert list(contents(read(written(tmp_path, "温度,🌡\n1,2\n")))[0]) == ["温度", "🌡"]


def test_a_line_end_within_quotes_is_part_of_a_cell(tmp_path):
    assert contents(read(written(tmp_path, 'x,y\n1,"a\nb"\n'))) == [{"x": 1, "y": "a\nb"}]


def test_columns_without_a_name_are_called_after_their_place(tmp_path):
    assert contents(read(written(tmp_path, "x,,y\n1,2,3\n"))) == [{"column_2": 2, "x": 1, "y": 3}]


def test_a_file_without_names_is_read_where_that_is_said(tmp_path):
    assert contents(read(written(tmp_path, "1,2\n3,4\n"), header=False)) == [
        {"column_1": 1, "column_2": 2}, {"column_1": 3, "column_2": 4},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n1,2\n", "has an empty first line"),
        (b"5.1,3.5,setosa\n4.9,3,setosa\n", "has values such as 5.1 where column names are expected; say -o header=f"),
        (b"x,x\n1,2\n", "has two columns 'x'"),
        (b'x,y\n1,"a\n', "is no CSV table"),
        (b"x,y\n1,\0\n", "holds null characters"),
        (b"x\n" + b"a" * (1 << 20) + b"\n", "has a line of more than 1,048,576 characters"),
        (b",".join(b"c%d" % n for n in range(1001)) + b"\n", "has 1,001 columns, more than 1,000"),
        (b"x,y\n", "has no row"),
    ],
    ids=["empty", "no names", "values", "twice", "open quote", "null", "long line", "many columns", "no row"],
)
def test_a_file_that_is_no_table_is_refused_with_its_reason(tmp_path, content, reason):
    with pytest.raises(DataFault, match=reason):
        read(written(tmp_path, content))


def test_a_file_that_cannot_be_read_is_one_sample_beside_the_others(tmp_path):
    written(tmp_path, "x\n1\n", name="a.csv")
    written(tmp_path, b"rubbish", name="b.parquet")
    samples = read(tmp_path)
    assert [s.id for s in samples] == ["a.csv:0000001", "b.parquet"]
    assert samples[1].error.startswith("cannot be read")
    assert str(tmp_path) not in samples[1].error


def test_a_link_that_leads_outside_is_not_followed(tmp_path):
    secret = written(tmp_path, "x\nsecret\n", name="outside/s.csv")
    written(tmp_path, "x\n1\n", name="data/a.csv")
    (tmp_path / "data/b.csv").symlink_to(secret)
    assert errors(read(tmp_path / "data")) == [None, "is a link that leads outside the dataset"]


# Parquet


def test_values_of_parquet_keep_their_meaning(tmp_path):
    noon = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
    columns = {
        "truth": [True], "day": [noon.date()], "moment": [noon], "text": ["7"], "price": [decimal.Decimal("1.25")],
        "word": pa.array(["a"]).dictionary_encode(), "span": [datetime.timedelta(seconds=1.5)], "none": [None],
        "nan": [float("nan")],
    }  # fmt: skip
    assert contents(read(stored(tmp_path, columns))) == [
        {
            "truth": True, "day": "2026-01-02", "moment": "2026-01-02T12:00:00.000000Z", "text": "7", "price": 1.25,
            "word": "a", "span": 1.5, "none": None, "nan": {"number": "nan"},
        }
    ]  # fmt: skip


@pytest.mark.parametrize("values", [[[1]], [{"a": 1}], [b"a"]], ids=["list", "struct", "bytes"])
def test_a_column_of_no_single_values_is_refused_by_name(tmp_path, values):
    path = stored(tmp_path, {"x": [1], "inner": values})
    with pytest.raises(DataFault, match=r"has the column 'inner' of .*, which is no single value; leave it out"):
        read(path)
    assert contents(read(path, drop=["inner"])) == [{"x": 1}]


def test_the_index_of_pandas_is_no_column(tmp_path):
    path = stored(tmp_path, {"x": [1], "__index_level_0__": [7]})
    assert contents(read(path)) == [{"x": 1}]


def test_parquet_that_ends_early_is_refused(tmp_path):
    path = stored(tmp_path, {"x": list(range(100_000))})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataFault, match=r"no row can be used.*cannot be read"):
        read(path)


def test_parquet_that_declares_more_rows_than_it_holds_is_an_error_beside_them(tmp_path):
    path = stored(tmp_path, {"x": list(range(8))})
    content = path.read_bytes()
    place = content.rindex(b"\x16\x10\x19")  # thrift: the field num_rows, 8 as a zigzag number, then the row groups
    path.write_bytes(content[:place] + b"\x16\x7e\x19" + content[place + 3 :])
    assert errors(read(path)) == [None] * 8 + ["declares 63 rows and holds 8"]


def test_a_flipped_byte_in_parquet_gives_rows_or_an_error(tmp_path):
    moments = [datetime.datetime(2026, 1, 1 + n) for n in range(8)]
    columns = {"x": range(8), "y": [0.5] * 8, "z": ["ä"] * 8, "t": moments, "label": ["a", "b"] * 4}
    path = stored(tmp_path, {name: pa.array(values) for name, values in columns.items()})
    written(tmp_path, "x,label\n1,a\n")
    whole = path.read_bytes()
    for position in range(0, len(whole), 11):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        for sample in read(tmp_path):
            assert sample.error or features.read(sample.content, sample)


# refusals


def test_a_column_that_is_nowhere_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(DataFault, match="has no column 'colur'; did you mean 'colour'"):
        read(written(tmp_path, FLOWERS), target="colur")


def test_a_column_with_two_roles_is_refused():
    with pytest.raises(ValidationError, match="the column 'x' is named twice"):
        TableOptions(target="x", drop=("x",))


def test_a_table_of_nothing_but_roles_is_refused(tmp_path):
    with pytest.raises(DataFault, match="has no column beside the named ones"):
        read(written(tmp_path, "id,label\n1,a\n"))


@pytest.mark.parametrize("limit", ["MAX_ROWS", "MAX_CELLS"])
def test_a_table_larger_than_memory_may_hold_is_refused(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(table_schema, limit, 2)
    with pytest.raises(DataFault, match="all are held in memory; draw a sample of its rows"):
        read(written(tmp_path, "x\n1\n2\n3\n"))
