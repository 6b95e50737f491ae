import pytest

from edgeloop.planning import Workload
from edgeloop.planning.calibration import calibrated, epoch_times, reading_seconds, thread_counts


def times(**others):
    given = {"step_s": (0.1, 0.2), "reading_s": 0.02, "samples": 100, "batch": 10, "cores": 2, **others}
    return list(epoch_times(2, **given))


def test_without_workers_reading_and_learning_add_up():
    assert times()[0].wall_s == pytest.approx(10 * 0.1 + 100 * 0.02)


def test_with_workers_the_slower_of_the_two_decides():
    assert [time.wall_s for time in times()[1:]] == pytest.approx([2.0, 1.0])
    assert times(reading_s=0.001)[1].wall_s == pytest.approx(1.0)


def test_processor_time_is_the_same_whoever_reads():
    assert {round(time.cpu_s, 9) for time in times()} == {10 * 0.2 + 2.0}


@pytest.mark.parametrize(("cores", "counts"), [(1, [1]), (2, [1, 2]), (6, [1, 2, 4, 6]), (8, [1, 2, 4, 8])])
def test_threads_double_up_to_the_cores(cores, counts):
    assert thread_counts(cores) == counts


def test_reading_a_row_costs_nothing():
    assert reading_seconds(Workload(model="mlp", input_shape=(6,), classes=2)) == 0


def test_a_real_calibration_times_every_number_of_threads(monkeypatch):
    monkeypatch.setattr("edgeloop.planning.calibration.LEAST_S", 0.0)
    found = calibrated(Workload(model="cnn", input_shape=(1, 8, 8), classes=2), batch=4, samples=40, cores=2)
    assert [(time.threads, time.workers) for time in found] == [(t, w) for t in (1, 2) for w in (0, 1, 2)]
    assert all(time.wall_s > 0 and time.cpu_s > 0 for time in found)
