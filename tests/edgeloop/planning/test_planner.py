import pytest

from edgeloop.errors import ParamsFault
from edgeloop.planning import EpochTime, Memory, Workload
from edgeloop.planning.planner import busy_told, plan, timed_samples
from edgeloop.planning.rehearsal import rehearse

CNN = Workload(model="cnn", input_shape=(3, 32, 32), classes=10)
GB = Memory(size_bytes=10**9, source="given")


@pytest.fixture(autouse=True)
def process(monkeypatch):
    """As if Python and torch took as much, whatever else this process has imported."""
    monkeypatch.setattr("edgeloop.planning.planner.resident_bytes", lambda: 300_000_000)


def planned(**others):
    return plan(CNN, memory=GB, calibrate=False, **others)


def test_the_largest_batch_keeps_to_the_share_and_one_more_does_not():
    found = planned()
    usable = found.share * GB.size_bytes
    assert planned(batch=found.largest_batch).planned.training_bytes <= usable
    assert planned(batch=found.largest_batch + 1).planned.training_bytes > usable


def test_inference_takes_larger_batches():
    found = planned()
    assert found.largest_inference_batch > found.largest_batch


def test_more_memory_takes_more():
    larger = plan(CNN, memory=Memory(size_bytes=2 * 10**9, source="given"), calibrate=False)
    assert larger.largest_batch > planned().largest_batch


def test_where_nothing_fits_that_is_the_result_and_nothing_is_timed():
    found = plan(CNN, memory=Memory(size_bytes=10**6, source="given"))
    assert (found.largest_batch, found.times, found.reading_s) == (0, (), None)
    assert "not one sample fits" in found.times_source


def test_a_small_network_is_timed_at_the_planned_batch_and_a_large_one_at_fewer():
    large = Workload(model="alexnet", input_shape=(3, 224, 224), classes=10)
    assert [timed_samples(rehearse(workload).layers) for workload in (CNN, large)] == [1215, 32]


def test_the_result_says_that_nothing_was_calibrated():
    assert planned().times_source == "not calibrated"


def test_a_busy_machine_is_told():
    times = [
        (EpochTime(threads=1, wall_s=10, cpu_s=cpu_s), EpochTime(threads=2, wall_s=9, cpu_s=9)) for cpu_s in (9.9, 6)
    ]
    assert [busy_told(found) for found in times] == ["", ", on a busy machine: one thread got 60 % of a core"]


def test_the_asked_batch_is_among_the_peaks():
    assert planned(batch=77).planned.batch == 77


def test_peaks_never_fall():
    peaks = planned().peaks
    assert [p.batch for p in peaks] == sorted({p.batch for p in peaks})
    assert [p.training_bytes for p in peaks] == sorted(p.training_bytes for p in peaks)


def test_a_wrong_option_is_refused():
    with pytest.raises(ParamsFault, match="depth"):
        plan(CNN.model_copy(update={"options": {"depth": 3}}), memory=GB, calibrate=False)
