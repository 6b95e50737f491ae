"""evaluate: the winner, once, on the test split."""

from typing import Any

from kfp.dsl import Artifact, ClassificationMetrics, Dataset, Input, Metrics, Output


def evaluate(
    params: dict[str, Any],
    selection: Input[Artifact],
    converted: Input[Artifact],
    quantized: Input[Artifact],
    dataset: Input[Dataset],
    validation: Input[Artifact],
    evaluation: Output[Artifact],
    metrics: Output[Metrics],
    confusion: Output[ClassificationMetrics],
):
    """Runs the winner on test; stops the run where a limit of section `evaluate` is missed.

    Args:
        params: Section `evaluate`.
        selection: Of select.
        converted: Of convert.
        quantized: Of quantize.
        dataset: Of prepare_data.
        validation: Of validate_data.
        evaluation: Folder with metrics and pictures.
        metrics: Metrics on test.
        confusion: Confusion matrix on test.
    """
    from pathlib import Path

    from edgeloop.errors import reported
    from edgeloop.evaluation import evaluate as evaluate_winner
    from edgeloop.files import write_json
    from edgeloop.gates import stop_unless_passed
    from edgeloop.params import section

    with reported("evaluate"):
        outcome = evaluate_winner(
            section("evaluate", params),
            selection=Path(selection.path),
            converted=Path(converted.path),
            quantized=Path(quantized.path),
            dataset=Path(dataset.path),
            validation=Path(validation.path),
            evaluation=Path(evaluation.path),
        )
        numbers = {name: value for name, value in outcome.metrics.items() if isinstance(value, (int, float))}
        write_json(Path(metrics.path), numbers)
        metrics.metadata.update(numbers)
        names = outcome.metrics.get("confusion_classes", list(outcome.classes))
        matrix = {"classes": names, "matrix": outcome.metrics.get("confusion", [])}
        write_json(Path(confusion.path), matrix)
        if matrix["matrix"]:
            confusion.log_confusion_matrix(names, matrix["matrix"])
        stop_unless_passed(outcome.checks, where="evaluate", fix="see the limits in section evaluate")
