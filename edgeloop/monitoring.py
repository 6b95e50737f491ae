"""detect_drift: a window of telemetry against the model in use; the verdict decides, the page shows."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from edgeloop.canonical import sha256_of_file
from edgeloop.contract import Contract
from edgeloop.drift import DetectDriftParams, DriftVerdict, check, profile_file
from edgeloop.lineage.evidence import Trigger

REFERENCE_ROWS = Path("profile/reference.parquet")
"""In a bundle: feature rows of the training split, for the page."""


class Detection(Contract):
    """A verdict, the model that it is about, and what to do."""

    decision: Literal["retrain", "keep"]
    reason: str
    verdict: DriftVerdict
    model: str = Field(description="as it was named")
    version: str | None = Field(description="of the model in the registry; null for a bundle in a folder")
    subject_digest: str = Field(description="of the model")


def trigger_of(detection: Path) -> Trigger:
    """What a retraining records of the detection in a file: why, from which version, and on which evidence."""
    found = Detection.read(detection)
    return Trigger(
        reason="drift",
        parent=found.model if found.version is None else f"{found.model.partition('@')[0]} {found.version}",
        drift_report_sha256=sha256_of_file(detection),
        window_digest=found.verdict.window_digest,
    )


def detect_drift(params: DetectDriftParams, *, model: str, telemetry: Path, detection: Path, page: Path) -> Detection:
    """Compares a window with the profile in a model's bundle and decides whether to retrain.

    A window that has set off a version already, by its digest among the registry's tags, sets off no second one.

    Args:
        params: Section `detect_drift`.
        model: A bundle's folder, or NAME@ALIAS.
        telemetry: Parquet or CSV, see `edgeloop.telemetry`.
        detection: JSON file to write.
        page: HTML file to write.

    Raises:
        DataFault: The telemetry cannot be used.
        InputFault, ModelFault, ServerFault: The model cannot be had.
    """
    from edgeloop import references
    from edgeloop.drift_page import write_page

    with references.opened(model) as bundle:
        verdict = check(params, reference=profile_file(bundle.folder), current=telemetry)
        write_page(page, reference=bundle.folder / REFERENCE_ROWS, current=telemetry, rows=params.page_rows)
        subject_digest = bundle.manifest.subject_digest
    acted = references.version_set_off_by(model, verdict.window_digest)
    retrain = verdict.status == "drift" and acted is None
    found = Detection(
        decision="retrain" if retrain else "keep",
        reason=verdict.reason if acted is None else f"this window has set off version {acted} already",
        verdict=verdict,
        model=model,
        version=references.version_of(model, subject_digest),
        subject_digest=subject_digest,
    )
    found.write(detection)
    return found
