"""What the cells of a column are taken for."""

from collections import Counter

import pytest

from edgeloop.data.cells import json_cell, kind_of, shape_of


def kind(*cells: str) -> str:
    return kind_of(Counter(shape_of(cell) for cell in cells))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-2", "+3", "0"], "int"),
        (["1", "2.5", ".5", "3e4"], "float"),
        (["1", "nan"], "float"),
        (["1", "NA", "?", ""], "int"),
        (["true", "False", ""], "bool"),
        (["true", "1"], "text"),
        (["00501", "12345"], "text"),
        (["1234567890123456789"], "text"),
        (["1_000"], "text"),
        (["١٢"], "text"),
        (["0x1f"], "text"),
        (["1,5"], "text"),
        (["2026-01-01"], "text"),
        (["=1+1"], "text"),
        (["none", "some"], "text"),
        (["", ""], "text"),
        (["NA", "NA"], "text"),
    ],
)
def test_a_column_is_what_its_cells_are(cells, expected):
    assert kind(*cells) == expected


def test_one_typing_error_in_ten_makes_no_text_of_a_column():
    assert kind(*"123456789", "x") == "int"


def test_more_than_one_word_in_ten_makes_a_column_text():
    assert kind(*"12345678", "x", "y") == "text"


@pytest.mark.parametrize(
    ("cell", "kind", "value"),
    [
        ("12", "int", 12),
        ("12", "float", 12.0),
        (12, "float", 12.0),
        ("12a", "int", {"text": "12a"}),
        ("1.5", "int", {"text": "1.5"}),
        (1 << 63, "int", {"text": "9223372036854775808"}),
        ("nan", "float", {"number": "nan"}),
        ("-Infinity", "float", {"number": "-inf"}),
        ("1e999", "float", {"number": "inf"}),
        (float("inf"), "float", {"number": "inf"}),
        ("TRUE", "bool", True),
        ("yes", "bool", {"text": "yes"}),
        (True, "int", {"text": "true"}),
        ("n/a", "float", None),
        ("", "text", None),
        ("n/a", "text", "n/a"),
        (3, "text", "3"),
        (None, "text", None),
        ("=1+1", "float", {"text": "=1+1"}),
    ],
)
def test_a_cell_is_a_json_value_of_its_columns_kind(cell, kind, value):
    found = json_cell(cell, kind)
    assert (found, type(found)) == (value, type(value))


def test_there_is_no_minus_zero():
    assert str(json_cell("-0.0", "float")) == "0.0"
