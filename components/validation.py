"""validate_data: which samples may be used, and whether the run may go on."""

from typing import Any

from kfp.dsl import HTML, Artifact, Dataset, Input, Output


def validate_data(
    params: dict[str, Any],
    dataset: Input[Dataset],
    profile: Input[Artifact],
    validation: Output[Artifact],
    report: Output[HTML],
):
    """Judges the dataset by the suite; stops the run when the verdict is no.

    Args:
        params: Section `validate_data`.
        dataset: Of prepare_data.
        profile: Of prepare_data.
        validation: Folder with verdict, accepted and quarantined samples.
        report: Page for people.
    """
    from pathlib import Path

    from edgeloop.data.validation import validate
    from edgeloop.errors import GateRefused, reported
    from edgeloop.params import section

    with reported("validate_data"):
        verdict = validate(
            section("validate_data", params),
            dataset=Path(dataset.path),
            profile=Path(profile.path),
            validation=Path(validation.path),
            report=Path(report.path),
        )
        validation.metadata["status"] = verdict.status
        if verdict.status != "pass":
            raise GateRefused(verdict.reason, where="validate_data", fix="see the data report, mend or quarantine")
