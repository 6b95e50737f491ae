"""select: limits first, then the Pareto front, then the stated preference.

The rules:

1. A candidate whose row is not `pass` is rejected. So is one that breaks a limit, and one for which a limit could not
   be evaluated: what is not known is not a pass. All reasons are kept, not the first one only.
2. A variant that `quantize` refused was never measured; it is listed as rejected, with the reasons of `quantize`.
3. Latency is judged by the upper 99 % bound of the stated quantile, never by the quantile itself.
4. Of what remains, those that no other beats stand on the Pareto front over accuracy, latency bound, peak memory and
   size; what is not known counts as worst.
5. The preference picks one of the front. Ties fall to accuracy, then latency, then size, then name.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from edgeloop.benchmarking import BenchmarkReport, CandidateRow, Target
from edgeloop.contract import Contract
from edgeloop.variants import Check, UnmadeVariant, Variant, VariantSet

Preference = Literal["latency", "accuracy", "size", "memory"]
LatencyQuantile = Literal["p50", "p90", "p95", "p99"]

_ROUNDING = 1e-9
"""Of a difference of two shares: 0.98 - 0.97 is a little more than 0.01."""


class SelectLimits(Contract):
    """Hard limits; null is no limit."""

    max_accuracy_drop: float | None = Field(default=None, ge=0, le=1, description="on val, against the float reference")
    max_latency_ms: float | None = Field(default=None, gt=0, description="on the upper bound of latency_quantile")
    latency_quantile: LatencyQuantile = "p90"
    max_latency_ratio: float | None = Field(
        default=None, gt=0, description="p50 over that of the float reference on the same target"
    )
    max_size_bytes: int | None = Field(default=None, gt=0)
    max_memory_bytes: int | None = Field(default=None, gt=0, description="peak memory")


class SelectParams(Contract):
    """Section `select`."""

    limits: SelectLimits = SelectLimits()
    prefer: Preference = Field(default="latency", description="which point of the Pareto front wins")


class Judged(Contract):
    """One candidate before the limits."""

    candidate: str = Field(description="of a variant that was never measured, the variant's name")
    variant: str
    checks: tuple[Check, ...]
    rejected: bool
    on_front: bool = False
    reasons: tuple[str, ...] = Field(default=(), description="why it was rejected or not chosen")


class Selection(Contract):
    """The choice, and why not the others."""

    format: int = 1
    winner: str | None = Field(description="candidate; null when the limits leave none")
    variant: str | None
    target: Target | None = Field(default=None, description="of the winner")
    prefer: Preference
    limits: SelectLimits
    reason: str
    candidates: tuple[Judged, ...]


def select(params: SelectParams, *, benchmark: Path, quantized: Path, selection: Path) -> Selection:
    """Chooses, and writes the choice to the JSON file `selection`.

    Args:
        params: Section `select`.
        benchmark: Folder of benchmark.
        quantized: Variant set of quantize.
        selection: File to write.

    Raises:
        InputFault: A file of an earlier step is missing.
        ModelFault: One is not what it should be.
    """
    report = BenchmarkReport.read(benchmark / "report.json")
    refused = [variant for variant in VariantSet.of(quantized).variants if not variant.accepted]
    choice = chosen(report, refused, params)
    choice.write(selection)
    return choice


def chosen(report: BenchmarkReport, rejected_variants: Sequence[Variant], params: SelectParams) -> Selection:
    """The choice among the rows of `report`.

    Args:
        report: Of benchmark.
        rejected_variants: Those that quantize refused.
        params: Limits and preference.
    """
    limits = params.limits
    checks = {row.candidate: _checks(row, report, limits) for row in report.rows}
    within = [row for row in report.rows if all(check.status == "pass" for check in checks[row.candidate])]
    front = [row for row in within if not _better(row, within, limits)]
    winner = min(front, key=lambda row: _rank(row, params), default=None)
    judged = [
        Judged(
            candidate=row.candidate,
            variant=row.variant,
            checks=checks[row.candidate],
            rejected=row not in within,
            on_front=row in front,
            reasons=_reasons(row, checks[row.candidate], within=within, winner=winner, params=params),
        )
        for row in report.rows
    ]
    return Selection(
        winner=winner.candidate if winner else None,
        variant=winner.variant if winner else None,
        target=winner.target if winner else None,
        prefer=params.prefer,
        limits=limits,
        reason=_reason(winner, within=within, judged=judged, params=params),
        candidates=(*judged, *map(_refused, rejected_variants), *map(_unmade, report.unmade)),
    )


def _checks(row: CandidateRow, report: BenchmarkReport, limits: SelectLimits) -> tuple[Check, ...]:
    """The row's own status, and every limit that was set."""
    measured = Check(name="measured", status=row.status, reason=row.reason)
    drop = _accuracy_drop(row, report)
    latency_ms, no_latency = _latency_bound(row, limits)
    judged = (
        _check("max_accuracy_drop", drop, limits.max_accuracy_drop, row.accuracy_reason or "no accuracy to compare"),
        _check("max_latency_ms", latency_ms, limits.max_latency_ms, no_latency),
        _check("max_latency_ratio", row.latency_ratio, limits.max_latency_ratio, "no fp32 candidate on this target"),
        _check("max_size_bytes", row.size_bytes, limits.max_size_bytes, ""),
        _check("max_memory_bytes", row.peak_memory_bytes, limits.max_memory_bytes, "no peak memory"),
    )
    return (measured, *(check for check in judged if check is not None))


def _check(name: str, value: float | None, limit: float | None, unknown: str) -> Check | None:
    """`value` against an upper limit; null where no limit was set."""
    if limit is None:
        return None
    if value is None:
        return Check(name=name, status="not evaluated", limit=limit, reason=unknown)
    if value <= limit + _ROUNDING:
        return Check(name=name, status="pass", value=value, limit=limit)
    return Check(name=name, status="fail", value=value, limit=limit, reason=f"{value:.6g} is more than {limit:.6g}")


