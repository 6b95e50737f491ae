"""A suite proposed from data: what it says, and that it accepts the data that it came from."""

import json

import numpy as np
import pytest

from edgeloop import plugins
from edgeloop.data.inference import inferred_suite, suite_text
from edgeloop.data.preparation import PrepareDataParams, prepare
from edgeloop.data.suite import ENVIRONMENTS
from edgeloop.data.usual_ranges import usual_range


def written(pictures, work, **params):
    prepare(
        PrepareDataParams(source="image_folder", path=pictures, **params),
        dataset=work / "dataset",
        profile=work / "profile.json",
    )
    return inferred_suite(work / "dataset", work / "profile.json", name="mine")


@pytest.fixture
def suite(pictures, tmp_path):
    return written(pictures, tmp_path / "work")


def about(suite, kind, column):
    """The one expectation of that type about that column."""
    (found,) = [
        e for e in suite["expectations"] if (e["type"], e["kwargs"].get("column")) == (f"expect_{kind}", column)
    ]
    return found


def test_every_expectation_has_plain_words_and_a_severity(suite):
    assert all(e["notes"] and e["severity"] in ("critical", "warning", "info") for e in suite["expectations"])


def test_no_expectation_is_there_twice(suite):
    said = [json.dumps([e["type"], e["kwargs"]]) for e in suite["expectations"]]
    assert len(said) == len(set(said))


def test_what_is_always_true_is_taken_from_the_shipped_suite(suite, root):
    shipped = json.loads((root / "suites/images.json").read_text())["expectations"]
    notes = {e["notes"] for e in suite["expectations"]}
    assert {e["notes"] for e in shipped if e["severity"] == "critical"} <= notes


def test_a_shipped_guess_gives_way_to_what_was_seen(suite):
    assert "no picture is blank" not in {e["notes"] for e in suite["expectations"]}
    assert about(suite, "column_values_to_be_between", "std")["severity"] == "warning"


def test_the_classes_are_those_that_were_seen(suite):
    known = about(suite, "column_values_to_be_in_set", "label")
    assert (known["kwargs"]["value_set"], known["severity"]) == (["cat", "dog", "owl"], "critical")
    assert about(suite, "column_distinct_values_to_contain_set", "label")["severity"] == "critical"


def test_a_text_column_of_few_values_has_no_other(suite):
    assert about(suite, "column_values_to_be_in_set", "mode")["kwargs"]["value_set"] == ["L"]


def test_a_text_column_of_many_values_has_a_type_only(suite):
    assert about(suite, "column_values_to_be_of_type", "dhash")["kwargs"]["type_"] == "str"


def test_the_smallest_class_may_lose_half(suite):
    assert about(suite, "column_values_to_be_between", "class_balance")["kwargs"]["min_value"] == 0.3  # 12 of 20


def test_the_shares_of_the_splits_add_up(suite):
    shares = about(suite, "column_kl_divergence_to_be_less_than", "split")["kwargs"]["partition_object"]
    assert sum(round(1000 * share) for share in shares["weights"]) == 1000


@pytest.mark.parametrize("column", ["label", "split", "splits_of_bytes", "class_balance"])
def test_what_speaks_of_labels_or_splits_is_for_training(suite, column):
    found = [e for e in suite["expectations"] if e["kwargs"].get("column") == column]
    assert found and all(e["meta"] == {"environments": ["training"]} for e in found)


def test_what_looks_at_boxes_is_for_training():
    from edgeloop.data.features.detection import BOX_COLUMNS
    from edgeloop.data.inference import _OF_LABELS_OR_SPLITS

    assert {column.name for column in BOX_COLUMNS} <= set(_OF_LABELS_OR_SPLITS)


def test_one_outlier_moves_no_range(pictures, tmp_path, picture):
    before = about(written(pictures, tmp_path / "a"), "column_values_to_be_between", "size_bytes")
    picture(pictures / "cat/huge.png", 999, side=600)
    after = about(written(pictures, tmp_path / "b"), "column_values_to_be_between", "size_bytes")
    assert after["kwargs"]["max_value"] == before["kwargs"]["max_value"]


def test_a_range_is_widened_by_half_of_what_it_spans():
    values = np.arange(1000.0, 1101.0)  # one value aside at each end
    assert usual_range(values, whole=True) == (952, 1148, 0.98)


def test_a_range_goes_below_zero_only_where_values_do():
    assert usual_range(np.array([0.0, 1, 2, 3]), whole=True)[0] == 0
    assert usual_range(np.array([-3.0, -2, 1, 2]), whole=True)[0] < 0


def test_a_constant_is_a_range_of_one_value():
    assert usual_range(np.full(100, 24.0), whole=True) == (24, 24, 0.98)


@pytest.mark.parametrize("values", [[0.123456], [0.5, 0.7], [123456.0, 123457.0, 123999.0], [1e-7, 2e-7, 3e-7, 4e-7]])
def test_ends_are_rounded_outwards(values):
    low, high, _ = usual_range(np.array(values), whole=False)
    middle = sorted(values)[1:-1] or values
    assert low <= min(middle) <= max(middle) <= high


def test_the_bytes_are_the_same_at_every_run(pictures, tmp_path):
    first, second = (suite_text(written(pictures, tmp_path / name)) for name in ("a", "b"))
    assert first == second


def test_a_suite_is_one_expectation_a_line(suite):
    text = suite_text(suite)
    assert json.loads(text) == suite
    assert len(text.splitlines()) == len(suite["expectations"]) + 6


def test_what_is_added_to_the_shipped_stays_small(suite, root):
    shipped = json.loads((root / "suites/images.json").read_text())["expectations"]
    columns = plugins.load("features", "image").columns
    assert len(suite["expectations"]) <= len(shipped) + 1.5 * len(columns)


@pytest.mark.parametrize(
    ("shipped", "implied"), [((0, 10), True), ((None, 10), False), ((0, 11), False), ((2, 3), True)]
)
def test_a_range_that_a_critical_one_implies_is_not_stated_again(shipped, implied):
    from edgeloop.data.inference import _implies

    def between(low, high, severity):
        kwargs = {"column": "x", "min_value": low, "max_value": high}
        return {"type": "expect_column_values_to_be_between", "kwargs": kwargs, "severity": severity}

    assert _implies(between(*shipped, "critical"), between(0, 10, "warning")) is implied
    assert not _implies(between(*shipped, "warning"), between(0, 10, "warning"))


@pytest.mark.slow  # Great Expectations takes seconds to import
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_suite_accepts_the_data_that_it_came_from(pictures, tmp_path, environment):
    from edgeloop.data.validation import ValidateDataParams, validate

    work = tmp_path / "work"
    path = tmp_path / "mine.json"
    path.write_text(suite_text(written(pictures, work)))
    verdict = validate(
        ValidateDataParams(suite=path, environment=environment),
        dataset=work / "dataset",
        profile=work / "profile.json",
        validation=work / "validation",
        report=work / "report.html",
    )
    assert [r for r in verdict.expectations if r.status != "pass"] == []
    assert (verdict.suite.left_out > 0) == (environment == "serving")
