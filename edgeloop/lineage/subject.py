"""The subject: only what follows from code, parameters, seed and data, before anything is measured.

Two runs of the same code with the same parameters, seeds and data give the same subject in any folder, on any engine,
at any time; equal threads and CPU features are part of that promise. So no path, date, host name or address of a
registry stands in here.
"""

from typing import Any

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.data.governance import Governance
from edgeloop.variants import Precision, Tool, Variant

DIGEST_PATTERN = r"^sha256:[0-9a-f]{64}$"
SHA256_PATTERN = r"^[0-9a-f]{64}$"


class DataRecord(Contract):
    """The samples that the model saw and was judged on."""

    source: str = Field(description="plug-in that read the raw data")
    classes: tuple[str, ...]
    prepared: dict[str, str] = Field(description="digest of each split as prepare_data wrote it")
    accepted: dict[str, str] = Field(description="digest of each split as validate_data let it pass")
    calibration: str | None = Field(description="digest of the calibration set, null where nothing was calibrated")
    governance: Governance = Governance()


class SuiteRecord(Contract):
    """The expectations that let the data pass."""

    name: str
    sha256: str = Field(pattern=SHA256_PATTERN)


class TrialRecord(Contract):
    """One entry of train.trials after its training."""

    overrides: dict[str, Any] = Field(description="fields of section `train` that it had otherwise")
    metric: float | None = Field(default=None, description="the task's, of the best epoch on val; null: it diverged")
    val_loss: float | None = Field(default=None, description="of that epoch")
    parameters: int | None = Field(default=None, description="number of trained values; null: it diverged")
    epochs: int = Field(description="that were finished")
    best_epoch: int | None = Field(default=None, description="from 1")
    steps: int = Field(description="updates of the weights")
    chosen: bool = Field(default=False, description="its weights are the model's")
    fault: str = Field(default="", description="why there is no metric")


class TrainingRecord(Contract):
    """How the weights came to be, and how good they were on val."""

    threads: int = Field(ge=1, description="computing threads; another number gives other weights")
    cpu_features: dict[str, Any] = Field(description="by which kernels are chosen, and so how sums are rounded")
    metrics: dict[str, int | float] = Field(description="on val")
    trials: tuple[TrialRecord, ...] = Field(default=(), description="what was compared on val, in order")


class VariantRecord(Contract):
    """One model file that was built, in the bundle or not."""

    format: str
    precision: Precision
    sha256: str = Field(pattern=SHA256_PATTERN)
    size_bytes: int = Field(ge=0)
    made_by: Tool = Field(description="converter or quantizer")
    made_from: str | None = Field(description="variant it was made from, null for the trained weights")


def record_of(variant: Variant) -> VariantRecord:
    """What the subject says of a variant; how it was judged is evidence."""
    return VariantRecord(
        format=variant.format,
        precision=variant.precision,
        sha256=variant.sha256,
        size_bytes=variant.size_bytes,
        made_by=variant.made_by,
        made_from=variant.made_from,
    )


class Parent(Contract):
    """The model that training began with.

    Which version of which registry that was, and what set the training off, is evidence: the same weights under
    another name are the same parent.
    """

    subject_digest: str | None = Field(
        default=None, pattern=DIGEST_PATTERN, description="null: a weights file without a bundle"
    )
    sha256: str = Field(pattern=SHA256_PATTERN, description="of the weights file")

    @property
    def digest(self) -> str:
        """Of the subject, or of the weights file where there is no bundle."""
        return self.subject_digest or f"sha256:{self.sha256}"


class Subject(Contract):
    """What the model is made of."""

    code: str = Field(pattern=DIGEST_PATTERN, description="edgeloop.lineage.code")
    params: dict[str, Any] = Field(description="validated parameters without places, see edgeloop.lineage.assembly")
    seeds: dict[str, int] = Field(description="by section of the parameters")
    data: DataRecord
    validation: SuiteRecord
    training: TrainingRecord
    card_sha256: str = Field(pattern=SHA256_PATTERN, description="of models/model.json: task, classes, preprocessing")
    variants: dict[str, VariantRecord] = Field(description="every variant that was built, by name")
    parent: Parent | None = None
