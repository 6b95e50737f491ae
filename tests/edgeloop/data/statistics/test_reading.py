"""The statistics of a table equal those that numpy takes of the same columns in memory."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.parquet as parquet
import pytest

from edgeloop.data.profile import bin_counts
from edgeloop.data.statistics import ranks, reading, statistics_of
from edgeloop.data.statistics.values import QUANTILES, TableStatistics
from edgeloop.errors import DataFault

ROLES = {"split": "split", "label": "label", "condition": "condition"}
NUMBERS = ("width", "gappy", "normal", "heavy", "endless")


def quantiles_of(column: np.ndarray) -> dict[str, float]:
    found = np.quantile(column, QUANTILES)
    return {f"{level:g}": float(value) for level, value in zip(QUANTILES, found, strict=True)}


def quantile_edges(column: np.ndarray) -> tuple[float, ...]:
    """The deciles, and the next number after those that fill more than one bin."""
    values, repeats = np.unique(np.quantile(column, np.arange(1, 10) / 10), return_counts=True)
    heavy = values[repeats > 1]
    return tuple(float(edge) for edge in np.unique(np.concatenate([values, np.nextafter(heavy, np.inf)])))


def finite(path, name: str) -> np.ndarray:
    column = np.array([v for v in parquet.read_table(path)[name].to_pylist() if v is not None], dtype=np.float64)
    return column[np.isfinite(column)]


@pytest.fixture(scope="module")
def statistics(faulty, tmp_path_factory) -> TableStatistics:
    from edgeloop.data.statistics import opened

    with opened(faulty, memory_mib=200, threads=2, scratch=tmp_path_factory.mktemp("scratch")) as table:
        return statistics_of(table, **ROLES)


def test_every_row_is_in_one_group(statistics):
    assert statistics.rows == sum(group.rows for group in statistics.groups) == 20_000
    assert sum(statistics.rows_by_condition().values()) == 20_000


def test_groups_are_those_of_the_columns(statistics, faulty):
    table = parquet.read_table(faulty, columns=["split", "label"])
    found = statistics.rows_by_split_and_class()["train"]
    labels = table.filter(compute.equal(table["split"], "train"))["label"].to_pylist()
    assert found == {
        label: labels.count(label or None) for label in sorted({v or "" for v in table["label"].to_pylist()})
    }


@pytest.mark.parametrize("name", NUMBERS)
def test_quantiles_are_those_of_numpy(statistics, faulty, name):
    assert statistics.column(name).quantiles == quantiles_of(finite(faulty, name))


@pytest.mark.parametrize("name", NUMBERS)
def test_bins_are_those_between_the_deciles_of_numpy(statistics, faulty, name):
    column = finite(faulty, name)
    found = statistics.column(name)
    assert found.edges == quantile_edges(column)
    assert found.counts == bin_counts(column, found.edges)


@pytest.mark.parametrize("name", NUMBERS)
def test_moments_are_the_exact_ones_but_for_rounding(statistics, faulty, name):
    column = finite(faulty, name)
    found = statistics.column(name)
    mean = math.fsum(column) / column.size
    assert found.mean == pytest.approx(mean, rel=1e-14)
    assert found.m2 == pytest.approx(math.fsum((column - mean) ** 2), rel=1e-12)
    assert found.std == pytest.approx(column.std(), rel=1e-9)


@pytest.mark.parametrize("name", NUMBERS)
def test_extremes_and_counts_are_those_of_the_finite_values(statistics, faulty, name):
    column = finite(faulty, name)
    found = statistics.column(name)
    assert (found.minimum, found.maximum, found.count) == (column.min(), column.max(), column.size)
    assert found.distinct == len(set(column.tolist()))


def test_what_is_no_number_is_counted_apart(statistics):
    endless, nothing, empty = (statistics.column(name) for name in ("endless", "nothing", "empty"))
    assert (endless.negative_infinities, endless.positive_infinities, endless.count) == (1, 2, 19_997)
    assert (nothing.nans, nothing.nulls, nothing.count, nothing.mean, nothing.counts) == (20_000, 0, 0, None, (0,))
    assert (empty.nans, empty.nulls, empty.count, empty.distinct, empty.minimum) == (0, 20_000, 0, 0, None)


def test_a_boolean_is_zero_or_one(statistics, faulty):
    column = finite(faulty, "flag")
    assert statistics.column("flag").mean == pytest.approx(column.mean(), rel=1e-14)


def test_texts_list_their_most_frequent_values(statistics, faulty):
    found = statistics.column("serial")
    texts = parquet.read_table(faulty)["serial"].to_pylist()
    first = sorted({(-texts.count(entry.value), entry.value) for entry in found.listed})
    assert [(-entry.rows, entry.value) for entry in found.listed] == first
    assert (found.listed_are, len(found.listed), found.distinct) == ("most frequent", 20, len(set(texts)))


@pytest.mark.parametrize("pieces", [1, 3])
def test_other_order_files_and_threads_give_the_same_value(statistics, faulty, table, tmp_path, pieces):
    whole = parquet.read_table(faulty)
    shuffled = whole.take(np.random.default_rng(1).permutation(whole.num_rows))
    folder = tmp_path / "parts"
    folder.mkdir()
    step = -(-whole.num_rows // pieces)
    for number in range(pieces):
        parquet.write_table(shuffled.slice(number * step, step), folder / f"{number}.parquet", row_group_size=997)
    again = statistics_of(table(folder, threads=pieces), **ROLES)
    assert again.values() == statistics.values()


def test_cutting_again_and_again_gives_the_same_ranks(statistics, faulty, table, monkeypatch):
    monkeypatch.setattr(ranks, "COLLECTED", 0)
    assert statistics_of(table(faulty), **ROLES) == statistics


@pytest.mark.parametrize(
    "values",
    [
        [5e-324, 1e-323, 0.0, -5e-324],
        [1.7e308, -1.7e308, 0.0, 1.0],
        [10.0**exponent for exponent in range(-300, 301, 30)],
        [1.0, math.nextafter(1.0, 2), math.nextafter(1.0, 0)],
        [-0.0, 0.0, -0.0],
        [2.0**53, 2.0**53 + 2],
        [3.25],
    ],
    ids=["subnormal", "widest", "decades", "neighbours", "zeros", "large", "one"],
)
def test_extreme_numbers_have_exact_quantiles(table, monkeypatch, values):
    monkeypatch.setattr(ranks, "COLLECTED", 0)
    found = statistics_of(table({"x": values})).columns[0]
    with np.errstate(over="ignore"):
        assert found.quantiles == quantiles_of(np.array(values))
    assert found.edges == quantile_edges(np.array(values))
    assert found.counts == bin_counts(np.array(values), found.edges)
    assert found.distinct == len(set(values))


def test_a_small_spread_far_from_zero_keeps_its_variance(table):
    column = 1e9 + np.random.default_rng(0).normal(size=5000)
    assert statistics_of(table({"x": column})).columns[0].std == pytest.approx(column.std(), rel=1e-9)


def test_given_edges_are_kept(table, faulty):
    found = statistics_of(table(faulty), columns=["endless"], edges={"endless": (-0.5, 0.0, 0.25)}).columns[0]
    assert found.edges == (-0.5, 0.0, 0.25)
    assert found.counts == bin_counts(finite(faulty, "endless"), found.edges)


def test_edges_that_fall_are_refused(table, faulty):
    with pytest.raises(DataFault, match="do not ascend"):
        statistics_of(table(faulty), columns=["width"], edges={"width": (2.0, 1.0)})


def test_a_split_is_looked_at_alone(table, faulty, statistics):
    alone = statistics_of(table(faulty).only("split", "train"), columns=["width"])
    assert alone.rows == statistics.rows_by_split()["train"] == alone.column("width").count


def test_many_different_values_are_an_estimate_and_say_so(table, monkeypatch):
    monkeypatch.setattr(reading, "EXACT_DISTINCT", 100)
    found = statistics_of(table({"x": np.arange(5000.0)})).columns[0]
    assert found.distinct_is == "approximate"
    assert found.distinct == pytest.approx(5000, rel=0.1)


def test_dates_and_bytes_are_counted_only(table):
    columns = {"day": pa.array([1, None], pa.date32()), "bytes": pa.array([b"a", None])}
    found = statistics_of(table(columns)).columns
    assert [(c.kind, c.count, c.nulls, c.distinct) for c in found] == [("opaque", 1, 1, None)] * 2


def test_a_column_without_a_type_has_nulls_only(table):
    found = statistics_of(table({"x": pa.nulls(3)})).columns[0]
    assert (found.count, found.nulls, found.mean, found.distinct) == (0, 3, None, 0)


def test_a_table_without_rows_keeps_its_columns(table):
    columns = {"x": pa.array([], pa.float64()), "t": pa.array([], pa.string())}
    found = statistics_of(table(columns), split="t")
    assert (found.rows, found.groups) == (0, ())
    assert [(c.kind, c.count, c.counts, c.distinct) for c in found.columns] == [
        ("float", 0, (0,), 0),
        ("text", 0, (), 0),
    ]


def test_it_is_read_as_it_was_written(statistics, tmp_path):
    statistics.write(tmp_path / "statistics.json")
    assert TableStatistics.of(tmp_path / "statistics.json") == statistics
