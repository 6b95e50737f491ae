"""The contest's arithmetic: blocks of queries, ratios by round, and which rival counts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from benchmarks.optimize import lines
from benchmarks.optimize.contest import CHOSEN, Result, query_ms, rounds_of
from benchmarks.optimize.subjects import SUBJECTS

SUBJECT = SUBJECTS["mlp"]


def result(name: str, ms: list[float], *, drop: float = 0.0, variant: str = "onnx-int8") -> Result:
    rounds_ms = {(0, number): value for number, value in enumerate(ms)}
    return Result(name, variant, "onnxruntime", accuracy=0.9 - drop, drop=drop, rounds_ms=rounds_ms, reason="")


def test_queries_of_microseconds_are_taken_in_blocks_of_twenty():
    latencies_ns = np.tile([1_000.0] * 19 + [21_000.0], 3)
    assert query_ms(latencies_ns, block=1) == pytest.approx(0.002)


def test_samples_that_are_blocks_already_are_taken_together_until_they_hold_twenty():
    latencies_ns = np.tile([1_000.0] * 4 + [6_000.0], 8)
    assert query_ms(latencies_ns, block=4) == pytest.approx(0.002)


def test_a_query_of_a_millisecond_is_looked_at_alone():
    assert query_ms(np.array([1e6] * 19 + [50e6]), block=1) == 1.0


def test_a_round_that_was_disturbed_is_left_out(tmp_path: Path):
    table = {
        "candidate": ["a", "a"], "restart": [0, 0], "round": [0, 1], "kept": [True, False],
        "latency_ns": [1e6, 9e6], "block": [1, 1],
    }  # fmt: skip
    parquet.write_table(pa.table(table), tmp_path / "samples.parquet")
    assert rounds_of(tmp_path / "samples.parquet") == {"a": {(0, 0): 1.0}}


def test_a_ratio_is_of_rounds_that_both_kept():
    slow = replace(result("slow", [4.0, 8.0]), rounds_ms={(0, 1): 8.0, (0, 2): 1.0})
    assert result("fast", [1.0, 2.0, 0.1]).times_faster(slow) == [4.0, 10.0]


def test_a_rival_that_loses_too_much_does_not_count():
    results = {
        CHOSEN: result(CHOSEN, [1.0]),
        "fastest": result("fastest", [0.1], drop=SUBJECT.max_drop + 0.001),
        "right": result("right", [2.0], drop=SUBJECT.max_drop),
    }
    best = lines.best_rival(SUBJECT, results)
    assert best is not None and best.name == "right"


def test_a_rival_that_was_not_measured_is_shown_without_a_time():
    lost = replace(result("lost", []), reason="contended")
    assert lines.shown(lost).startswith("no time: contended")


def test_int8_is_compared_with_float_on_its_own_runtime():
    results = {
        CHOSEN: result(CHOSEN, [1.0]),
        "float": result("float", [3.5], variant="onnx-fp32"),
        "elsewhere": replace(result("elsewhere", [99.0], variant="litert-fp32"), runtime="litert"),
    }
    ((_, measured, _),) = lines.over_float(SUBJECT, results)
    assert measured.startswith("3.50 ")


def test_every_subject_ends_at_the_size_it_is_timed_at():
    sides = {slug: subject.courses[-1].params.image.height for slug, subject in SUBJECTS.items()}
    assert sides == {"mlp": 28, "mobilenet_v2": 96, "resnet": 224, "yolo_tiny": 320}


def test_what_judges_a_subject_was_in_train_of_none_of_its_courses():
    for subject in SUBJECTS.values():
        first, *later = (course.data for course in subject.courses)
        assert all(data == first for data in later)
