"""evaluate: the winner, once, on the test split."""

from typing import Any

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.variants import Check


class EvaluateParams(Contract):
    """Section `evaluate`."""

    min_metric: float = Field(default=0.95, ge=0, le=1, description="of the task's metric on test; less stops the run")


class Evaluation(Contract):
    """What `evaluate` writes as evaluation.json."""

    format: int = 1
    candidate: str
    variant: str
    runtime: str
    samples: int
    metric: str
    metrics: dict[str, Any]
    checks: tuple[Check, ...]
