"""Expectations answered from statistics equal those that Great Expectations answers on the whole table."""

import math

import pandas as pd
import pyarrow.parquet as parquet
import pytest

from edgeloop.data.statistics import repetition, statistics_of
from edgeloop.data.statistics.checking import checked_by_statistics
from edgeloop.data.suite import Suite, checked
from edgeloop.data.verdict import FIRST_IDS, SuiteRecord
from edgeloop.errors import DataFault

pytestmark = pytest.mark.slow  # Great Expectations takes seconds to import


def expected(name: str, column: str | None = None, **kwargs) -> dict:
    arguments = {**({"column": column} if column else {}), **kwargs}
    return {"type": f"expect_{name}", "kwargs": arguments, "severity": "warning", "notes": f"{name} holds"}


LEVELS = [0.0, 0.07, 0.25, 0.5, 0.9, 1.0]
WIDE = {"quantiles": LEVELS, "value_ranges": [[None, None]] * len(LEVELS)}
NARROW = {"quantiles": LEVELS, "value_ranges": [[0, 1]] * len(LEVELS)}
NUMBERS = ("width", "gappy", "normal", "heavy", "endless", "empty", "nothing")
DOZEN = (
    expected("column_values_to_not_be_null", "label"),
    expected("column_values_to_be_in_set", "label", value_set=["cat", "dog", "owl"]),
    expected("column_values_to_be_between", "width", min_value=2, max_value=60),
    expected("column_values_to_be_unique", "id"),
    expected("column_mean_to_be_between", "normal", min_value=2.9, max_value=3.1),
    expected("column_stdev_to_be_between", "normal", min_value=1, max_value=1.5),
    expected("column_quantile_values_to_be_between", "heavy", quantile_ranges=NARROW),
    expected("column_min_to_be_between", "width", min_value=1),
    expected("column_max_to_be_between", "width", max_value=60),
    expected("table_row_count_to_be_between", min_value=10_000, max_value=30_000),
    expected("column_unique_value_count_to_be_between", "label", max_value=3),
    expected("table_columns_to_match_set", column_set=["id", "label"], exact_match=False),
    expected("column_values_to_match_regex", "serial", regex=r"^dev-\d{4}$"),
)
OTHERS = (
    *(expected("column_values_to_not_be_null", column, mostly=0.9) for column in (*NUMBERS, "serial")),
    *(expected("column_values_to_be_unique", column) for column in (*NUMBERS, "serial")),
    *(expected("column_values_to_be_between", column, min_value=0) for column in NUMBERS),
    *(expected("column_values_to_be_in_set", column, value_set=[0, 1]) for column in NUMBERS),
    expected("column_values_to_be_between", "endless", max_value=1e300, strict_max=True),
    expected("column_values_to_be_between", "width", min_value=1, max_value=63, strict_min=True, strict_max=True),
    expected("column_values_to_be_between", "width", min_value=1.5, mostly=0.5),
    expected("column_values_to_be_between", "label", min_value=0),
    expected("column_values_to_be_in_set", "width", value_set=[1, 2.0, 3]),
    expected("column_values_to_be_in_set", "heavy", value_set=[0]),
    expected("column_values_to_be_in_set", "flag", value_set=[True]),
    expected("column_values_to_be_in_set", "label", value_set=[]),
    expected("column_values_to_be_in_set", "label", value_set=['it\'s a "cat"; --'], mostly=0.00001),
    *(expected("column_mean_to_be_between", column, min_value=0, strict_min=True) for column in NUMBERS),
    *(expected("column_stdev_to_be_between", column, max_value=5) for column in NUMBERS),
    *(expected("column_min_to_be_between", column, max_value=5) for column in NUMBERS),
    *(expected("column_max_to_be_between", column, min_value=5) for column in NUMBERS),
    *(expected("column_quantile_values_to_be_between", column, quantile_ranges=WIDE) for column in NUMBERS),
    *(expected("column_unique_value_count_to_be_between", column, max_value=20) for column in (*NUMBERS, "id", "flag")),
    expected("table_row_count_to_be_between", max_value=1),
    expected("table_columns_to_match_set", column_set=["id", "label"]),
    expected("table_columns_to_match_set", column_set=["id", "nowhere"], exact_match=False),
    expected("column_values_to_match_regex", "serial", regex=r"dev-(?!0)"),
    expected("column_values_to_match_regex", "serial", regex=r"DEV.0001$"),
    expected("column_values_to_match_regex", "serial", regex=r"^.+$"),
    expected("column_values_to_match_regex", "label", regex="o|t"),
    expected("column_mean_to_be_between", "label", min_value=0),
    expected("column_values_to_not_be_null", "nowhere"),
    expected("column_mean_to_be_between", "nowhere", min_value=0),
)

