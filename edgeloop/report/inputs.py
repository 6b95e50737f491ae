"""Where the outputs of the steps lie that the page is about."""

from dataclasses import dataclass
from pathlib import Path

ARTIFACTS: dict[str, tuple[str, ...]] = {
    "params": ("check_params/checked",),
    "dataset": ("prepare_data/dataset",),
    "profile": ("prepare_data/profile",),
    "validation": ("validate_data/validation",),
    "model": ("train/model",),
    "history": ("train/history",),
    "converted": ("convert/converted",),
    "quantized": ("quantize/quantized",),
    "benchmark": ("benchmark/measurements", "benchmark/benchmark"),
    "selection": ("select/selection",),
    "evaluation": ("evaluate/evaluation",),
    "lineage": ("register/bundle/lineage.yaml",),
}
"""Field of `ReportInputs` → places below artifacts/, `<step>/<output>`; the first that exists counts."""


@dataclass(frozen=True)
class ReportInputs:
    """What the page is made of; a field that is None belongs to a step that did not run.

    Args:
        title: Name of the model.
        failure: Why the run stopped, one line; None when it did not.
        stopped_at: Step at which it stopped; None to let the page find out.
        params: JSON file of the validated parameters.
        dataset: Folder of `prepare_data`.
        profile: Folder or file of `prepare_data`.
        validation: Folder of `validate_data`.
        model: Folder of `train`.
        history: Folder of `train`: curves, metrics and confusion on val.
        converted: Variant set of `convert`.
        quantized: Variant set of `quantize`.
        benchmark: Folder with report.json and samples.parquet.
        selection: JSON file of `select`.
        evaluation: Folder of `evaluate`.
        lineage: lineage.yaml in the bundle of `register`.
        previous: lineage.yaml of the version before, to show what changed.
    """

    title: str = "run"
    failure: str | None = None
    stopped_at: str | None = None
    params: Path | None = None
    dataset: Path | None = None
    profile: Path | None = None
    validation: Path | None = None
    model: Path | None = None
    history: Path | None = None
    converted: Path | None = None
    quantized: Path | None = None
    benchmark: Path | None = None
    selection: Path | None = None
    evaluation: Path | None = None
    lineage: Path | None = None
    previous: Path | None = None


def of_artifacts(
    root: Path, *, title: str = "run", failure: str | None = None, stopped_at: str | None = None
) -> ReportInputs:
    """The inputs that lie under `root`, as every engine leaves them: `<root>/<step>/<output>`."""
    found = {name: _first_existing(root, places) for name, places in ARTIFACTS.items()}
    return ReportInputs(title=title, failure=failure, stopped_at=stopped_at, **found)


def _first_existing(root: Path, places: tuple[str, ...]) -> Path | None:
    return next((root / place for place in places if (root / place).exists()), None)
