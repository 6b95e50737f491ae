"""Whether a smaller file is as good as the float file that it was made from, judged on val.

    <metric>_drop       what may be lost, by the upper bound of `bootstrap`; fewer than 30 samples: not evaluated
    worst_group_drop    the same of the worst class or condition; a group of fewer than 30 samples is not evaluated: it
                        is listed and decides nothing, and where all are so small there is no such check
    agreement           share of answers that are the same
    sqnr_<output>       the band of every output: signal over noise
    size_ratio          over the float file of the same format; any size allowed, no such check

Speed is judged by `select`, where it was measured.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.data.dataset import Sample, classes_in
from edgeloop.errors import DataFault
from edgeloop.models import ModelCard
from edgeloop.optimization import ANY_SIZE
from edgeloop.optimization.bootstrap import CONFIDENCE, LEAST_SAMPLES, Drop, Metric, Places, dropped
from edgeloop.parity import Parity
from edgeloop.tasks import Floats, Task, Truth
from edgeloop.variants import Check

_ROUNDING = 1e-9
"""Of a difference of two shares: 0.98 - 0.97 is a little more than 0.01."""


class QuantizeLimits(Contract):
    """What a quantized file must keep to, judged on val against the float file it was made from."""

    max_accuracy_drop: float = Field(
        default=0.01, ge=0, le=1, description="of the task's metric, 0.01 is one point; by the upper 95 % bound"
    )
    max_group_drop: float = Field(
        default=0.1, ge=0, le=1, description="the same of every class and condition with 30 samples or more"
    )
    min_agreement: float = Field(default=0.97, ge=0, le=1, description="share of samples with the same answer as float")
    min_sqnr_db: float = Field(default=10.0, ge=0, le=200, description="of every output: signal over noise")
    max_size_ratio: float = Field(
        default=0.75,
        gt=0,
        le=ANY_SIZE,
        description=f"file size over that of the float file of the same format; {ANY_SIZE}: any",
    )


@dataclass(frozen=True)
class Judgement:
    """What was found."""

    checks: tuple[Check, ...]
    details: dict[str, Any]

    @property
    def accepted(self) -> bool:
        """Every check passed."""
        return all(check.status == "pass" for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if check.status != "pass")


@dataclass(frozen=True)
class Exam:
    """What both files were asked."""

    task: Task
    card: ModelCard
    samples: Sequence[Sample]
    truths: Sequence[Truth]
    by: tuple[str, ...]
    """Columns of the metadata whose values are groups, beside the classes."""


@dataclass(frozen=True)
class Pair:
    """The float file's and the candidate's."""

    answers: tuple[Floats, Floats]
    parities: tuple[Parity, ...]
    size_ratio: float


def judged(pair: Pair, *, exam: Exam, limits: QuantizeLimits) -> Judgement:
    """The checks of one candidate, and what they rest on."""
    metrics = _metric_of(pair.answers[0], exam), _metric_of(pair.answers[1], exam)
    whole = dropped(*metrics, np.arange(len(exam.samples)))
    groups = _groups(metrics, exam)
    name = f"{exam.task.metric}_drop"
    checks = (
        _drop_check(name, whole, samples=len(exam.samples), limit=limits.max_accuracy_drop),
        *_group_check(groups, limits.max_group_drop),
        _at_least(
            "agreement",
            exam.task.agreement(*pair.answers, exam.card),
            limits.min_agreement,
            reason=f"answers as the float file on {len(exam.samples)} samples of val",
        ),
        *(_band(parity, limits.min_sqnr_db) for parity in pair.parities),
        *_size_check(pair.size_ratio, limits.max_size_ratio),
    )
    details = {
        "metric_before": whole and whole.before,
        "metric_after": whole and whole.after,
        "drop": whole and whole.value,
        "groups": [_told(*entry) for entry in groups],
    }
    return Judgement(checks, details)


def _metric_of(answers: Floats, exam: Exam) -> Metric:
    finite = bool(np.isfinite(answers).all())

    def metric(places: Places) -> float | None:
        if not finite:
            return None
        try:
            found = exam.task.metrics(answers[places], [exam.truths[place] for place in places], exam.card)
        except DataFault:  # samples of one class alone, by a curve of two
            return None
        value = found[exam.task.metric]
        return None if value is None else float(value)

    return metric


def _groups(metrics: tuple[Metric, Metric], exam: Exam) -> list[tuple[str, str, int, Drop | None]]:
    """Column, value, samples and what was lost; None of a group that is not evaluated."""
    found = []
    for column, values in _places_by_group(exam).items():
        for value, places in sorted(values.items()):
            enough = len(places) >= LEAST_SAMPLES
            found.append((column, value, len(places), dropped(*metrics, np.array(places)) if enough else None))
    return found


def _places_by_group(exam: Exam) -> Mapping[str, Mapping[str, list[int]]]:
    groups: dict[str, dict[str, list[int]]] = {"class": {}, **{column: {} for column in exam.by}}
    for place, sample in enumerate(exam.samples):
        for name in filter(None, classes_in(sample)):
            groups["class"].setdefault(name, []).append(place)
        known = json.loads(sample.metadata) if sample.metadata else {}
        for column in exam.by:
            if known.get(column) is not None:
                groups[column].setdefault(str(known[column]), []).append(place)
    return groups


def _told(column: str, value: str, samples: int, drop: Drop | None) -> dict[str, Any]:
    told: dict[str, Any] = {"column": column, "value": value, "samples": samples}
    if drop is None:
        return {**told, "drop": None, "reason": f"not evaluated: fewer than {LEAST_SAMPLES} samples, or no metric"}
    return {**told, "drop": drop.value, "upper": _finite(drop.upper)}


def _drop_check(name: str, drop: Drop | None, *, samples: int, limit: float) -> Check:
    if samples < LEAST_SAMPLES:
        reason = f"val holds {samples} samples, and {LEAST_SAMPLES} are needed to say what is lost on others"
        return Check(name=name, status="not evaluated", limit=limit, reason=reason)
    if drop is None:
        return Check(name=name, status="fail", limit=limit, reason="the metric of these answers is not known")
    lost = f"{drop.value:.4f} lost on {samples} samples of val, at most this with {CONFIDENCE:.0%} confidence"
    return _at_most(name, _finite(drop.upper), limit, reason=lost)


def _group_check(groups: Sequence[tuple[str, str, int, Drop | None]], limit: float) -> tuple[Check, ...]:
    known = [(drop, column, value) for column, value, _, drop in groups if drop is not None]
    if not known:
        return ()
    worst, column, value = max(known, key=lambda entry: entry[0].upper)
    reason = f"{column} {value}: {worst.value:.4f} lost on {worst.samples} samples; {len(known)} groups judged"
    return (_at_most("worst_group_drop", _finite(worst.upper), limit, reason=reason),)


def _size_check(ratio: float, limit: float) -> tuple[Check, ...]:
    if limit >= ANY_SIZE:
        return ()
    return (_at_most("size_ratio", ratio, limit, reason="file size over that of the float file of the same format"),)


def _band(parity: Parity, limit: float) -> Check:
    name, reason = f"sqnr_{parity.output}", "decibels of signal over noise on val"
    if parity.sqnr_db is None:
        same = parity.max_relative_error == 0
        status: Literal["pass", "fail"] = "pass" if same else "fail"
        reason = "no value differs" if same else "an output is not a finite number"
        return Check(name=name, status=status, limit=limit, reason=reason)
    return _at_least(name, parity.sqnr_db, limit, reason=reason)


def _at_most(name: str, value: float | None, limit: float, *, reason: str) -> Check:
    if value is None:
        return Check(name=name, status="fail", limit=limit, reason="an output is not a finite number")
    passed = value <= limit + _ROUNDING
    return Check(name=name, status="pass" if passed else "fail", value=value, limit=limit, reason=reason)


def _at_least(name: str, value: float, limit: float, *, reason: str) -> Check:
    passed = value >= limit - _ROUNDING
    return Check(name=name, status="pass" if passed else "fail", value=value, limit=limit, reason=reason)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def worst(values: Sequence[float | None], *, of: Callable[[list[float]], float]) -> float | None:
    """Over all outputs; None where one has no value."""
    known = [value for value in values if value is not None]
    return of(known) if known and len(known) == len(values) else None