DAYS = {"values": ["day", "fog"], "weights": [0.5, 0.5]}
NIGHTS = {"values": ["day", "fog", "night"], "weights": [0.2, 0.5, 0.3]}
FRUITS = {"values": ["cat", "dog", "owl"], "weights": [0.5, 0.25, 0.25]}
CONDITION = {"condition_parser": "pandas"}
OF_VALUES = (
    expected("column_most_common_value_to_be_in_set", "split", value_set=["val"]),
    expected("column_most_common_value_to_be_in_set", "split", value_set=["train", "test", "val"]),
    expected("column_most_common_value_to_be_in_set", "flag", value_set=[False]),
    *(
        expected(f"column_distinct_values_to_{what}_set", column, value_set=values)
        for what in ("be_in", "contain", "equal")
        for column, values in (
            ("split", ["train", "test", "val"]),
            ("split", ["train"]),
            ("condition", ["day", "fog", "rain"]),
        )
    ),
    expected("column_values_to_be_of_type", "serial", type_="str"),
    expected("column_values_to_be_of_type", "width", type_="str"),
    expected("column_values_to_be_of_type", "width", type_="int64"),
    expected("column_values_to_be_in_type_list", "normal", type_list=["float64", "str"]),
    expected("column_kl_divergence_to_be_less_than", "condition", partition_object=DAYS, threshold=0.02),
    expected("column_kl_divergence_to_be_less_than", "condition", partition_object=NIGHTS, threshold=0.02),
    expected("column_kl_divergence_to_be_less_than", "label", partition_object=FRUITS, threshold=10),
)
CONDITIONAL = (
    expected("column_values_to_be_between", "width", max_value=50, row_condition="flag", **CONDITION),
    expected("column_values_to_be_between", "width", max_value=50, row_condition="normal < 0.5", **CONDITION),
    expected("column_values_to_be_between", "width", max_value=50, row_condition="gappy.notnull()", **CONDITION),
    expected("column_values_to_be_between", "width", max_value=50, row_condition="width > 1000", **CONDITION),
    expected("column_values_to_not_be_null", "gappy", mostly=0.9, row_condition="width == 3", **CONDITION),
    expected("column_values_to_be_between", "empty", max_value=50, row_condition="width >= 3", **CONDITION),
)


def suite_of(*expectations: dict) -> Suite:
    return Suite(SuiteRecord(name="mine", sha256="0" * 64), expectations)


def answered(opened, tmp_path, *expectations: dict, **options):
    where = tmp_path / "suite.json"
    failing = tmp_path / "failing.parquet"
    return checked_by_statistics(
        suite_of(*expectations), opened, statistics_of(opened), where=where, failing=failing, **options
    )


def near(value):
    """`value` with room for the rounding of another order of summation."""
    return pytest.approx(value, rel=1e-12) if isinstance(value, float) and math.isfinite(value) else value


def compared(path, opened, tmp_path, expectations) -> list[str]:
    """The answers that differ; a reason in other words is none, but where the column is not there."""
    frame = pd.read_parquet(path)
    theirs = [check.result for check in checked(suite_of(*expectations), frame, where=tmp_path)]
    differing = []
    for ours, other in zip(answered(opened, tmp_path, *expectations), theirs, strict=True):
        same_words = {"reason": other.reason} if ours.reason and other.reason and other.column != "nowhere" else {}
        alike = ours.model_copy(update={"observed": other.observed, **same_words}) == other
        if not alike or ours.observed != near(other.observed):
            differing.append(f"\n  ours   {ours}\n  theirs {other}")
    return differing


def test_the_dozen_is_answered_as_on_the_whole_table(faulty, table, tmp_path):
    assert not compared(faulty, table(faulty), tmp_path, DOZEN)


def test_every_kind_of_column_is_answered_as_on_the_whole_table(faulty, table, tmp_path):
    path = tmp_path / "some.parquet"
    parquet.write_table(parquet.read_table(faulty).slice(0, 700), path)
    assert not compared(path, table(path), tmp_path, OTHERS)


def test_different_values_and_their_shares_are_answered_as_on_the_whole_table(faulty, table, tmp_path):
    assert not compared(faulty, table(faulty), tmp_path, OF_VALUES)


def test_conditions_on_rows_are_answered_as_on_the_whole_table(faulty, table, tmp_path):
    assert not compared(faulty, table(faulty), tmp_path, CONDITIONAL)


