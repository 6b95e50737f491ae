import numpy as np
import pandas as pd
import pytest

from edgeloop.data.spreads import Row, Spread, drawn, spreads_of
from edgeloop.data.suite import Checked
from edgeloop.data.verdict import ExpectationResult

IDS = tuple(f"{n:02d}" for n in range(20))


@pytest.fixture
def frame() -> pd.DataFrame:
    labels = ["cat", "dog"] * 10
    return pd.DataFrame(
        {"id": IDS, "label": labels, "blur": np.arange(20.0), "copies": [1, 2] * 10, "mode": ["L"] * 20}
    )


def failed(column: str, *ids: str, **expected) -> Checked:
    result = ExpectationResult(
        name="expect_column_values_to_be_between", column=column, severity="warning", status="fail",
        says="is <sharp>", expected=expected or {"max_value": 15},
    )  # fmt: skip
    return Checked(result, ids)


def test_a_feature_at_fault_is_shown_by_class_and_by_condition(frame):
    found = spreads_of(frame, [failed("blur", "18")], {"place": ["town"] * 20, "condition": ["day", "night"] * 10})
    assert [(s.by, [row.name for row in s.rows]) for s in found] == [
        ("class", ["cat", "dog"]),
        ("condition", ["day", "night"]),
    ]


def test_values_at_fault_are_marked_in_their_row(frame):
    (found,) = spreads_of(frame, [failed("blur", "18", "19")], {})
    assert [row.faulty for row in found.rows] == [(18.0,), (19.0,)]
    assert found.limits == (15.0,)


def test_without_classes_and_conditions_all_samples_are_one_row(frame):
    (found,) = spreads_of(frame.assign(label=None), [failed("blur", "18")], {})
    assert [(row.name, len(row.values)) for row in found.rows] == [("all", 20)]


def test_samples_that_could_not_be_read_have_no_value(frame):
    frame.loc[3, "blur"] = np.nan
    (found,) = spreads_of(frame, [failed("blur", "18")], {})
    assert sum(len(row.values) for row in found.rows) == 19


@pytest.mark.parametrize("check", [failed("copies", "01"), failed("mode", "01"), failed("gone", "01"), failed("blur")])
def test_counts_texts_and_what_names_no_sample_are_not_drawn(frame, check):
    assert spreads_of(frame, [check], {}) == []


def test_a_picture_says_in_words_what_it_shows_and_escapes_names():
    shown = Spread("blur", "warning", "is sharp", "class", (Row("<b>", (1.0, 2.0, 3.0), (3.0,)),), (2.5,))
    text = drawn(shown).__html__()
    assert "&lt;b&gt;: median 2" in text
    assert "<b>" not in text


@pytest.mark.parametrize("values", [(5.0,), (0.0, 0.0), (1e-300, 1e300), (-3.0, 1000.0)])
def test_any_finite_values_can_be_drawn(values):
    assert "nan" not in drawn(Spread("x", "info", "", "class", (Row("a", values, values),), ())).__html__()


def test_a_value_in_another_unit_leaves_the_others_apart():
    values = (*np.linspace(1, 2, 99), 1000.0)
    text = drawn(Spread("x", "info", "", "class", (Row("a", values, (1000.0,)),), ())).__html__()
    width = float(text.split('class="half"')[0].rsplit('width="', 1)[1].split('"')[0])
    assert width > 10
