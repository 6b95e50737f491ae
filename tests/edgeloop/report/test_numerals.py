import pytest

from edgeloop.report.numerals import (
    SPACE,
    count,
    drop,
    percent,
    plain,
    points,
    short_digest,
    significant,
    size,
    time_unit,
    value_text,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0312, "0.0312"), (31.2, "31.2"), (1234.5, "1,230"), (0.0, "0"), (9.999, "10.0"), (99950.0, "100,000"),
        (-2.5, "-2.50"), (0.5, "0.500"), (3.8e-7, f"3.8{SPACE}×{SPACE}10⁻⁷"), (1e12, f"1{SPACE}×{SPACE}10¹²"),
        (5e-324, f"4.94{SPACE}×{SPACE}10⁻³²⁴"), (float("inf"), "inf"), (float("nan"), "nan"),
    ],
)  # fmt: skip
def test_three_significant_digits(value, text):
    assert significant(value) == text


def test_the_space_before_a_unit_is_narrow_and_does_not_break():
    assert percent(0.98765) == "98.77\u202f%"


def test_settings_carry_no_zeros_at_their_end():
    assert [plain(v) for v in (0.1, 23.5, 100.0, 1000.0)] == ["0.1", "23.5", "100", "1,000"]


@pytest.mark.parametrize(
    ("value_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (390_100, "390 kB"), (61_900_000, "61.9 MB"), (2e9, "2.00 GB")],
)
def test_bytes_have_decimal_units(value_bytes, text):
    assert size(value_bytes) == text.replace(" ", SPACE)


@pytest.mark.parametrize(
    ("values_ms", "name"), [([0.02, 0.9], "µs"), ([0.02, 1.5], "ms"), ([20_000.0], "s"), ([], "ms")]
)
def test_one_unit_for_all_times(values_ms, name):
    assert time_unit(values_ms).name == name


def test_a_gain_is_a_negative_loss():
    assert (points(0.0056), drop(-0.0056)) == (f"+0.56{SPACE}pp", f"−0.56{SPACE}pp")


def test_the_wilson_interval_of_355_in_361():
    low, high = wilson_interval(355, 361)
    assert (round(low, 4), round(high, 4)) == (0.9642, 0.9924)  # as scipy.stats.binomtest says


def test_the_wilson_interval_stays_inside_0_and_1():
    assert wilson_interval(10, 10)[1] <= 1.0
    assert wilson_interval(0, 10)[0] == pytest.approx(0.0)


def test_values_of_json_read_well():
    values = (True, 3, 12_345, 0.1, 4.0, None, ["a", 1], [])
    assert [value_text(v) for v in values] == ["yes", "3", "12,345", "0.1", "4", "–", "a, 1", "–"]


def test_a_short_digest_keeps_twelve_digits():
    assert short_digest("sha256:" + "ab" * 32) == "abababababab…"


def test_counts_have_their_thousands_apart():
    assert count(1797) == "1,797"
