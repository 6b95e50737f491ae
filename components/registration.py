"""register: the bundle with its lineage, in the model registry."""

from typing import Any

from kfp.dsl import HTML, Artifact, Dataset, Input, Model, Output


def register(
    params: dict[str, Any],
    checked: Input[Artifact],
    dataset: Input[Dataset],
    profile: Input[Artifact],
    validation: Input[Artifact],
    model: Input[Model],
    history: Input[Artifact],
    converted: Input[Artifact],
    quantized: Input[Artifact],
    measurements: Input[Artifact],
    selection: Input[Artifact],
    evaluation: Input[Artifact],
    bundle: Output[Model],
    report: Output[HTML],
    trigger: dict[str, Any] = {},  # noqa: B006 -- KFP copies the default into the component
) -> str:
    """Writes the bundle, verifies it, pushes it, moves the alias last.

    Args:
        params: Section `register`.
        checked: Of check_params.
        dataset: Of prepare_data.
        profile: Of prepare_data.
        validation: Of validate_data.
        model: Of train.
        history: Of train.
        converted: Of convert.
        quantized: Of quantize.
        measurements: Of benchmark.
        selection: Of select.
        evaluation: Of evaluate.
        bundle: Folder with lineage.yaml, models and everything the lineage names.
        report: One page about the whole run.
        trigger: What set a retraining off; empty for a release that somebody asked for.

    Returns:
        The address of the registered version.
    """
    import tempfile
    from pathlib import Path

    from edgeloop.errors import reported
    from edgeloop.lineage.evidence import Trigger
    from edgeloop.lineage.packing import described
    from edgeloop.params import section
    from edgeloop.registration import register as register_model
    from edgeloop.report import ReportInputs, render

    with reported("register"), tempfile.TemporaryDirectory() as scratch:
        predecessor = Path(scratch) / "predecessor.yaml"
        registration = register_model(
            section("register", params),
            params_file=Path(checked.path),
            dataset=Path(dataset.path),
            profile=Path(profile.path),
            validation=Path(validation.path),
            model=Path(model.path),
            history=Path(history.path),
            converted=Path(converted.path),
            quantized=Path(quantized.path),
            benchmark=Path(measurements.path),
            selection=Path(selection.path),
            evaluation=Path(evaluation.path),
            bundle=Path(bundle.path),
            trigger=Trigger.model_validate(trigger) if trigger else None,
            predecessor=predecessor,
        )
        bundle.metadata.update(
            subject_digest=registration.subject_digest,
            uri=registration.uri,
            version=registration.version,
            promoted=registration.promotion.promoted,
            promotion=described(registration.promotion),
        )
        inputs = ReportInputs(
            title=registration.name,
            params=Path(checked.path),
            dataset=Path(dataset.path),
            profile=Path(profile.path),
            validation=Path(validation.path),
            model=Path(model.path),
            history=Path(history.path),
            converted=Path(converted.path),
            quantized=Path(quantized.path),
            benchmark=Path(measurements.path),
            selection=Path(selection.path),
            evaluation=Path(evaluation.path),
            lineage=Path(bundle.path) / "lineage.yaml",
            previous=predecessor if predecessor.exists() else None,
        )
        render(inputs, Path(report.path))
        return registration.uri
