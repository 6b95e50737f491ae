import io

import numpy as np
import pytest

from edgeloop.data.windows import MAX_CHANNELS, Cutter, clock_of, window_bytes, window_of
from edgeloop.errors import DataFault


@pytest.fixture
def values():
    return np.random.default_rng(0).standard_normal((32, 3)).astype(np.float32)


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_a_window_is_read_as_it_was_written(values):
    assert np.array_equal(window_of(window_bytes(values)), values)


def test_the_bytes_are_those_that_numpy_writes(values):
    assert window_bytes(values) == saved(values)


def test_numpy_reads_the_bytes_without_pickle(values):
    assert np.array_equal(np.load(io.BytesIO(window_bytes(values)), allow_pickle=False), values)


def test_column_order_and_precision_do_not_change_the_bytes(values):
    assert window_bytes(np.asfortranarray(values.astype(np.float64))) == window_bytes(values)


def test_minus_zero_is_written_as_zero():
    assert window_bytes(np.array([[-0.0]])) == window_bytes(np.array([[0.0]]))


def test_there_is_one_way_to_write_nan():
    other = np.array([[0x7FC00001]], dtype=np.uint32).view(np.float32)
    assert window_bytes(other) == window_bytes(np.array([[np.nan]]))


def test_what_float32_cannot_hold_is_infinite():
    assert np.isinf(window_of(window_bytes(np.array([[1e300]])))[0, 0])


@pytest.mark.parametrize("shape", [(4,), (0, 3), (4, 0), (1, MAX_CHANNELS + 1), (1 << 17, 256)])
def test_an_array_that_is_no_window_is_not_written(shape):
    with pytest.raises(DataFault):
        window_bytes(np.zeros(shape, dtype=np.float32))


GOOD = window_bytes(np.ones((4, 2)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"rubbish" * 99,
        GOOD[:-1],
        GOOD + b"\0",
        GOOD[:90],
        saved(np.ones((4, 2))),
        saved(np.ones((4, 2), dtype=">f4")),
        saved(np.ones((4, 2), dtype=np.float32, order="F")),
        saved(np.ones((4, 2, 1), dtype=np.float32)),
        saved(np.ones(8, dtype=np.float32)),
        saved(np.array([[None]], dtype=object)),
        GOOD.replace(b"NUMPY\x01", b"NUMPY\x02"),
        GOOD.replace(b"(4, 2)", b"(4,  2)"),
        GOOD.replace(b"(4, 2), }     ", b"(99999999, 2)}"),
        GOOD.replace(b"(4, 2), }         ", b"(9999999, 9999), }"),
        GOOD.replace(b"False", b"True "),
        GOOD.replace(b"(4, 2)", b"__a__"),
    ],
)
def test_what_is_no_window_is_a_data_fault(content):
    with pytest.raises(DataFault, match=r"bytes|no window|readings"):
        window_of(content)


def test_a_pickle_in_a_window_is_not_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    with pytest.raises(DataFault):
        window_of(saved(np.array([[Trap()]], dtype=object)))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(("length", "stride"), [(4, 4), (4, 1), (4, 3), (4, 9), (1, 1), (7, 2)])
@pytest.mark.parametrize("pieces", [[20], [1] * 20, [3, 0, 10, 7]])
def test_windows_do_not_depend_on_how_readings_arrive(length, stride, pieces):
    readings = np.arange(20.0).reshape(-1, 1)
    cutter, found, start = Cutter(length, stride), [], 0
    for piece in pieces:
        found += [window[0, 0] for window in cutter.windows(readings[start : start + piece])]
        start += piece
    assert found == list(range(0, 20 - length + 1, stride))


@pytest.mark.parametrize(("stride", "before"), [(4, [None, 3, 7, 11, 15]), (9, [None, 8]), (3, [None] * 6)])
@pytest.mark.parametrize("pieces", [[20], [1] * 20, [3, 0, 10, 7], [4] * 5])
def test_the_reading_before_a_window_is_known_where_windows_share_none(stride, before, pieces):
    cutter, found, start = Cutter(4, stride), [], 0
    for piece in pieces:
        cut = cutter.windows(np.arange(20.0).reshape(-1, 1)[start : start + piece])
        found += [None if cutter.before is None else int(cutter.before[0]) for _ in cut]
        start += piece
    assert found == before


def stamps(*without: int, rate_hz: float = 100, count: int = 50) -> np.ndarray:
    return np.delete(np.arange(count), without) / rate_hz


def test_an_even_clock_has_neither_gap_nor_error():
    clock = clock_of(stamps())
    assert (clock.gaps, clock.missing_readings, clock.backward_steps) == (0, 0, 0)
    assert clock.measured_rate_hz == pytest.approx(100)
    assert clock.duration_s == pytest.approx(0.49)


def test_one_lost_reading_is_a_gap_of_one_interval():
    clock = clock_of(stamps(20))
    assert (clock.gaps, clock.missing_readings) == (1, 1)
    assert clock.longest_gap_s == pytest.approx(0.01)


def test_a_gap_does_not_move_the_measured_rate():
    assert clock_of(stamps(*range(10, 30))).measured_rate_hz == pytest.approx(100)


def test_a_slow_clock_is_a_rate_and_no_gap():
    clock = clock_of(stamps(rate_hz=40))
    assert (clock.gaps, clock.measured_rate_hz) == (0, pytest.approx(40))


def test_jitter_of_a_fifth_of_an_interval_is_no_gap():
    jitter = np.random.default_rng(0).uniform(-0.002, 0.002, 50)
    assert clock_of(stamps() + jitter).gaps == 0


def test_a_clock_that_runs_back_is_counted():
    times = stamps()
    times[30:] -= 0.2
    assert clock_of(times).backward_steps == 1


def test_a_clock_that_only_runs_back_has_no_rate():
    clock = clock_of(stamps()[::-1])
    assert (clock.backward_steps, clock.measured_rate_hz) == (49, None)


def test_a_missing_stamp_is_no_missing_reading():
    times = stamps()
    times[[0, 7, 8, 49]] = np.nan
    assert clock_of(times).gaps == 0


def test_a_clock_coarser_than_the_readings_has_no_gaps_but_real_ones():
    fine = np.arange(4000) / 2500
    assert clock_of(np.floor(fine * 1000) / 1000).gaps == 0
    assert clock_of(np.floor(np.delete(fine, range(1000, 1100)) * 1000) / 1000).gaps == 1


@pytest.mark.parametrize("times", [np.full(9, np.nan), np.zeros(9), np.array([np.nan, 1.0])])
def test_stamps_that_do_not_move_are_no_clock(times):
    assert clock_of(times) is None
