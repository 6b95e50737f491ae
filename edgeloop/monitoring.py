"""detect_drift: a window of telemetry against the model in use; the verdict decides, the page shows."""

from pathlib import Path

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.drift import DetectDriftParams, DriftVerdict, check, profile_file

REFERENCE_ROWS = Path("profile/reference.parquet")
"""In a bundle: feature rows of the training split, for the page."""


class Detection(Contract):
    """A verdict, and the model that it is about."""

    verdict: DriftVerdict
    model: str = Field(description="as it was named")
    subject_digest: str = Field(description="of that model")
    version: str | None = Field(description="in the registry; null for a bundle in a folder")

    def trigger(self, *, report_sha256: str) -> dict[str, str]:
        """What a retraining records: why, from which version, and on which evidence."""
        return {
            "reason": "drift",
            "parent": self.model if self.version is None else f"{self.model.partition('@')[0]} {self.version}",
            "drift_report_sha256": report_sha256,
        }


def detect_drift(params: DetectDriftParams, *, model: str, telemetry: Path, detection: Path, page: Path) -> Detection:
    """Compares a window with the profile in a model's bundle.

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
        found = Detection(
            verdict=verdict,
            model=model,
            subject_digest=bundle.manifest.subject_digest,
            version=references.version_of(model, bundle.manifest.subject_digest),
        )
    found.write(detection)
    return found
