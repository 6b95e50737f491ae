import pytest

from edgeloop.data.dataset import Sample, samples_digest
from edgeloop.data.decision import Decision, decided
from edgeloop.data.suite import Checked
from edgeloop.data.verdict import ExpectationResult, SuiteRecord

SPLITS = ("train", "train", "train", "val", "test")
SAMPLES = [
    Sample(id=f"{label}{n}", uri="", sha256=f"{label}{n}", split=split, label=label)
    for label in ("cat", "dog")
    for n, split in enumerate(SPLITS)
]
BROKEN = Sample(id="zzz", uri="", sha256=None, split="train", label="cat", error="is truncated")


def check(status: str, severity: str, *ids: str) -> Checked:
    result = ExpectationResult(
        name="expect_x", column="width", severity=severity, status=status, says="it is wide",
        failing=len(ids), first_ids=ids, reason="no such column" if status == "could not check" else "",
    )  # fmt: skip
    return Checked(result, ids)


def decide(*checks: Checked, samples=SAMPLES, on_fault="quarantine", limit=0.5) -> Decision:
    suite = SuiteRecord(name="s", sha256="0")
    return decided(samples, checks, suite=suite, on_fault=on_fault, max_quarantined=limit)


def test_everything_met_accepts_everything():
    assert decide(check("pass", "critical")).accepted == tuple(SAMPLES)


@pytest.mark.parametrize("severity", ["warning", "info"])
def test_a_lesser_fault_decides_nothing(severity):
    found = decide(check("fail", severity, "cat0"), on_fault="stop")
    assert (found.verdict.status, found.verdict.worst, found.quarantine) == ("pass", severity, ())


def test_a_critical_fault_stops_under_stop():
    found = decide(check("fail", "critical", "cat0"), on_fault="stop")
    assert (found.verdict.status, found.accepted) == ("fail", ())
    assert found.verdict.reason == "1 sample fails the check that it is wide (cat0)"


def test_a_critical_fault_leaves_its_samples_out_under_quarantine():
    found = decide(check("fail", "critical", "cat0"))
    assert found.verdict.status == "pass"
    assert [row.id for row in found.quarantine] == ["cat0"]
    assert "cat0" not in {s.id for s in found.accepted}


@pytest.mark.parametrize("on_fault", ["stop", "quarantine"])
def test_a_critical_check_that_could_not_be_made_is_no_pass(on_fault):
    found = decide(check("could not check", "critical"), on_fault=on_fault)
    assert found.verdict.status == "fail"
    assert "could not check expect_x width (no such column)" in found.verdict.reason


def test_a_lesser_check_that_could_not_be_made_is_the_worst_found():
    assert decide(check("could not check", "warning")).verdict.worst == "warning"


def test_a_critical_fault_that_names_no_sample_fails_under_quarantine_too():
    assert decide(check("fail", "critical")).verdict.status == "fail"


def test_what_an_expectation_tolerates_is_not_left_out():
    assert decide(check("pass", "critical", "cat0")).quarantine == ()


def test_more_left_out_than_allowed_fails():
    assert decide(check("fail", "critical", "cat0", "dog0"), limit=0.2).verdict.status == "pass"
    assert decide(check("fail", "critical", "cat0", "dog0"), limit=0.19).verdict.status == "fail"


def test_a_class_that_loses_all_of_a_split_fails():
    found = decide(check("fail", "critical", "dog3"))
    assert found.verdict.reason == "nothing is left in class 'dog' of val"


@pytest.mark.parametrize("label", [None, "#7"])
def test_samples_without_a_class_that_has_a_name_may_all_be_left_out(label):
    fault = Sample(id="odd", uri="", sha256="odd", split="val", label=label)
    found = decide(check("fail", "critical", "odd"), samples=[*SAMPLES, fault])
    assert found.verdict.status == "pass", found.verdict.reason
    assert fault not in found.accepted


@pytest.mark.parametrize("on_fault", ["stop", "quarantine"])
def test_an_unreadable_sample_is_never_accepted(on_fault):
    found = decide(check("pass", "critical"), samples=[*SAMPLES, BROKEN], on_fault=on_fault)
    assert BROKEN not in found.accepted
    assert [(row.id, row.reason) for row in found.quarantine] == [("zzz", "is truncated")]


def test_a_sample_with_two_faults_counts_once():
    found = decide(check("fail", "critical", "cat0"), check("fail", "critical", "cat0"))
    assert (found.verdict.quarantined, len(found.quarantine)) == (1, 2)


def test_the_digests_are_those_of_the_accepted_samples():
    found = decide(check("fail", "critical", "cat0"))
    left = [s for s in SAMPLES if s.split == "train" and s.id != "cat0"]
    assert found.verdict.digests["train"] == samples_digest(left)


def test_a_failed_verdict_promises_no_samples():
    found = decide(check("fail", "critical", "cat0"), on_fault="stop")
    assert (found.verdict.accepted, found.verdict.digests) == ({}, {})
