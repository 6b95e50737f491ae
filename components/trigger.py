"""describe_trigger: what a retraining is to record of the drift that set it off."""

from kfp.dsl import Artifact, Input


def describe_trigger(detection: Input[Artifact]) -> dict:
    """Reads the trigger from the detection.

    Args:
        detection: Of detect_drift.

    Returns:
        Reason, parent, digest of the window and of the verdict, see `edgeloop.lineage.evidence.Trigger`.
    """
    from pathlib import Path

    from edgeloop.errors import reported
    from edgeloop.monitoring import trigger_of

    with reported("describe_trigger"):
        return trigger_of(Path(detection.path)).set_values()
