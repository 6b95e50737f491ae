import numpy as np
import pytest

from edgeloop.errors import ModelFault
from edgeloop.parity import agreement, compared, joined, max_relative_error, sqnr_db

REFERENCE = np.array([[1.0, -4.0], [2.0, 0.5]], dtype=np.float32)


def test_the_error_is_relative_to_the_largest_reference_value() -> None:
    candidate = REFERENCE + np.array([[0.0, 0.0], [0.1, 0.0]], dtype=np.float32)
    assert max_relative_error(REFERENCE, candidate) == pytest.approx(0.1 / 4.0, rel=1e-6)


def test_equal_outputs_have_no_error_even_when_all_are_zero() -> None:
    assert max_relative_error(np.zeros_like(REFERENCE), np.zeros_like(REFERENCE)) == 0


def test_a_difference_from_zero_everywhere_has_no_relative_error() -> None:
    assert max_relative_error(np.zeros_like(REFERENCE), REFERENCE) is None


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_has_no_error(value: float) -> None:
    assert max_relative_error(REFERENCE, np.full_like(REFERENCE, value)) is None
    assert sqnr_db(REFERENCE, np.full_like(REFERENCE, value)) is None


def test_sqnr_of_a_tenth_of_the_signal_is_twenty_decibels() -> None:
    assert sqnr_db(REFERENCE, REFERENCE * np.float32(1.1)) == pytest.approx(20, abs=1e-4)


def test_sqnr_of_no_noise_is_null() -> None:
    assert sqnr_db(REFERENCE, REFERENCE) is None


def test_agreement_is_the_share_of_equal_answers() -> None:
    assert agreement(REFERENCE, REFERENCE[:, ::-1]) == 0
    assert agreement(REFERENCE, np.array([[9, 0], [0, 9]], dtype=np.float32)) == 0.5
    assert agreement(REFERENCE, REFERENCE * 2) == 1


def test_nan_agrees_with_nothing() -> None:
    broken = np.full_like(REFERENCE, np.nan)
    assert agreement(broken, broken) == 0


def test_every_output_of_the_reference_is_compared_in_its_order() -> None:
    outputs = {"b": REFERENCE, "a": REFERENCE}
    assert [one.output for one in compared(outputs, dict(reversed(outputs.items())))] == ["b", "a"]


@pytest.mark.parametrize("candidate", [{}, {"logits": REFERENCE[:1]}])
def test_a_missing_output_or_another_shape_is_a_model_fault(candidate: dict[str, np.ndarray]) -> None:
    with pytest.raises(ModelFault, match="logits"):
        compared({"logits": REFERENCE}, candidate)


def test_the_outputs_of_several_runs_are_joined_in_order() -> None:
    parts = [{"logits": REFERENCE[:1]}, {"logits": REFERENCE[1:]}]
    assert np.array_equal(joined(parts)["logits"], REFERENCE)
