import pytest

from edgeloop.planning import Line
from edgeloop.planning.arithmetic import MOST_SAMPLES, envelope, largest_batch, largest_of, peak_bytes

MB, GB = 10**6, 10**9


@pytest.mark.parametrize(("memory_gb", "batch"), [(8, 10), (4, 5), (11, 14)])
def test_the_lecture_s_batches_come_out(memory_gb, batch):
    assert largest_batch(memory_gb * GB, fixed_bytes=100 * MB, sample_bytes=600 * MB) == batch


@pytest.mark.parametrize(("memory_gb", "batch"), [(8, 10), (4, 5), (11, 14)])
def test_the_planner_s_own_search_gives_the_lecture_s_batches(memory_gb, batch):
    lines = [Line(fixed_bytes=100 * MB, sample_bytes=600 * MB), Line(fixed_bytes=200 * MB, sample_bytes=0)]
    assert largest_of(lines, memory_bytes=memory_gb * GB, process_bytes=0) == batch


def test_the_moments_of_adam_would_leave_less_than_the_lecture_s_five():
    assert largest_batch(4 * GB, fixed_bytes=400 * MB, sample_bytes=600 * MB) == 4


def test_nothing_fits_where_the_parameters_alone_do_not():
    assert largest_batch(100 * MB, fixed_bytes=100 * MB, sample_bytes=1) == 0


def test_samples_that_take_nothing_leave_the_largest_batch_there_is():
    assert largest_batch(GB, fixed_bytes=0, sample_bytes=0) == MOST_SAMPLES


def test_the_peak_is_the_highest_line():
    lines = [Line(fixed_bytes=100, sample_bytes=1), Line(fixed_bytes=10, sample_bytes=10)]
    assert [peak_bytes(lines, batch=batch) for batch in (1, 10, 20)] == [101, 110, 210]


def test_the_envelope_keeps_the_peak_of_every_batch():
    lines = [Line(fixed_bytes=(7 * i) % 101, sample_bytes=(3 * i) % 17) for i in range(60)]
    few = envelope(lines)
    assert len(few) < 10
    for batch in (1, 2, 5, 20, 1000):
        assert peak_bytes(few, batch=batch) == peak_bytes(lines, batch=batch)
