"""A CSV file read column by column holds the rows that are read of it one by one."""

import pytest

from edgeloop.data import csv_tables
from edgeloop.data.csv_tables import opened_texts
from edgeloop.data.table_rows import Layout, Unreadable
from edgeloop.data.tables import opened

NAMES = "a,b,c\n"
FILES = {
    "plain": NAMES + "1,x,2\n" * 9,
    "blanks": NAMES + " 1\t,\u3000x y\u00a0,\x1c2\x1f\n\n1,,\n , ,\n",
    "quotes": NAMES + '"1, ""2""","x\ny",3\r\n1,"",3\r',
    "widths": NAMES + "1,2\n1,2,3\n\n1,2,3,4\n",
    "row names": ",a,b\n0,1,2\n1,3,4\n5\n",
    "only names": NAMES,
    "broken": NAMES + "1,2,3\n" * 5 + '"x"y,1,2\n1,2,3\n',
    "null": NAMES + "1,2,3\n" * 3 + "1,\0,3\n",
    "semicolons": "a;b\n1,5; 2\n",
}


def one_by_one(path, layout: Layout) -> tuple:
    rows, reason = [], ""
    try:
        with opened(path, layout) as table:
            for row in table.rows:
                rows += [(list(row.cells) or [None] * len(table.names), row.error)]
    except Unreadable as error:
        reason = str(error)
    return rows, reason


def by_column(path, layout: Layout) -> tuple:
    rows, reason = [], ""
    try:
        with opened_texts(path, layout) as table:
            for columns, errors in table.batches:
                cells = zip(*(column.to_pylist() for column in columns), strict=True)
                rows += [(list(row), error) for row, error in zip(cells, errors, strict=True)]
    except Unreadable as error:
        reason = str(error)
    return rows, reason


@pytest.mark.parametrize("packet", [1, 3, 4096])
@pytest.mark.parametrize("name", FILES)
def test_columns_hold_the_rows(name, packet, tmp_path, monkeypatch):
    monkeypatch.setattr(csv_tables, "_BATCH_ROWS", packet)
    path = tmp_path / "a.csv"
    path.write_bytes(FILES[name].encode())
    assert by_column(path, Layout()) == one_by_one(path, Layout())


def test_an_encoding_is_read_likewise(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("a,b\né, ü\n".encode("latin-1"))
    assert by_column(path, Layout(encoding="latin-1")) == ([(["é", "ü"], None)], "")
    assert by_column(path, Layout()) == one_by_one(path, Layout())
