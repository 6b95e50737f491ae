import pytest

from edgeloop.benchmarking import CandidateRow, Target
from edgeloop.errors import DeviceFault, GateRefused
from edgeloop.gates import stop_unless_measured, stop_unless_passed
from edgeloop.variants import Check


def row(status, reason=""):
    target = Target(runtime="fake")
    return CandidateRow(
        candidate=f"{status}@fake", variant="v", target=target, status=status, reason=reason, profile="quick",
        size_bytes=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    "statuses",
    [["pass"], ["invalid", "pass"], ["not evaluated"], ["fail", "not evaluated"], []],
)
def test_a_measurement_that_repeating_would_not_change_goes_on(statuses):
    stop_unless_measured([row(status) for status in statuses], where="benchmark")


@pytest.mark.parametrize("statuses", [["invalid"], ["invalid", "fail"], ["not evaluated", "invalid"]])
def test_a_measurement_of_a_disturbed_machine_stops_with_the_reason(statuses):
    with pytest.raises(DeviceFault) as caught:
        stop_unless_measured([row(status, "contended: in 0 of 40 rounds") for status in statuses], where="benchmark")
    assert "invalid@fake: contended: in 0 of 40 rounds" in caught.value.line()
    assert caught.value.exit_code == 3


def test_every_check_that_did_not_pass_is_named_with_value_and_limit():
    checks = [
        Check(name="size", status="pass", value=1, limit=2),
        Check(name="metric", status="fail", value=0.5, limit=0.9),
        Check(name="latency", status="not evaluated", reason="emulated"),
    ]
    with pytest.raises(GateRefused, match=r"metric fail: 0\.5 against 0\.9, latency not evaluated: emulated"):
        stop_unless_passed(checks, where="select", fix="")
