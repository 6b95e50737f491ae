"""What goes into a bundle, and what a registry shows of it."""

from collections.abc import Sequence
from pathlib import Path

from edgeloop.bundle import Content
from edgeloop.data.dataset import Dataset
from edgeloop.errors import ModelFault, translated
from edgeloop.lineage import card
from edgeloop.lineage.assembly import Materials, StepOutputs
from edgeloop.lineage.evidence import Promotion, RunBody
from edgeloop.lineage.manifest import Manifest
from edgeloop.lineage.samples import SAMPLES_FILE, packed_samples
from edgeloop.variants import PlacedVariant, VariantSet

WINDOW_TAG = "trigger_window"
"""Tag of a version that a window of telemetry set off: the same window sets off no second one."""


def contents_of(outputs: StepOutputs, materials: Materials, manifest: Manifest) -> dict[str, Content]:
    """Everything that goes into the bundle, by path."""
    accepted = [placed for placed in materials.variants.values() if placed.variant.accepted]
    variants = VariantSet(variants=tuple(placed.variant for placed in accepted), calibration=materials.calibration)
    return {
        card.FILE: card.card_text(manifest),
        "data/dataset.json": outputs.dataset / "dataset.json",
        "data/verdict.json": outputs.validation / "verdict.json",
        SAMPLES_FILE: packed_samples(Dataset(outputs.dataset, outputs.validation).samples),
        "profile/profile.json": outputs.profile,
        "profile/reference.parquet": outputs.dataset / "reference.parquet",
        "training/training.json": outputs.model / "training.json",
        "models/model.json": outputs.converted / "model.json",
        "models/variants.json": variants,
        **_placed_files(accepted),
        "benchmark/report.json": outputs.benchmark / "report.json",
        "selection.json": outputs.selection,
        **_files_below("evaluation", outputs.evaluation),
    }


def _placed_files(accepted: Sequence[PlacedVariant]) -> dict[str, Content]:
    """The model files, all in one folder.

    Raises:
        ModelFault: Two of them have one name.
    """
    files: dict[str, Content] = {}
    for placed in accepted:
        name = f"models/{placed.variant.file}"
        if name in files:
            raise ModelFault(
                f"two variants have a file {placed.variant.file}", where=str(placed.folder), fix="rename one of them"
            )
        files[name] = placed.path
    return files


def _files_below(name: str, folder: Path) -> dict[str, Content]:
    with translated(folder):
        files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {f"{name}/{path.relative_to(folder).as_posix()}": path for path in files}


def tags_of(materials: Materials, training_run_id: str | None, *, run: RunBody) -> dict[str, str]:
    """What a registry shows of a version without opening its bundle."""
    row, evaluation = materials.winner, materials.evaluation
    tested = evaluation.metrics.get(evaluation.metric)
    return {
        "variant": row.variant,
        "runtime": row.target.runtime,
        "device": row.target.device,
        "device_class": materials.device_class,
        **({"trigger": run.trigger.reason} if run.trigger else {}),
        **({WINDOW_TAG: run.trigger.window_digest} if run.trigger and run.trigger.window_digest else {}),
        **({"promotion": described(run.promotion)} if run.promotion else {}),
        **({"training_run_id": training_run_id} if training_run_id else {}),
        **({f"test_{evaluation.metric}": f"{tested:.6g}"} if tested is not None else {}),
    }


def described(promotion: Promotion) -> str:
    """Whether the alias moved, and why, in one line."""
    return f"{promotion.alias}: {'yes' if promotion.promoted else 'no'}, {promotion.reason}"
