"""convert: the trained model in every target format."""

from typing import Any

from kfp.dsl import Artifact, Dataset, Input, Model, Output


def convert(
    params: dict[str, Any],
    model: Input[Model],
    dataset: Input[Dataset],
    validation: Input[Artifact],
    converted: Output[Artifact],
):
    """Exports, checks and compares; stops the run when a file does not answer as the model does.

    Args:
        params: Section `convert`.
        model: Of train.
        dataset: Of prepare_data.
        validation: Of validate_data.
        converted: Folder of the variant set.
    """
    from pathlib import Path

    from edgeloop.conversion import convert as convert_model
    from edgeloop.errors import reported
    from edgeloop.gates import stop_unless_passed
    from edgeloop.params import section

    with reported("convert"):
        made = convert_model(
            section("convert", params),
            model=Path(model.path),
            dataset=Path(dataset.path),
            validation=Path(validation.path),
            converted=Path(converted.path),
        )
        converted.metadata["variants"] = [variant.name for variant in made.variants]
        converted.metadata["unmade"] = {variant.name: variant.reason for variant in made.unmade}
        for variant in made.variants:
            stop_unless_passed(variant.checks, where=variant.name, fix="see convert.max_relative_error")