def test_a_table_without_rows_is_answered_likewise(faulty, table, tmp_path):
    path = tmp_path / "empty.parquet"
    parquet.write_table(parquet.read_table(faulty).slice(0, 0), path)
    rows = [e for e in (*DOZEN, *OTHERS) if "_values_to_" in e["type"] and "quantile" not in e["type"]]
    theirs = [check.result for check in checked(suite_of(*rows), pd.read_parquet(path), where=tmp_path)]
    ours = answered(table(path), tmp_path, *rows)
    assert [(r.failing, r.first_ids) for r in ours] == [(r.failing, r.first_ids) for r in theirs]


@pytest.fixture
def found(faulty, table, tmp_path):
    """The dozen's results, and the failing ids in the file by position."""
    results = answered(table(faulty), tmp_path, *DOZEN)
    ids: dict[int, list[str]] = {}
    for row in parquet.read_table(tmp_path / "failing.parquet").to_pylist():
        ids.setdefault(row["expectation"], []).append(row["id"])
    return results, ids


def test_failing_rows_are_written_by_expectation_and_id(found, faulty):
    results, ids = found
    frame = pd.read_parquet(faulty)
    assert ids[3] == sorted(set(frame.id[(frame.width < 2) | (frame.width > 60)]))
    assert [len(ids.get(position, ())) for position, r in enumerate(results, start=1) if position != 4] == [
        r.failing for position, r in enumerate(results, start=1) if position != 4
    ]


def test_a_repeated_id_is_written_once(found):
    results, ids = found
    assert (results[3].failing, ids[4]) == (2, ["s000017"])


def test_failing_rows_are_cut_off_at_the_bound(faulty, table, tmp_path):
    results = answered(table(faulty), tmp_path, DOZEN[2], most_ids=FIRST_IDS)
    assert parquet.read_metadata(tmp_path / "failing.parquet").num_rows == FIRST_IDS < results[0].failing


def test_many_parts_find_what_one_finds(faulty, table, tmp_path, monkeypatch):
    questions = [e for e in (*DOZEN, *OTHERS) if "unique" in e["type"] and e["kwargs"]["column"] != "nowhere"]
    once = answered(table(faulty), tmp_path, *questions)
    failing = parquet.read_table(tmp_path / "failing.parquet")
    monkeypatch.setattr(repetition, "BYTES_A_VALUE", 20_000)
    assert answered(table(faulty), tmp_path, *questions) == once
    assert parquet.read_table(tmp_path / "failing.parquet") == failing


def test_repeated_ids_do_not_shorten_the_file(table, tmp_path):
    opened = table({"id": [f"{number // 20:05d}" for number in range(2000)], "x": [0] * 2000})
    answered(opened, tmp_path, expected("column_values_to_be_between", "x", min_value=1), most_ids=50)
    ids = parquet.read_table(tmp_path / "failing.parquet")["id"].to_pylist()
    assert ids == [f"{number:05d}" for number in range(50)]


def test_a_table_without_ids_is_refused(table, tmp_path):
    with pytest.raises(DataFault, match="has no column 'id'"):
        answered(table({"x": [1]}), tmp_path, DOZEN[2])


@pytest.mark.parametrize(
    ("expectation", "reason"),
    [
        (
            expected("column_values_to_be_between", "width", min_value=1, row_condition="a | b", **CONDITION),
            "the row_condition",
        ),
        (expected("column_value_lengths_to_equal", "label", value=3), "is not answered from statistics"),
        (
            expected("column_values_to_be_in_set", "label", value_set=[1]),
            "cannot be compared with a column of kind text",
        ),
        (expected("column_values_to_match_regex", "label", regex="("), "is no regular expression"),
        (expected("column_values_to_match_regex", "width", regex="1"), "has no text"),
    ],
    ids=["condition", "another", "kinds", "pattern", "numbers"],
)
def test_what_is_not_understood_could_not_be_checked(faulty, table, tmp_path, expectation, reason):
    result = answered(table(faulty), tmp_path, expectation)[0]
    assert (result.status, result.failing) == ("could not check", 0)
    assert reason in result.reason


def test_a_wrong_argument_is_refused(faulty, table, tmp_path):
    with pytest.raises(DataFault, match="is not valid"):
        answered(table(faulty), tmp_path, expected("column_values_to_not_be_null", "label", mostly=7))


def test_columns_that_the_statistics_lack_are_read(faulty, table, tmp_path):
    opened = table(faulty)
    few = statistics_of(opened, columns=["label"])
    where = {"where": tmp_path, "failing": tmp_path / "failing.parquet"}
    whole = checked_by_statistics(suite_of(*DOZEN), opened, statistics_of(opened), **where)
    assert checked_by_statistics(suite_of(*DOZEN), opened, few, **where) == whole
