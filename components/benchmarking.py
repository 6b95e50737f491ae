"""benchmark: every candidate measured on its device."""

from typing import Any

from kfp.dsl import Artifact, Dataset, Input, Output


def benchmark(
    params: dict[str, Any],
    converted: Input[Artifact],
    quantized: Input[Artifact],
    dataset: Input[Dataset],
    validation: Input[Artifact],
    measurements: Output[Artifact],
):
    """Measures all accepted variants on all targets, interleaved; one row for every candidate.

    Stops the run when none could be measured and measuring again may help, so that no engine keeps such a result.

    Args:
        params: Section `benchmark`.
        converted: Of convert.
        quantized: Of quantize.
        dataset: Of prepare_data.
        validation: Of validate_data.
        measurements: Folder with the report and the raw samples.
    """
    from pathlib import Path

    from edgeloop.benchmarking.measurement import benchmark as measure
    from edgeloop.errors import reported
    from edgeloop.gates import stop_unless_measured
    from edgeloop.params import section

    with reported("benchmark"):
        report = measure(
            section("benchmark", params),
            converted=Path(converted.path),
            quantized=Path(quantized.path),
            dataset=Path(dataset.path),
            validation=Path(validation.path),
            benchmark=Path(measurements.path),
        )
        measurements.metadata["status"] = {row.candidate: row.status for row in report.rows}
        stop_unless_measured(report.rows, where="benchmark")