def _accuracy_drop(row: CandidateRow, report: BenchmarkReport) -> float | None:
    """Of the row against the reference variant, wherever that one was measured first."""
    reference = next(
        (other.accuracy for other in report.rows if other.variant == report.reference and other.accuracy is not None),
        None,
    )
    return None if reference is None or row.accuracy is None else reference - row.accuracy


def _latency_bound(row: CandidateRow, limits: SelectLimits) -> tuple[float | None, str]:
    """The upper bound of the chosen quantile in ms, or why there is none."""
    if row.latency is None:
        return None, "no latency"
    bound: float | None = getattr(row.latency, limits.latency_quantile).upper_ms
    return bound, f"{row.latency.samples} samples are too few for a bound on {limits.latency_quantile}"


def _objectives(row: CandidateRow, limits: SelectLimits) -> tuple[float, float, float, float]:
    """Accuracy, latency bound, memory and size, each such that less is better; what is not known is worst."""
    bound_ms, _ = _latency_bound(row, limits)
    values = (None if row.accuracy is None else -row.accuracy, bound_ms, row.peak_memory_bytes, row.size_bytes)
    accuracy, latency, memory, size = (math.inf if value is None else float(value) for value in values)
    return accuracy, latency, memory, size


def _better(row: CandidateRow, rows: Sequence[CandidateRow], limits: SelectLimits) -> CandidateRow | None:
    """A row that is nowhere worse than `row` and somewhere better: the best of them, so that the reason is the same."""
    own = _objectives(row, limits)
    beating = [
        other
        for other in rows
        if (theirs := _objectives(other, limits)) != own and all(t <= o for t, o in zip(theirs, own, strict=True))
    ]
    return min(beating, key=lambda other: (_objectives(other, limits), other.candidate), default=None)


def _rank(row: CandidateRow, params: SelectParams) -> tuple[float, float, float, float, str]:
    """What decides on the front, less first: the preference, then accuracy, latency, size and name."""
    accuracy, latency, _, size = _objectives(row, params.limits)
    return _preferred(row, params), accuracy, latency, size, row.candidate


def _preferred(row: CandidateRow, params: SelectParams) -> float:
    accuracy, latency, memory, size = _objectives(row, params.limits)
    return {"accuracy": accuracy, "latency": latency, "memory": memory, "size": size}[params.prefer]


def _reasons(
    row: CandidateRow,
    checks: Sequence[Check],
    *,
    within: Sequence[CandidateRow],
    winner: CandidateRow | None,
    params: SelectParams,
) -> tuple[str, ...]:
    """Why a candidate is not the winner; none for the winner."""
    broken = [check for check in checks if check.status != "pass"]
    if broken:
        return tuple(_of_check(check) for check in broken)
    if row is winner or winner is None:
        return ()
    if better := _better(row, within, params.limits):
        return (f"dominated by {better.candidate}: nowhere better, and somewhere worse",)
    if _preferred(row, params) == _preferred(winner, params):
        return (f"on the front, level with {winner.candidate} in {params.prefer}; the tie falls to the other",)
    return (f"on the front, but {params.prefer} prefers {winner.candidate}: {_compared(row, winner, params)}",)


def _of_check(check: Check) -> str:
    if check.name == "measured":
        return f"{check.status}: {check.reason}"
    return f"{check.name} {check.status}: {check.reason}" if check.reason else f"{check.name} {check.status}"


def _refused(variant: Variant) -> Judged:
    """A variant that quantize refused."""
    broken = [check for check in variant.checks if check.status != "pass"]
    reasons = tuple(f"refused by quantize: {_of_check(check)}" for check in broken)
    return Judged(candidate=variant.name, variant=variant.name, checks=variant.checks, rejected=True, reasons=reasons)


def _unmade(variant: UnmadeVariant) -> Judged:
    """A variant that could not be made where the model was converted."""
    made = Check(name="made", status="not evaluated", reason=variant.reason)
    return Judged(
        candidate=variant.name,
        variant=variant.name,
        checks=(made, *variant.checks),
        rejected=True,
        reasons=(f"not evaluated: {variant.reason}",),
    )


def _compared(row: CandidateRow, winner: CandidateRow, params: SelectParams) -> str:
    return f"{_shown(row, params)} against {_shown(winner, params)}"


def _shown(row: CandidateRow, params: SelectParams) -> str:
    """The value of the preferred objective, with its unit."""
    value = _preferred(row, params)
    if math.isinf(value):
        return "unknown"
    show: dict[Preference, Callable[[], str]] = {
        "accuracy": lambda: f"{-value:.4f}",
        "latency": lambda: f"{value:.4g} ms ({params.limits.latency_quantile}, upper bound)",
        "memory": lambda: f"{value / 1e6:.1f} MB",
        "size": lambda: f"{value:.0f} bytes",
    }
    return show[params.prefer]()


def _reason(
    winner: CandidateRow | None, *, within: Sequence[CandidateRow], judged: Sequence[Judged], params: SelectParams
) -> str:
    """The choice in one sentence."""
    if winner is not None:
        best = "highest" if params.prefer == "accuracy" else "lowest"
        rejected = len(judged) - len(within)
        return (
            f"{winner.candidate} has the {best} {params.prefer}, {_shown(winner, params)}, of {len(within)} within the"
            f" limits; {rejected} rejected"
        )
    reasons = "; ".join(f"{other.candidate}: {', '.join(other.reasons)}" for other in judged)
    return f"no candidate is within the limits ({reasons or 'none was measured'})"
