"""Merged parts are the whole: exactly where that is promised, and labelled where it is not."""

import numpy as np
import pyarrow.parquet as parquet
import pytest

from edgeloop.data.statistics import merged, statistics_of
from edgeloop.data.statistics.values import LISTED_VALUES
from edgeloop.errors import DataFault

ROLES = {"split": "split", "label": "label", "condition": "condition"}
NUMBERS = ("width", "gappy", "normal", "heavy", "endless", "flag")


@pytest.fixture
def parts(faulty, table, tmp_path):
    """The whole, and two parts of it that share its edges."""
    whole = statistics_of(table(faulty), **ROLES)
    edges = {column.name: column.edges for column in whole.columns if column.counts}
    rows = parquet.read_table(faulty)
    found = []
    for name, start, length in (("a", 0, 13_000), ("b", 13_000, None)):
        path = tmp_path / f"{name}.parquet"
        parquet.write_table(rows.slice(start, length), path)
        found.append(statistics_of(table(path), **ROLES, edges=edges))
    return whole, *found


def test_counts_extremes_bins_and_groups_are_exact(parts):
    whole, first, second = parts
    found = merged(first, second)
    assert (found.rows, found.groups) == (whole.rows, whole.groups)
    exact = ("count", "nulls", "nans", "negative_infinities", "positive_infinities", "minimum", "maximum", "counts")
    for name in exact:
        assert [getattr(c, name) for c in found.columns] == [getattr(c, name) for c in whole.columns]


@pytest.mark.parametrize("name", NUMBERS)
def test_moments_are_within_rounding(parts, name):
    whole, first, second = parts
    found, expected = merged(first, second).column(name), whole.column(name)
    assert (found.mean, found.m2) == (pytest.approx(expected.mean, rel=1e-13), pytest.approx(expected.m2, rel=1e-13))


def test_the_order_of_the_parts_makes_no_difference(parts):
    _, first, second = parts
    assert merged(first, second) == merged(second, first)


@pytest.mark.parametrize("name", NUMBERS)
def test_quantiles_come_from_the_bins_and_say_so(parts, name):
    whole, first, second = parts
    found, expected = merged(first, second).column(name), whole.column(name)
    assert (expected.quantiles_from, found.quantiles_from) == ("values", "bins")
    for level, value in found.quantiles.items():
        places = np.searchsorted(expected.edges, [value, expected.quantiles[level]], side="right")
        assert abs(places[0] - places[1]) <= 1


def test_listed_values_stay_exact(parts):
    whole, first, second = parts
    assert merged(first, second).column("label").listed == whole.column("label").listed


def test_other_distinct_counts_become_a_lower_bound(parts):
    whole, first, second = parts
    found = merged(first, second).column("serial")
    assert (found.distinct_is, found.listed, found.listed_are) == ("at least", (), "none")
    assert LISTED_VALUES < found.distinct <= whole.column("serial").distinct


def test_a_part_without_values_changes_nothing_but_nulls(parts, table):
    whole = statistics_of(table({"x": [1.0, 2.0, None]}))
    nothing = statistics_of(table({"x": np.array([np.nan, np.inf])}))
    found = merged(nothing, whole).columns[0]
    assert (found.count, found.nulls, found.nans, found.positive_infinities) == (2, 1, 1, 1)
    assert (found.quantiles, found.edges, found.mean) == (
        whole.columns[0].quantiles, whole.columns[0].edges, whole.columns[0].mean,
    )  # fmt: skip


def test_other_edges_are_refused(table):
    first, second = statistics_of(table({"x": [1.0, 2.0]})), statistics_of(table({"x": [3.0, 4.0]}))
    with pytest.raises(DataFault, match="the bins of 'x' have different edges"):
        merged(first, second)


def test_other_columns_are_refused(table):
    with pytest.raises(DataFault, match="different columns"):
        merged(statistics_of(table({"x": [1.0]})), statistics_of(table({"y": [1.0]})))
