"""Evidence: what a clock or a device decided about a subject.

Each piece is a statement of its own (`kind`, `subject_digest`, `body`), so that one can be signed apart and more can
be added later without touching the subject.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.lineage.subject import DIGEST_PATTERN
from edgeloop.variants import Check


class Winner(Contract):
    """The candidate that was selected, and the runtime that was measured with it."""

    candidate: str
    variant: str
    device: str
    device_class: str = Field(default="", description="devices for which this winner was measured")
    runtime: str
    threads: int = Field(ge=1)
    runtime_version: str | None
    runtime_sha256: str | None = Field(description="of the shared library that computes")


class CandidateSummary(Contract):
    """One row of the benchmark; the whole report lies in the bundle."""

    variant: str
    status: str
    reason: str
    profile: str
    samples: int | None
    p50_ms: float | None
    p90_ms: float | None
    p90_upper_ms: float | None = Field(description="99 % upper confidence bound")
    peak_memory_bytes: int | None
    accuracy: float | None = Field(description="the task's metric on val, of the very file that was timed")
    runtime_version: str | None
    runtime_sha256: str | None


class TrainingPart(Contract):
    """Seconds of one trial, or of one share of the learning curve."""

    wall_s: float
    cpu_s: float


class TrainingBody(Contract):
    """What the training cost; what it came to is in the subject."""

    wall_s: float
    cpu_s: float = Field(description="of all threads of the process")
    peak_memory_bytes: int | None
    energy_j: float | None
    energy_reason: str = Field(description="why it is null")
    parts: dict[str, TrainingPart] = Field(default_factory=dict, description="by name, where several were trained")


class BenchmarkBody(Contract):
    """What was measured."""

    metric: str
    reference: str = Field(description="variant that parity is against")
    candidates: dict[str, CandidateSummary]
    environments: dict[str, dict[str, Any]] = Field(description="by device")


class Rejection(Contract):
    """A candidate that was not chosen, and why."""

    rejected: bool = Field(description="false: within the limits, but not preferred")
    on_front: bool
    reasons: tuple[str, ...]


class SelectionBody(Contract):
    """The choice, and why not the others."""

    winner: Winner
    prefer: str
    limits: dict[str, Any]
    reason: str
    others: dict[str, Rejection]


class CorruptionsBody(Contract):
    """The sweep over corruptions: what it found, and judged by nothing."""

    samples: int
    seed: int
    reference: str = Field(description="float variant that the others are compared with; empty for none")
    metrics: dict[str, dict[str, tuple[float | None, ...]]] = Field(
        description="by variant and corruption the metric at each strength, weakest first; clean has one"
    )


class EvaluationBody(Contract):
    """The winner on the test split, once."""

    candidate: str
    samples: int
    metric: str
    metrics: dict[str, int | float]
    corruptions: CorruptionsBody | None = Field(default=None, description="null where there was no sweep")
    checks: tuple[Check, ...]


class VariantsBody(Contract):
    """What was judged of every variant that was built, before it was measured."""

    checks: dict[str, tuple[Check, ...]]


class Trigger(Contract):
    """What set a retraining off."""

    reason: Literal["schedule", "drift", "manual"]
    parent: str | None = Field(default=None, description="name and version that the parent had in the registry")
    drift_report_sha256: str | None = Field(default=None, description="of the verdict that set it off")
    window_digest: str | None = Field(default=None, description="of the telemetry that it was about")


class Promotion(Contract):
    """Whether the alias was to move to this model, decided before it was stored."""

    alias: str
    promoted: bool
    reason: str
    champion: str = Field(description="version that held the alias, empty for none")


class RunBody(Contract):
    """Circumstances of the run that wrote the bundle."""

    engine: str | None = Field(description="kfp.local, kfp, dvc, components; null for the library alone")
    edgeloop_version: str
    python_version: str
    host: str
    registered_at: str = Field(description="UTC, ISO 8601")
    commit: str | None = Field(description="of Git, null without it")
    dirty: bool | None = Field(description="sources differ from the commit")
    run_ids: dict[str, str]
    trigger: Trigger | None = None
    promotion: Promotion | None = None


class _Piece(Contract):
    subject_digest: str = Field(pattern=DIGEST_PATTERN)


class TrainingEvidence(_Piece):
    """The cost of one training."""

    kind: Literal["training"] = "training"
    body: TrainingBody


class BenchmarkEvidence(_Piece):
    """One benchmark report."""

    kind: Literal["benchmark"] = "benchmark"
    body: BenchmarkBody


class SelectionEvidence(_Piece):
    """One selection."""

    kind: Literal["selection"] = "selection"
    body: SelectionBody


class EvaluationEvidence(_Piece):
    """One evaluation on test."""

    kind: Literal["evaluation"] = "evaluation"
    body: EvaluationBody


class VariantsEvidence(_Piece):
    """The gates of convert and quantize."""

    kind: Literal["variants"] = "variants"
    body: VariantsBody


class RunEvidence(_Piece):
    """One run."""

    kind: Literal["run"] = "run"
    body: RunBody


Evidence = Annotated[
    TrainingEvidence | BenchmarkEvidence | SelectionEvidence | EvaluationEvidence | VariantsEvidence | RunEvidence,
    Field(discriminator="kind"),
]
