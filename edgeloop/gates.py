"""Where a judgement becomes a stop: the one place that turns a failed check into an exit."""

from collections.abc import Sequence

from edgeloop.benchmarking import CandidateRow
from edgeloop.errors import DeviceFault, GateRefused
from edgeloop.variants import Check


def stop_unless_passed(checks: Sequence[Check], *, where: str, fix: str) -> None:
    """Lets a step go on when every check passed.

    Raises:
        GateRefused: One did not; all that did not are named with value and limit.
    """
    refusals = [described(check) for check in checks if check.status != "pass"]
    if refusals:
        raise GateRefused(", ".join(refusals), where=where, fix=fix)


def stop_unless_measured(rows: Sequence[CandidateRow], *, where: str) -> None:
    """Lets a step go on when a candidate was measured, or when measuring again would change nothing.

    An engine that keeps the results of a step would otherwise keep those of a disturbed machine. That is no verdict on
    the model: whoever retrains with nobody watching tries again later.

    Raises:
        DeviceFault: No row is a pass, and some are invalid: contended, throttled or lost.
    """
    disturbed = [f"{row.candidate}: {row.reason}" for row in rows if row.status == "invalid"]
    if disturbed and not any(row.status == "pass" for row in rows):
        raise DeviceFault(f"no candidate could be measured ({', '.join(disturbed)})", where=where, fix="measure again")


def described(check: Check) -> str:
    """A check in a few words, such as `min_metric fail: 0.91 against 0.95`."""
    if check.value is None or check.limit is None:
        return f"{check.name} {check.status}: {check.reason or 'no value'}"
    return f"{check.name} {check.status}: {check.value:.6g} against {check.limit:.6g}"
