"""Order statistics found in rounds equal those of the sorted column."""

import math

import numpy as np
import pytest

from edgeloop.data.statistics import ranks
from edgeloop.data.statistics.ranks import Rung, order_statistics

DRAW = np.random.default_rng(3)
COLUMNS = {
    "normal": DRAW.normal(size=3000),
    "far from zero": 1e9 + DRAW.normal(size=3000),
    "below zero": -DRAW.lognormal(sigma=3, size=3000),
    "half zeros": np.where(DRAW.random(3000) < 0.5, 0.0, DRAW.normal(size=3000)),
    "near zero": np.concatenate([DRAW.normal(size=2000) * 1e-200, [1e9, -1e9, 5e-324, -5e-324]]),
    "few values": DRAW.choice([-2.5, 0.1, 7.0], 3000),
    "all decades": DRAW.choice([-1.0, 1.0], 3000) * 10.0 ** DRAW.uniform(-300, 300, 3000),
    "widest": np.array([1.7e308, -1.7e308, 0.0, -0.0]),
    "neighbours": np.array([1.0, math.nextafter(1.0, 2), math.nextafter(1.0, 0)]),
    "one": np.full(10, 3.25),
    "two": np.array([0.0, 5e-324] * 5),
}


def sorted_rungs(column: np.ndarray, wanted: list[int]) -> dict[int, Rung]:
    ordered = np.sort(column)
    return {
        rank: Rung(
            float(ordered[rank]),
            int(np.searchsorted(ordered, ordered[rank], "left")),
            int(np.searchsorted(ordered, ordered[rank], "right")),
        )
        for rank in wanted
    }


def found(column: np.ndarray, wanted: list[int]) -> tuple[dict[int, Rung], int]:
    """The rungs, and how often the column was read."""
    readings = 0

    def blocks() -> list[np.ndarray]:
        nonlocal readings
        readings += 1
        return np.array_split(column, 7)

    low, high = float(column.min()), float(column.max())
    return order_statistics(blocks, ranks=wanted, minimum=low, maximum=high, count=column.size), readings


@pytest.mark.parametrize("early", [1, 1000])
@pytest.mark.parametrize("held", [0, 100, 1 << 20])
@pytest.mark.parametrize("name", COLUMNS)
def test_ranks_are_those_of_the_sorted_column(name, held, early, monkeypatch):
    monkeypatch.setattr(ranks, "COLLECTED", held)
    monkeypatch.setattr(ranks, "EARLY", early)
    column = COLUMNS[name]
    wanted = sorted({0, 1, column.size // 10, column.size // 2, column.size - 1})
    assert found(column, wanted)[0] == sorted_rungs(column, wanted)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_is_read_a_few_times(name, monkeypatch):
    monkeypatch.setattr(ranks, "COLLECTED", 100)
    column = COLUMNS[name]
    assert found(column, [column.size // 10, column.size // 2])[1] <= 6


def test_equal_values_need_no_reading():
    assert found(COLUMNS["one"], [0, 9])[1] == 0


@pytest.mark.parametrize(("name", "readings"), [("normal", 1), ("half zeros", 1), ("sorted", 2)])
def test_a_column_is_read_once_where_its_first_values_are_like_the_others(name, readings, monkeypatch):
    monkeypatch.setattr(ranks, "COLLECTED", 2000)
    monkeypatch.setattr(ranks, "EARLY", 1000)
    column = {**COLUMNS, "sorted": np.sort(COLUMNS["normal"])}[name]
    wanted = [30, 1500, 2900]
    assert found(column, wanted) == (sorted_rungs(column, wanted), readings)


def test_a_small_column_is_read_once():
    assert found(COLUMNS["normal"], [0, 700])[1] == 1
