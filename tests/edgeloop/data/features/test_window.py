import numpy as np
import pytest

from edgeloop.data.features.window import COLUMNS, clipped_share, plugin, stuck_share
from edgeloop.data.sources import RawSample
from edgeloop.data.windows import window_bytes
from edgeloop.errors import DataFault

LENGTH, RATE_HZ = 1000, 1000.0


def features(values: np.ndarray, **metadata: str) -> dict:
    sample = RawSample(id="x", label="a", metadata={"rate_hz": "1000", **metadata})
    return dict(plugin.read(window_bytes(values), sample))


def sine(frequency_hz: float, amplitude: float = 1.0, channels: int = 1) -> np.ndarray:
    times_s = np.arange(LENGTH) / RATE_HZ
    return np.repeat(amplitude * np.sin(2 * np.pi * frequency_hz * times_s)[:, None], channels, axis=1)


@pytest.fixture
def noise():
    return np.random.default_rng(0).standard_normal((LENGTH, 3)).astype(np.float32)


def test_every_column_has_a_value_and_no_other(noise):
    assert set(features(noise)) == {column.name for column in COLUMNS}


def test_values_have_the_types_of_their_columns(noise):
    kinds = {"int": int, "float": float}
    found = features(noise, backward_steps="2", missing_readings="1", longest_gap_s="0.5", measured_rate_hz="999")
    assert all(type(found[column.name]) is kinds[column.type] for column in COLUMNS)


def test_moments_are_those_of_the_readings(noise):
    found, values = features(noise + 1), noise.astype(np.float64) + 1
    assert found["mean"] == pytest.approx(values.mean())
    assert found["rms"] == pytest.approx(np.sqrt((values**2).mean()))
    assert found["std"] == pytest.approx(np.sqrt(values.var(axis=0).mean()))
    assert (found["minimum"], found["maximum"]) == pytest.approx((values.min(), values.max()))


def test_kurtosis_and_crest_factor_are_those_of_the_worst_channel(noise):
    quiet = features(noise)
    noise[500, 1] = 50
    blow = features(noise)
    assert quiet["kurtosis"] == pytest.approx(3, abs=0.4)
    assert blow["kurtosis"] > 100
    assert blow["crest_factor"] > 20 > quiet["crest_factor"]


def test_a_sine_has_the_crest_factor_and_kurtosis_of_a_sine():
    found = features(sine(50, 2.0) + 7)
    assert (found["crest_factor"], found["kurtosis"]) == pytest.approx((2**0.5, 1.5), rel=1e-3)
    assert found["peak"] == pytest.approx(2, rel=1e-3)


def test_the_offset_is_compared_with_what_moves(noise):
    noise[:, 2] += 5
    assert features(noise)["offset_ratio"] == pytest.approx(5, rel=0.1)


@pytest.mark.parametrize("frequency_hz", [20, 123, 480])
def test_the_dominant_frequency_is_that_of_a_sine(frequency_hz):
    assert features(sine(frequency_hz) + 3)["dominant_hz"] == pytest.approx(frequency_hz)


def test_the_centroid_of_two_equal_sines_lies_between_them():
    assert features(sine(100) + sine(300))["spectral_centroid_hz"] == pytest.approx(200, rel=1e-3)


def test_frequencies_scale_with_the_rate():
    assert features(sine(50), rate_hz="2000")["dominant_hz"] == pytest.approx(100)


def test_without_a_rate_there_are_no_frequencies(noise):
    sample = RawSample(id="x", label=None)
    found = plugin.read(window_bytes(noise), sample)
    assert (found["dominant_hz"], found["spectral_centroid_hz"], found["rate_error"]) == (None, None, None)


def test_a_measured_rate_does_where_none_is_declared(noise):
    sample = RawSample(id="x", label=None, metadata={"measured_rate_hz": "1000"})
    assert plugin.read(window_bytes(sine(50)), sample)["dominant_hz"] == pytest.approx(50)


def test_noise_is_neither_clipped_nor_stuck(noise):
    found = features(noise, full_scale="16")
    assert (found["clipped_share"], found["stuck_share"]) == (0, 1 / LENGTH)


def test_a_flattened_sine_is_clipped():
    flat = np.clip(sine(5, 2.0), -1, 1)
    assert features(flat)["clipped_share"] == pytest.approx((np.abs(flat) == 1).mean())


def test_readings_at_the_full_scale_are_clipped_even_alone(noise):
    noise[[3, 77], [0, 2]] = 16, -20
    assert features(noise, full_scale="16")["clipped_share"] == pytest.approx(2 / noise.size)


def test_two_equal_readings_at_the_top_are_not_clipped():
    assert clipped_share(np.array([[0.0], [5.0], [5.0], [1.0]]), None) == 0


def test_a_channel_that_stands_still_is_stuck_and_not_clipped(noise):
    noise[:, 1] = 0.25
    found = features(noise)
    assert (found["stuck_share"], found["clipped_share"]) == (1, 0)


def test_the_longest_run_counts():
    column = np.array([1.0, 1, 2, 2, 2, 3, 2, 2])
    assert stuck_share(column[:, None]) == 3 / 8


def test_missing_readings_are_no_stuck_value():
    assert stuck_share(np.full((8, 1), np.nan)) == 0


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf])
def test_what_is_no_finite_number_is_counted_and_left_out(noise, missing):
    noise[:10, 0] = missing
    found = features(noise)
    assert found["nan_share"] == pytest.approx(10 / noise.size)
    assert all(value is None or np.isfinite(value) for value in found.values())


@pytest.mark.parametrize("fill", [0.0, np.nan, np.inf, 3e38, 1e-45])
def test_a_window_of_one_value_has_finite_features_or_none(fill):
    found = features(np.full((LENGTH, 2), fill))
    assert all(value is None or np.isfinite(value) for value in found.values())


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (3, 2)])
def test_the_shortest_windows_have_features(shape):
    assert features(np.ones(shape))["length"] == shape[0]


def test_gaps_are_those_of_the_metadata(noise):
    found = features(noise, missing_readings="250", longest_gap_s="0.25", backward_steps="1")
    assert (found["gap_share"], found["longest_gap_s"], found["backward_steps"]) == (0.2, 0.25, 1)


def test_without_time_stamps_gaps_are_not_known(noise):
    found = features(noise)
    assert (found["gap_share"], found["longest_gap_s"], found["backward_steps"]) == (None, None, None)


def test_the_rate_error_is_measured_over_declared(noise):
    assert features(noise, measured_rate_hz="1020")["rate_error"] == pytest.approx(0.02)


@pytest.mark.parametrize("text", ["fast", "nan", "inf", "-5", "0", ""])
def test_a_declared_rate_that_is_none_is_a_data_fault(noise, text):
    with pytest.raises(DataFault, match="rate_hz"):
        features(noise, rate_hz=text)


def test_what_is_no_window_is_a_data_fault():
    with pytest.raises(DataFault):
        plugin.read(b"rubbish", RawSample(id="x", label=None))
