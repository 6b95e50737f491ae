"""What changed is named, and the edit that is proposed does accept it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from edgeloop.data.anomalies import Anomaly, anomalies
from edgeloop.data.suite import Suite, checked
from edgeloop.data.verdict import SuiteRecord

pytestmark = pytest.mark.slow  # Great Expectations takes seconds to import

FRAME = pd.DataFrame(
    {
        "id": [f"s{n}" for n in range(10)],
        "mode": ["L"] * 7 + ["RGB", "RGB", "CMYK"],
        "width": [24] * 8 + [30, 4000],
        "mean": [1.5] * 8 + [None, None],
        "group": [None] * 10,
        "split": ["train"] * 6 + ["test"] * 3 + ["val"],
        "readable": [True] * 9 + [False],
        "splits_of_group": [1] * 9 + [2],
    }
)


def one(kind: str, kwargs: dict, *, severity: str = "warning") -> dict:
    return {"type": f"expect_{kind}", "kwargs": kwargs, "severity": severity, "notes": "it is as it was"}


def found(*expectations: dict) -> tuple[Anomaly, ...]:
    suite = Suite(SuiteRecord(name="s", sha256="0"), expectations)
    results = [check.result for check in checked(suite, FRAME, where=Path("suite.json"))]
    return anomalies(expectations, results, FRAME)


SHARES = {"values": ["train", "val", "test"], "weights": [0.4, 0.3, 0.3]}
CHANGED = [
    one("column_values_to_be_between", {"column": "width", "min_value": 20, "max_value": 28}),
    one("column_values_to_be_between", {"column": "width", "max_value": 28, "mostly": 0.9}),
    one("column_values_to_be_between", {"column": "width", "min_value": 25, "mostly": 0.5}),
    one("column_values_to_be_between", {"column": "width", "max_value": 24, "strict_max": True}),
    one("column_values_to_be_in_set", {"column": "mode", "value_set": ["L"]}),
    one("column_values_to_be_in_set", {"column": "mode", "value_set": ["L"], "mostly": 0.9}),
    one("column_values_to_not_be_null", {"column": "mean", "mostly": 0.9}),
    one(
        "column_values_to_not_be_null",
        {"column": "mean", "mostly": 0.95, "row_condition": "readable", "condition_parser": "pandas"},
    ),
    one("column_distinct_values_to_contain_set", {"column": "mode", "value_set": ["L", "P"]}),
    one("column_distinct_values_to_be_in_set", {"column": "mode", "value_set": ["L"]}),
    one("column_distinct_values_to_equal_set", {"column": "mode", "value_set": ["L"]}),
    one("column_unique_value_count_to_be_between", {"column": "mode", "max_value": 1}),
    one("column_mean_to_be_between", {"column": "width", "max_value": 30}),
    one("table_row_count_to_be_between", {"min_value": 100}),
    one("table_columns_to_match_set", {"column_set": ["id", "nope"], "exact_match": False}),
    one("column_kl_divergence_to_be_less_than", {"column": "split", "partition_object": SHARES, "threshold": 0.02}),
]


def test_every_edit_accepts_what_was_found():
    edits = [anomaly.edit for anomaly in found(*CHANGED)]
    assert len(edits) == len(CHANGED)
    assert found(*edits) == ()


def test_an_edit_keeps_severity_and_words():
    (anomaly,) = found(one("column_values_to_be_in_set", {"column": "mode", "value_set": ["L"]}, severity="critical"))
    assert (anomaly.edit["severity"], anomaly.edit["notes"]) == ("critical", "it is as it was")
    assert anomaly.edit["kwargs"]["value_set"] == ["L", "RGB", "CMYK"]


def test_the_line_says_what_was_expected_what_was_found_and_how_often():
    (anomaly,) = found(one("column_values_to_be_between", {"column": "width", "min_value": 20, "max_value": 28}))
    assert anomaly.line() == "it is as it was: expected width from 20 to 28, found 2 above, up to 4,000, 2 samples"


def test_an_edit_lets_in_no_more_than_it_has_to():
    (anomaly,) = found(one("column_values_to_be_between", {"column": "width", "max_value": 28, "mostly": 0.9}))
    assert anomaly.edit["kwargs"]["max_value"] == 30


@pytest.mark.parametrize(
    "expectation",
    [
        one("column_values_to_be_in_set", {"column": "readable", "value_set": [True]}, severity="critical"),
        one("column_values_to_be_between", {"column": "splits_of_group", "max_value": 1}, severity="critical"),
    ],
)
def test_damage_has_a_remedy_and_no_edit(expectation):
    (anomaly,) = found(expectation)
    assert (anomaly.edit, anomaly.samples) == (None, 1)
    assert "edgeloop data quarantine" in anomaly.remedy


def test_another_type_is_named():
    (anomaly,) = found(one("column_values_to_be_of_type", {"column": "width", "type_": "str"}))
    assert (anomaly.found, anomaly.edit) == ("values of type int64", None)


@pytest.mark.parametrize("column", ["nope", "group"])
def test_what_could_not_be_checked_stays_that(column):
    (anomaly,) = found(one("column_values_to_be_between", {"column": column, "min_value": 1}))
    assert (anomaly.status, anomaly.edit) == ("could not check", None)
    assert "until it can be checked" in anomaly.remedy


def test_what_was_met_is_no_anomaly():
    assert found(one("column_values_to_not_be_null", {"column": "id"})) == ()


def test_an_unknown_type_is_named_without_an_edit():
    (anomaly,) = found(one("column_value_lengths_to_equal", {"column": "mode", "value": 1}))
    assert (anomaly.edit, anomaly.samples) == (None, 3)


def test_anomalies_are_json():
    assert json.dumps([anomaly.values() for anomaly in found(*CHANGED)])
