"""select: limits first, then the Pareto front, then the stated preference."""

from typing import Literal

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.variants import Check

Preference = Literal["latency", "accuracy", "size", "memory"]
LatencyQuantile = Literal["p50", "p90", "p95", "p99"]


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

    candidate: str
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
    prefer: Preference
    limits: SelectLimits
    reason: str
    candidates: tuple[Judged, ...]
