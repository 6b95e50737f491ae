"""train: a model from the accepted samples."""

from typing import Any

from kfp.dsl import Artifact, Dataset, Input, Metrics, Model, Output


def train(
    params: dict[str, Any],
    dataset: Input[Dataset],
    validation: Input[Artifact],
    model: Output[Model],
    history: Output[Artifact],
    metrics: Output[Metrics],
):
    """Trains with the seed and threads of the section; stops the run below `train.min_metric`.

    Args:
        params: Section `train`.
        dataset: Of prepare_data.
        validation: Of validate_data.
        model: Folder with card and weights.
        history: Folder with curves, confusion matrix, cost and tracking ids.
        metrics: Metrics on val.
    """
    from pathlib import Path

    from edgeloop.errors import reported
    from edgeloop.files import write_json
    from edgeloop.gates import stop_unless_passed
    from edgeloop.params import section
    from edgeloop.training.fit import train as fit

    with reported("train"):
        summary = fit(
            section("train", params),
            dataset=Path(dataset.path),
            validation=Path(validation.path),
            model=Path(model.path),
            history=Path(history.path),
        )
        numbers = {name: value for name, value in summary.metrics.items() if isinstance(value, (int, float))}
        write_json(Path(metrics.path), numbers)
        metrics.metadata.update(numbers)
        stop_unless_passed(summary.checks, where="train", fix="train longer or lower train.min_metric")
