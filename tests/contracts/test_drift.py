"""Every drift detector keeps the same promises."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from edgeloop import plugins
from edgeloop.data.statistics import opened, statistics_of
from edgeloop.drift import FeatureDrift

DETECTORS = plugins.names("drift")
FALSE_ALARMS = 0.01


@pytest.fixture(params=DETECTORS)
def detector(request):
    return plugins.load("drift", request.param)


@pytest.fixture
def described(tmp_path):
    """The statistics of one column."""

    def of(values):
        parquet.write_table(pa.table({"mean": pa.array(values, pa.float64())}), tmp_path / "reference.parquet")
        with opened(tmp_path / "reference.parquet", memory_mib=100, threads=1, scratch=tmp_path) as table:
            return statistics_of(table).columns[0]

    return of


@pytest.fixture
def reference(described):
    return described(np.random.default_rng(0).normal(size=5000))


def judged(detector, reference, values, min_effect=0.0):
    return detector.judge(reference, np.asarray(values), false_alarms=FALSE_ALARMS, min_effect=min_effect)


def test_a_judgement_names_value_threshold_and_rows(detector, reference):
    found = judged(detector, reference, np.zeros(200))
    assert isinstance(found, FeatureDrift)
    assert (found.name, found.status, found.rows) == ("mean", "drift", 200)
    assert found.value > found.threshold


@pytest.mark.parametrize("rows", [100, 500, 5000])
def test_false_alarms_keep_to_what_was_allowed(detector, reference, rows):
    random = np.random.default_rng(rows)
    alarms = [judged(detector, reference, random.normal(size=rows)).status == "drift" for _ in range(400)]
    # 400 windows at 1 %: more than 12 alarms happen in one of 10,000 runs of a correct detector
    assert sum(alarms) <= 12


@pytest.mark.parametrize(("rows", "shift"), [(500, 0.5), (5000, 0.2)])
def test_a_shift_of_the_mean_is_found(detector, reference, rows, shift):
    random = np.random.default_rng(rows)
    found = [judged(detector, reference, random.normal(shift, size=rows)).status == "drift" for _ in range(50)]
    assert sum(found) >= 48


def test_a_constant_feature_that_changes_is_found(detector, described):
    reference = described([8.0] * 1000)
    assert judged(detector, reference, [8.0] * 200).status == "no drift"
    assert judged(detector, reference, [9.0] * 200).status == "drift"
    assert judged(detector, reference, [7.0] * 200).status == "drift"


def test_an_empty_reference_is_not_evaluated(detector, described):
    assert judged(detector, described([None] * 3), [1.0] * 200).status == "not evaluated"


def test_an_effect_below_the_least_is_no_drift(detector, reference):
    values = np.random.default_rng(1).normal(0.2, size=20_000)
    assert judged(detector, reference, values).status == "drift"
    assert judged(detector, reference, values, min_effect=1.0).status == "no drift"
