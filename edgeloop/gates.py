"""Where a judgement becomes a stop: the one place that turns a failed check into an exit."""

from collections.abc import Sequence

from edgeloop.errors import GateRefused
from edgeloop.variants import Check


def stop_unless_passed(checks: Sequence[Check], *, where: str, fix: str) -> None:
    """Lets a step go on when every check passed.

    Raises:
        GateRefused: One did not; all that did not are named with value and limit.
    """
    refusals = [described(check) for check in checks if check.status != "pass"]
    if refusals:
        raise GateRefused(", ".join(refusals), where=where, fix=fix)


def described(check: Check) -> str:
    """A check in a few words, such as `min_metric fail: 0.91 against 0.95`."""
    if check.value is None or check.limit is None:
        return f"{check.name} {check.status}: {check.reason or 'no value'}"
    return f"{check.name} {check.status}: {check.value:.6g} against {check.limit:.6g}"
