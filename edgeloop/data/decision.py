"""From results to a verdict: which samples are left out, and whether the run may go on.

The rules, in order of weight:

* A sample that cannot be read is never accepted.
* A critical expectation that could not be checked, or that failed without naming samples, fails the verdict.
* A critical expectation that failed by certain samples fails the verdict under `stop`; under `quarantine` those samples
  are left out.
* More left out than `max_quarantined`, or a class that has nothing left in a split where it had something, fails it.
* What is a warning or info is shown and decides nothing.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edgeloop.data.boxes import is_unknown
from edgeloop.data.dataset import SPLITS, Sample, classes_in, samples_digest
from edgeloop.data.suite import Checked
from edgeloop.data.verdict import ExpectationResult, SuiteRecord, Verdict, worst_of

QUARANTINE_COLUMNS = ("id", "expectation", "severity", "reason")


@dataclass(frozen=True)
class Quarantined:
    """Why one sample is left out; a sample has a row for every reason."""

    id: str
    expectation: str
    severity: str
    reason: str


@dataclass(frozen=True)
class Decision:
    """The verdict and what follows from it for each sample."""

    verdict: Verdict
    accepted: tuple[Sample, ...]
    quarantine: tuple[Quarantined, ...]


def decided(
    samples: Sequence[Sample],
    checks: Sequence[Checked],
    *,
    suite: SuiteRecord,
    on_fault: Literal["stop", "quarantine"],
    max_quarantined: float,
) -> Decision:
    """The decision on a dataset.

    Args:
        samples: All rows of the index.
        checks: What the suite found.
        suite: Which suite that was.
        on_fault: What a critical fault of single samples means.
        max_quarantined: Share of the samples.
    """
    results = tuple(check.result for check in checks)
    quarantine = _quarantine(samples, checks)
    left_out = {row.id for row in quarantine}
    accepted = tuple(sample for sample in samples if sample.id not in left_out)
    complaints = [*_unchecked(results), *_failed(results, on_fault)] or [
        *_too_many(len(left_out), len(samples), max_quarantined),
        *_emptied(samples, accepted),
    ]
    if complaints:
        accepted = ()
    members = {split: [s for s in accepted if s.split == split] for split in SPLITS} if accepted else {}
    verdict = Verdict(
        status="fail" if complaints else "pass",
        reason="; ".join(complaints) or _summary(results, len(left_out)),
        on_fault=on_fault,
        suite=suite,
        worst=worst_of(results),
        expectations=results,
        samples=len(samples),
        quarantined=len(left_out),
        accepted={split: len(found) for split, found in members.items()},
        digests={split: samples_digest(found) for split, found in members.items()},
    )
    return Decision(verdict=verdict, accepted=accepted, quarantine=quarantine)


def _quarantine(samples: Sequence[Sample], checks: Sequence[Checked]) -> tuple[Quarantined, ...]:
    errors = {sample.id: sample.error for sample in samples if sample.error is not None}
    rows = [
        Quarantined(sample_id, described(check.result), check.result.severity, errors.get(sample_id) or _means(check))
        for check in checks
        if check.result.severity == "critical" and check.result.status == "fail"
        for sample_id in check.failing_ids
    ]
    named = {row.id for row in rows}
    rows += [
        Quarantined(sample_id, "can be read", "critical", error)
        for sample_id, error in errors.items()
        if sample_id not in named
    ]
    return tuple(sorted(rows, key=lambda row: (row.id, row.expectation)))


def described(result: ExpectationResult) -> str:
    """An expectation in a few words, such as `expect_column_values_to_be_between width`."""
    return f"{result.name} {result.column}" if result.column else result.name


def _means(check: Checked) -> str:
    return f"not met: {check.result.says or described(check.result)}"


def _unchecked(results: Sequence[ExpectationResult]) -> list[str]:
    return [
        f"could not check {described(result)} ({result.reason})"
        for result in results
        if result.severity == "critical" and result.status == "could not check"
    ]


def _failed(results: Sequence[ExpectationResult], on_fault: str) -> list[str]:
    failed = [r for r in results if r.severity == "critical" and r.status == "fail"]
    return [_fault(result) for result in failed if on_fault == "stop" or not result.first_ids]


def _fault(result: ExpectationResult) -> str:
    meaning = result.says or described(result)
    if not result.first_ids:
        return f"not met: {meaning} (observed {result.observed})"
    more = ", …" if result.failing > 1 else ""
    count = "1 sample fails" if result.failing == 1 else f"{result.failing} samples fail"
    return f"{count} the check that {meaning} ({result.first_ids[0]}{more})"


def _too_many(left_out: int, samples: int, limit: float) -> list[str]:
    if left_out <= limit * samples:
        return []
    return [f"{left_out} of {samples} samples cannot be used, more than max_quarantined {limit:g} allows"]


def _emptied(samples: Sequence[Sample], accepted: Sequence[Sample]) -> list[str]:
    before = sorted({(s.split, label) for s in samples if s.error is None for label in classes_in(s)})
    after = Counter((s.split, label) for s in accepted for label in classes_in(s))
    classes = [(split, label) for split, label in before if label and not is_unknown(label)]
    empty = [f"class {label!r} of {split}" for split, label in classes if not after[split, label]]
    return [f"nothing is left in {', '.join(empty)}"] if empty else []


def _summary(results: Sequence[ExpectationResult], left_out: int) -> str:
    critical = sum(result.severity == "critical" for result in results)
    lesser = sum(result.status != "pass" for result in results if result.severity != "critical")
    met = sum(result.severity == "critical" and result.status == "pass" for result in results)
    parts = [f"{met} of {critical} critical checks met"]
    parts += [f"{left_out} samples left out"] if left_out else []
    parts += [f"{lesser} lesser checks not met"] if lesser else []
    return ", ".join(parts)
