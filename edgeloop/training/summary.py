"""The summary of a training: everything about it that code, parameters, seed, data and the CPU decide."""

from pathlib import Path
from typing import Any

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.lineage.subject import Parent, TrialRecord
from edgeloop.variants import Check

SUMMARY_FILE = "training.json"


class GrowthPoint(Contract):
    """What was reached with a part of train."""

    share: float = Field(description="of train, 1 for the model that goes on")
    samples: int
    metric: float | None = Field(default=None, description="of the best epoch on val; null where there is none")
    val_loss: float | None = None
    fault: str = Field(default="", description="why there is no metric")


class TrainingSummary(Contract):
    """What `train` writes as training.json beside the model; no clock has a say in it."""

    format: int = 1
    metric: str = Field(description="name of the task's metric")
    metrics: dict[str, Any] = Field(description="all metrics of the task on val, JSON types")
    checks: tuple[Check, ...] = Field(description="train.min_metric")
    train_loss: float = Field(description="mean over the best epoch")
    val_loss: float = Field(description="after the best epoch")
    epochs: int
    best_epoch: int = Field(description="from 1; its weights are the model's")
    steps: int = Field(description="updates of the weights in all epochs")
    samples: dict[str, int] = Field(description="that were used, by split")
    augmented: tuple[int, ...] = Field(
        default=(), description="samples of train by the entry of train.augment that is theirs"
    )
    seed: int
    threads: int
    cpu_features: dict[str, Any] = Field(description="by which the kernels are chosen, and so the rounding")
    torch_version: str
    weights_sha256: str = Field(description="of weights.safetensors")
    parent: Parent | None = Field(default=None, description="the model that training began with")
    trials: tuple[TrialRecord, ...] = Field(default=(), description="of train.trials, in their order")
    learning_curve: tuple[GrowthPoint, ...] = Field(default=(), description="of train.learning_curve, rising")

    @classmethod
    def of(cls, folder: Path) -> "TrainingSummary":
        """The summary in a folder of `train`."""
        return cls.read(folder / SUMMARY_FILE)


def min_metric_check(value: float, *, name: str, limit: float) -> Check:
    """The judgement of `train.min_metric` on the metric `name` of val."""
    passed = value >= limit
    reason = "" if passed else f"{name} on val is {value:.4f}, below train.min_metric {limit:.4f}"
    return Check(name="min_metric", status="pass" if passed else "fail", value=value, limit=limit, reason=reason)
