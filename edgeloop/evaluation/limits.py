"""What the winner is held to on test. What could not be evaluated is never a pass."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from edgeloop.evaluation.parts import Part
from edgeloop.variants import Check

_NAMED = 5
"""Values that a reason names."""


def min_metric_check(value: float, limit: float) -> Check:
    """The metric on test against `evaluate.min_metric`."""
    if value >= limit:
        return Check(name="min_metric", status="pass", value=value, limit=limit)
    return Check(
        name="min_metric", status="fail", value=value, limit=limit, reason=f"{value:.4f} is less than {limit:.4f}"
    )


def gap_checks(parts: Sequence[Part], limit: float | None) -> tuple[Check, ...]:
    """Of every column, how far its worst value lies below its best; nothing without a limit."""
    if limit is None:
        return ()
    checks = []
    for column in dict.fromkeys(part.column for part in parts):
        metrics = {part.value: part.metric for part in parts if part.column == column and part.metric is not None}
        gap = max(metrics.values(), default=0.0) - min(metrics.values(), default=0.0)
        worst = min(metrics, key=lambda value: metrics[value], default="")
        reason = "" if gap <= limit else f"{column} {worst} lies {gap:.4f} below the best, more than {limit:.4f}"
        status: Literal["pass", "fail"] = "pass" if gap <= limit else "fail"
        checks.append(Check(name=f"gap_{column}", status=status, value=gap, limit=limit, reason=reason))
    return tuple(checks)


def min_by_checks(parts: Sequence[Part], limits: Mapping[str, float], *, least: int) -> tuple[Check, ...]:
    """Of every column with a limit, its worst value against it.

    Args:
        parts: Of all columns.
        limits: `evaluate.min_by`.
        least: Samples that a value needs to be judged.
    """
    return tuple(
        _lowest(
            f"min_by_{column}",
            [(part.value, part.metric, part.samples) for part in parts if part.column == column],
            limit=limit,
            least=least,
            none=f"no sample of test has {column}",
        )
        for column, limit in limits.items()
    )


def min_class_checks(metrics: Mapping[str, Any], limit: float | None, *, measure: str, least: int) -> tuple[Check, ...]:
    """The worst class against `evaluate.min_class_metric`; nothing without a limit.

    Args:
        metrics: Of the task; its `per_class` has a row a class with `class`, `support` and the measure.
        limit: None for none.
        measure: What of a class is judged.
        least: Samples or objects of a class that it needs to be judged.
    """
    if limit is None:
        return ()
    rows = [(row["class"], row.get(measure), row["support"]) for row in metrics.get("per_class", [])]
    none = "the task knows no classes"
    return (_lowest("min_class_metric", rows, limit=limit, least=least, none=none),)


def _lowest(name: str, rows: Sequence[tuple[str, float | None, int]], *, limit: float, least: int, none: str) -> Check:
    """A check of the lowest of some values: fail where one is too low, not evaluated where one could not be judged."""
    judged = {value: metric for value, metric, samples in rows if metric is not None and samples >= least}
    low = sorted((value for value in judged if judged[value] < limit), key=lambda value: judged[value])
    status: Literal["pass", "fail", "not evaluated"] = "pass"
    reasons = []
    if low:
        status = "fail"
        reasons.append(f"below {limit:.4f}: {_listed(f'{value} {judged[value]:.4f}' for value in low)}")
    if not rows:
        status, reasons = "not evaluated", [none]
    if unknown := [f"{value} ({samples})" for value, _, samples in rows if value not in judged]:
        status = status if low else "not evaluated"
        reasons.append(f"not judged, of fewer than {least} or not defined: {_listed(iter(unknown))}")
    value = None if status == "not evaluated" else min(judged.values())
    return Check(name=name, status=status, value=value, limit=limit, reason="; ".join(reasons))


def _listed(texts: Iterator[str]) -> str:
    every = list(texts)
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(every[:_NAMED]) + more
