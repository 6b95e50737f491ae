import json
from collections.abc import Sequence

import numpy as np
import pytest

from edgeloop import plugins
from edgeloop.data.dataset import Sample
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.models import ModelCard
from edgeloop.optimization import ANY_SIZE
from edgeloop.optimization.judgement import Exam, Judgement, Pair, QuantizeLimits, judged
from edgeloop.parity import Parity
from edgeloop.variants import Check

CLASSES = ("a", "b")
LIMITS = QuantizeLimits(max_accuracy_drop=0.1, min_agreement=0.5)


def exam_of(labels: str, conditions: Sequence[str] = ()) -> Exam:
    samples = [
        Sample(
            f"{n:04d}", "", None, "val", label,
            metadata=json.dumps({"condition": conditions[n]}) if conditions else None,
        )
        for n, label in enumerate(labels)
    ]  # fmt: skip
    card = ModelCard(
        task="classification", architecture="cnn", classes=CLASSES, parameters=1,
        preprocessing=Preprocessing(image=ImageInput(height=8, width=8), mean=(0.5,), std=(0.5,)),
    )  # fmt: skip
    truths = [CLASSES.index(label) for label in labels]
    return Exam(plugins.load("tasks", "classification"), card, samples, truths, ("condition",))


def answers(labels: str) -> np.ndarray:
    return np.array([[1, 0] if label == "a" else [0, 1] for label in labels], dtype=np.float32)


def judge(
    truth: str, told: str, *, conditions: Sequence[str] = (), sqnr_db: float | None = 30, **limits: float
) -> Judgement:
    parity = Parity(output="logits", samples=len(truth), max_relative_error=0.1, sqnr_db=sqnr_db, agreement=1)
    pair = Pair(answers=(answers(truth), answers(told)), parities=(parity,), size_ratio=0.3)
    return judged(pair, exam=exam_of(truth, conditions), limits=LIMITS.model_copy(update=limits))


def check(judgement: Judgement, name: str) -> Check:
    (found,) = (check for check in judgement.checks if check.name == name)
    return found


def test_the_bound_is_judged_and_not_what_was_seen() -> None:
    truth = "ab" * 50
    found = check(judge(truth, "bb" + truth[2:], max_accuracy_drop=0.015), "accuracy_drop")
    assert found.status == "fail"
    assert found.value is not None and found.value > 0.015
    assert "0.0100 lost on 100 samples" in found.reason


def test_too_few_samples_are_not_evaluated() -> None:
    judgement = judge("ab" * 14, "ab" * 14)
    assert check(judgement, "accuracy_drop").status == "not evaluated"
    assert not judgement.accepted


def test_a_class_that_lost_much_is_named() -> None:
    truth = "a" * 900 + "b" * 50
    found = check(judge(truth, "a" * 930 + "b" * 20), "worst_group_drop")
    assert found.status == "fail"
    assert found.reason.startswith("class b: 0.6000 lost on 50 samples")


def test_a_condition_that_lost_much_is_named() -> None:
    truth = "ab" * 500
    conditions = ["night"] * 60 + ["day"] * 940
    found = check(judge(truth, "b" * 60 + truth[60:], conditions=conditions), "worst_group_drop")
    assert found.status == "fail" and found.reason.startswith("condition night: 0.5000 lost on 60")


def test_a_group_of_few_samples_is_listed_and_decides_nothing() -> None:
    truth = "a" * 500 + "b" * 10
    judgement = judge(truth, "a" * 510)
    assert check(judgement, "worst_group_drop").status == "pass"
    (few,) = (group for group in judgement.details["groups"] if group["value"] == "b")
    assert few["drop"] is None and few["reason"].startswith("not evaluated")


def test_without_a_group_of_enough_samples_there_is_no_such_check() -> None:
    assert "worst_group_drop" not in {one.name for one in judge("ab" * 20, "ab" * 20).checks}


def test_every_output_has_a_band() -> None:
    assert check(judge("ab" * 20, "ab" * 20, sqnr_db=9.9), "sqnr_logits").status == "fail"


def test_an_output_that_is_not_finite_fails() -> None:
    truth = "ab" * 20
    parity = Parity(output="logits", samples=40, max_relative_error=None, sqnr_db=None, agreement=0)
    pair = Pair((answers(truth), answers(truth) * np.float32("nan")), (parity,), 0.3)
    judgement = judged(pair, exam=exam_of(truth), limits=LIMITS)
    assert {one.name for one in judgement.failed} == {"accuracy_drop", "agreement", "sqnr_logits"}


@pytest.mark.parametrize(("limit", "status"), [(0.3, "pass"), (0.29, "fail")])
def test_the_size_is_judged_at_its_limit(limit: float, status: str) -> None:
    assert check(judge("ab" * 20, "ab" * 20, max_size_ratio=limit), "size_ratio").status == status


def test_a_size_without_a_limit_is_not_judged() -> None:
    assert "size_ratio" not in {one.name for one in judge("ab" * 20, "ab" * 20, max_size_ratio=ANY_SIZE).checks}


def test_limits_that_were_carried_as_floats_are_the_same_limits() -> None:
    """KFP carries every number as a float, and a digest is taken of what is written."""
    carried = {name: float(value) for name, value in QuantizeLimits().values().items()}
    assert json.dumps(QuantizeLimits.model_validate(carried).values()) == json.dumps(QuantizeLimits().values())
