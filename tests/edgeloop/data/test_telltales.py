"""A column that tells the class alone is named, and one that only helps is not."""

import numpy as np
import pandas as pd
import pytest

from edgeloop.canonical import sha256_of_bytes
from edgeloop.data.telltales import telltales

ROWS = 150


def table(rows=ROWS, **columns):
    labels = [("setosa", "virginica", "other")[n % 3] for n in range(rows)]
    return pd.DataFrame({"label": labels, "sha256": [sha256_of_bytes(b"%d" % n) for n in range(rows)], **columns})


def told(frame, *names):
    return telltales(frame, names or [name for name in frame if name not in ("label", "sha256")])


@pytest.mark.parametrize("names", [(7, 8, 9), (0.5, -1.25, 1e6), ("E11", "I10", "J45")], ids=["int", "float", "text"])
def test_the_target_by_another_name_is_named(names):
    assert told(table(code=[names[n % 3] for n in range(ROWS)])) == ("code",)


def test_the_target_with_a_little_noise_is_named():
    noise = np.random.default_rng(0).normal(0, 0.01, ROWS)
    assert told(table(score=np.arange(ROWS) % 3 + noise)) == ("score",)


def test_the_place_in_a_sorted_file_is_named():
    frame = table(row=range(ROWS)).assign(label=lambda frame: np.where(frame["row"] < 75, "a", "b"))
    assert told(frame) == ("row",)


def test_a_value_that_only_one_class_has_is_named_by_its_absence():
    frame = table(discharged=[None if n % 2 else f"2026-01-{n}" for n in range(ROWS)])
    frame["label"] = ["ill" if n % 2 else "well" for n in range(ROWS)]
    assert told(frame) == ("discharged (whether given)",)


def test_ids_are_not_named():
    drawn = np.random.default_rng(0).permutation(ROWS)
    assert told(table(name=[f"flower {n}" for n in range(ROWS)], number=drawn)) == ()


def test_a_good_feature_is_not_named():
    place = np.arange(ROWS) % 3 + np.random.default_rng(0).normal(0, 0.25, ROWS)
    assert told(table(width=place)) == ()


def test_a_column_that_misses_a_rare_class_is_not_named():
    frame = table(rows=1000, code=["a"] * 1000)
    frame["label"] = ["rare" if n < 5 else "usual" for n in range(1000)]
    assert told(frame) == ()


def test_columns_of_one_value_or_none_are_not_named():
    assert told(table(one=[1] * ROWS, none=[None] * ROWS, nan=[float("nan")] * ROWS)) == ()


def test_a_few_rows_tell_nothing():
    assert told(table(rows=48, code=[n % 3 for n in range(48)])) == ()


def test_rows_without_a_class_tell_nothing():
    assert told(table(code=[n % 3 for n in range(ROWS)]).assign(label=None)) == ()


def test_the_order_of_the_rows_is_nothing():
    frame = table(width=np.arange(ROWS) % 3 + np.random.default_rng(0).normal(0, 0.17, ROWS), code=np.arange(ROWS) % 3)
    assert told(frame) == told(frame.sample(frac=1, random_state=1).reset_index(drop=True))


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_no_column_of_well_known_tables_is_named(name):
    from sklearn import datasets

    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    ids = [sha256_of_bytes(b"%d" % n) for n in range(len(frame))]
    assert told(frame.rename(columns={"target": "label"}).assign(sha256=ids)) == ()
