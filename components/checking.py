"""check_params: the whole of the parameters is right before anything expensive starts."""

from typing import Any

from kfp.dsl import Artifact, Output


def check_params(
    prepare_data: dict[str, Any],
    validate_data: dict[str, Any],
    train: dict[str, Any],
    convert: dict[str, Any],
    quantize: dict[str, Any],
    benchmark: dict[str, Any],
    select: dict[str, Any],
    evaluate: dict[str, Any],
    register: dict[str, Any],
    checked: Output[Artifact],
):
    """Validates all sections together and hands them on with their defaults filled in.

    Args:
        prepare_data: Section of params.yaml, as all that follow.
        validate_data: Section.
        train: Section.
        convert: Section.
        quantize: Section.
        benchmark: Section.
        select: Section.
        evaluate: Section.
        register: Section.
        checked: JSON of the validated whole.
    """
    from pathlib import Path

    from edgeloop.errors import reported
    from edgeloop.params import validated

    with reported("check_params"):
        sections = {
            "prepare_data": prepare_data,
            "validate_data": validate_data,
            "train": train,
            "convert": convert,
            "quantize": quantize,
            "benchmark": benchmark,
            "select": select,
            "evaluate": evaluate,
            "register": register,
        }
        params = validated(sections, where="parameters of this run")
        params.write(Path(checked.path))
        checked.metadata["digest"] = params.digest
