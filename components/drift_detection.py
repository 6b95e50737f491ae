"""detect_drift: does what the devices see still look like the training data?"""

from typing import Any

from kfp.dsl import HTML, Artifact, Output


def detect_drift(
    params: dict[str, Any],
    model: str,
    telemetry: str,
    detection: Output[Artifact],
    report: Output[HTML],
) -> str:
    """Compares a window of telemetry with the profile that travels with the model in use.

    Args:
        params: Section `detect_drift`.
        model: NAME@ALIAS, or a bundle's folder.
        telemetry: Parquet or CSV file, a row a sample.
        detection: JSON file with the verdict for every feature, and the decision.
        report: Evidently's page, for people; it decides nothing.

    Returns:
        `retrain` or `keep`: alone, because kfp.local can put a condition on a task's only output and on no other.
    """
    from pathlib import Path

    from edgeloop.errors import reported
    from edgeloop.monitoring import detect_drift as detect
    from edgeloop.params import section

    with reported("detect_drift"):
        found = detect(
            section("detect_drift", params),
            model=model,
            telemetry=Path(telemetry),
            detection=Path(detection.path),
            page=Path(report.path),
        )
        detection.metadata.update(status=found.verdict.status, decision=found.decision, reason=found.reason)
        return found.decision
