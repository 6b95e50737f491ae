"""Measurement of candidates: section `benchmark` of the parameters and the report's contract.

A target is device + runtime + threads; a candidate is a variant on a target, named
`<variant>@<device>-<runtime>-<threads>t`, such as `onnx-int8@local-onnxruntime-1t`.
"""

from typing import Any, Literal

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.runtimes import Placement
from edgeloop.variants import Check, UnmadeVariant

Status = Literal["pass", "fail", "invalid", "not evaluated"]
ProfileName = Literal["quick", "standard", "strict"]


class Target(Contract):
    """Where and how variants run."""

    device: str = Field(default="local", description="name of a file in manifests/devices")
    runtime: str = Field(default="onnxruntime", description="plug-in of edgeloop.runtimes")
    threads: int = Field(default=1, ge=1, le=256)

    @property
    def name(self) -> str:
        """`<device>-<runtime>-<threads>t`."""
        return f"{self.device}-{self.runtime}-{self.threads}t"


class BenchmarkParams(Contract):
    """Section `benchmark`."""

    targets: tuple[Target, ...] = Field(default=(Target(runtime="torch"), Target(runtime="onnxruntime")), min_length=1)
    profile: ProfileName = "quick"
    seed: int = Field(default=0, ge=0, lt=2**32, description="of the order in which candidates take turns")


class Quantile(Contract):
    """A quantile of the latency and its one-sided 99 % upper confidence bound, by order statistics."""

    value_ms: float
    upper_ms: float | None = Field(description="null where the sample is too small for a bound")


class Latency(Contract):
    """Steady-state latency of one inference, batch 1."""

    samples: int
    p50: Quantile
    p90: Quantile
    p95: Quantile
    p99: Quantile
    minimum_ms: float
    mean_ms: float
    maximum_ms: float
    throughput_per_s: float = Field(description="inferences a second, one after another")


class CandidateRow(Contract):
    """Everything that is known of one candidate. There is one row for every candidate, always."""

    candidate: str
    variant: str
    target: Target
    status: Status
    reason: str = Field(default="", description="why the status is not `pass`")
    profile: ProfileName
    size_bytes: int
    load_ms: float | None = None
    first_ms: float | None = None
    preprocess_ms: float | None = Field(default=None, description="p50 of decode + resize + normalise of a real sample")
    warm_up_queries: int | None = None
    latency: Latency | None = None
    block: int | None = Field(
        default=None, description="queries timed together; above 1 the quantiles are those of block means"
    )
    clock_cost_ns: int | None = Field(default=None, description="of timing one block; a block lasts 50 times that")
    restart_p50_ms: tuple[float, ...] = Field(default=(), description="of each process start, in order: their spread")
    rounds_kept: int = 0
    rounds_dropped: int = Field(default=0, description="because something else had the CPU; their samples are kept raw")
    latency_ratio: float | None = Field(
        default=None, description="p50 over that of the fp32 candidate on the same target, round by round, median"
    )
    peak_memory_bytes: int | None = Field(default=None, description="VmHWM of a process that only loads and runs it")
    energy_mj: float | None = None
    energy_reason: str = Field(default="", description="where the energy comes from, or why there is none")
    accuracy: float | None = Field(
        default=None, description="the task's metric on val, of the very file that was timed"
    )
    accuracy_reason: str = Field(default="", description="why there is no accuracy")
    agreement: float | None = Field(
        default=None, description="share of val samples answered as by the reference variant"
    )
    max_relative_error: float | None = Field(default=None, description="against the reference variant's outputs")
    contention: float | None = Field(default=None, description="process time over wall time and threads while timed")
    runtime_version: str | None = None
    runtime_sha256: str | None = None
    placement: Placement | None = Field(default=None, description="null where the runtime does not tell")


class BenchmarkReport(Contract):
    """What `benchmark` writes as report.json; the raw samples lie beside it in samples.parquet."""

    format: int = 1
    protocol: dict[str, Any] = Field(description="durations, counts and rules of the profile")
    reference: str = Field(description="name of the variant that parity is against")
    metric: str = Field(description="name of the task's metric")
    environments: dict[str, dict[str, Any]] = Field(description="by device: class, before and after")
    rows: tuple[CandidateRow, ...]
    checks: tuple[Check, ...] = ()
    unmade: tuple[UnmadeVariant, ...] = Field(default=(), description="variants that there is no file of to measure")
