import pytest

from edgeloop.planning import Workload
from edgeloop.planning.calibration import calibrated, epoch_time, reading_seconds, thread_counts

CNN = Workload(model="cnn", input_shape=(1, 8, 8), classes=2)


@pytest.fixture
def seconds(monkeypatch):
    """As if a step took 0.1 s (0.2 of CPU), and a judgement 0.03 s (0.05)."""
    given = iter([(0.1, 0.2), (0.03, 0.05)])
    monkeypatch.setattr("edgeloop.planning.calibration.timed", lambda _: next(given))


def test_an_epoch_learns_from_train_and_judges_val(seconds):
    found = epoch_time(CNN, batch=10, threads=1, samples=100, judged_samples=20)
    assert (found.wall_s, found.cpu_s) == (pytest.approx(10 * 0.1 + 2 * 0.03), pytest.approx(10 * 0.2 + 2 * 0.05))


@pytest.mark.parametrize(("cores", "counts"), [(1, [1]), (2, [1, 2]), (6, [1, 2, 4, 6]), (8, [1, 2, 4, 8])])
def test_threads_double_up_to_the_cores(cores, counts):
    assert thread_counts(cores) == counts


def test_reading_a_row_costs_nothing():
    assert reading_seconds(Workload(model="mlp", input_shape=(6,), classes=2)) == 0


def test_a_picture_is_read_for_real():
    assert reading_seconds(CNN) > 0


def test_a_real_calibration_times_every_number_of_threads(monkeypatch):
    monkeypatch.setattr("edgeloop.planning.calibration.LEAST_S", 0.0)
    found = calibrated(CNN, batch=4, samples=40, judged_samples=8, cores=2)
    assert [time.threads for time in found] == [1, 2]
    assert all(time.wall_s > 0 and time.cpu_s > 0 for time in found)
