"""A file of the user's own, as fast as it gets on its targets: what `edgeloop optimize` does.

    admit ─► convert ─► quantize (with data: calibrated and judged) ─► benchmark ─► select

Each is the library's own function; nothing is measured or judged here. Without data nothing can be calibrated or
judged, so that only fp32 and bf16 may be chosen.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from edgeloop import plugins
from edgeloop.benchmarking import BenchmarkParams, BenchmarkReport, ProfileName, Target
from edgeloop.confinement import confined
from edgeloop.contract import Contract
from edgeloop.data.dataset import Dataset, read_index
from edgeloop.errors import MissingExtra, ModelFault, translated
from edgeloop.files import copy_file, whole_folder
from edgeloop.models import CARD_FILE, ModelCard
from edgeloop.onnx_files import write_clean
from edgeloop.optimization.recipes import Recipe
from edgeloop.own_files.admission import admitted
from edgeloop.own_files.conversion import UnmadeFile, convert_file
from edgeloop.own_files.guessing import described, guessed_card
from edgeloop.own_files.open_batch import with_open_batch
from edgeloop.selection import Selection, SelectLimits, SelectParams, chosen, select
from edgeloop.variants import VARIANTS_FILE, Tool, Variant, VariantSet, float_variant, placed_variants

if TYPE_CHECKING:
    from edgeloop.data.preparation import PrepareDataParams
    from edgeloop.quantization import Scheme

RESULT_FILE = "optimize.json"
SCHEMES = ("onnxruntime_static", "nncf", "openvino_bf16")
"""Of x86 and its like; each for the runtimes that load its format."""

WITHOUT_DATA = ("fp32", "bf16")
PACKAGES = {"onnxruntime_static": "onnxruntime", "nncf": "nncf", "openvino_bf16": "openvino"}
SHARES = {"train": 0.3, "val": 0.6, "test": 0.1}
"""Train calibrates and val judges; nothing is learned, and nothing is asked of test."""


class Optimized(Contract):
    """What was chosen and why."""

    source: str
    file: str | None
    variant: str | None
    target: str | None
    reason: str
    notes: tuple[str, ...]
    metric: str | None
    report: BenchmarkReport
    selection: Selection
    variants: VariantSet


@dataclass(frozen=True)
class Material:
    """Labelled samples, and how the model takes them."""

    preparation: "PrepareDataParams"
    card: ModelCard | None = None
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


@dataclass(frozen=True)
class Wish:
    """What the user asks for."""

    targets: tuple[Target, ...]
    profile: ProfileName = "quick"
    max_accuracy_drop: float = 0.01
    calibration_samples: int = 256
    trials: int = 8


def optimize(model: Path, wish: Wish, *, material: Material | None, output: Path) -> Optimized:
    """Makes, measures and chooses; writes the folder `output`: the chosen file, its card and `optimize.json`.

    Args:
        model: An ONNX file.
        wish: Targets and limits.
        material: None: only fp32 and bf16.
        output: Folder, replaced as a whole.

    Raises:
        InputFault: There is no such file.
        ModelFault: It is refused, or does not fit the data.
        DataFault: The data cannot be used.
    """
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        notes: list[str] = []
        source = _admitted(model, work / "converted")
        runtimes = {target.runtime for target in wish.targets}
        _convert(source, runtimes, notes)
        if material is None:
            notes.append("no data was given: int8 was not made, and only fp32 and bf16 may be chosen")
            report, selection = _by_speed(work, wish, notes)
            metric = None
        else:
            report, selection = _by_speed_and_metric(work, wish, material, notes)
            metric = report.metric
        made = (*VariantSet.of(work / "converted").variants, *VariantSet.of(work / "quantized").variants)
        with whole_folder(output) as folder:
            file = _delivered(work, selection, folder)
            result = Optimized(
                source=str(model),
                file=None if file is None else str(output / file),
                variant=selection.variant,
                target=selection.target.name if selection.target else None,
                reason=selection.reason,
                notes=tuple(notes),
                metric=metric,
                report=report,
                selection=selection,
                variants=VariantSet(variants=made),
            )
            result.write(folder / RESULT_FILE)
    return result


def admit_here(*, source: str, target: str) -> None:
    """The admitted model as one clean file that takes any batch: for the confined process.

    Raises:
        ModelFault: It is refused, or takes one batch size only.
    """
    model = admitted(Path(source))
    write_clean(with_open_batch(model, where=source), Path(target))


def _admitted(model: Path, folder: Path) -> Path:
    """The set `converted` with the user's file in it."""
    with translated(model), model.open("rb"):
        pass
    folder.mkdir(parents=True)
    target = folder / "onnx-fp32.onnx"
    confined(
        "edgeloop.own_files.optimization:admit_here",
        {"source": str(model.absolute()), "target": str(target)},
        where=model,
    )
    _write_set(folder, [float_variant("onnx-fp32", "onnx", target, Tool(name="user", version="unknown"))])
    return target


def _convert(source: Path, runtimes: set[str], notes: list[str]) -> None:
    """OpenVINO's own format, where a target can run it."""
    if "openvino" not in runtimes:
        return
    target = source.with_name("openvino-fp32.openvino")
    try:
        made = convert_file(source, to="openvino", target=target)
    except (ModelFault, MissingExtra) as error:
        notes.append(f"openvino-fp32 was not made: {error.line()}")
        return
    if isinstance(made, UnmadeFile):
        notes.append(f"openvino-fp32 was not made: {made.reason}")
        return
    variant = float_variant("openvino-fp32", "openvino", target, made.made_by)
    # a comparison that could not be made leaves the file to the comparison of the benchmark
    checks = tuple(check for check in made.checks if check.status != "not evaluated")
    known = VariantSet.of(source.parent).variants
    added = variant.model_copy(update={"made_from": "onnx-fp32", "checks": checks})
    _write_set(source.parent, [*known, added])


def _by_speed(work: Path, wish: Wish, notes: list[str]) -> tuple[BenchmarkReport, Selection]:
    """Without labelled samples."""
    from edgeloop.own_files.unlabelled import benchmark_unlabelled

    folder = work / "quantized"
    folder.mkdir()
    made = []
    for name in _schemes({target.runtime for target in wish.targets}, notes):
        scheme: Scheme = plugins.load("quantization", name)
        if scheme.precision in WITHOUT_DATA:
            target = folder / f"{scheme.variant}{scheme.suffix}"
            source = work / "converted" / "onnx-fp32.onnx"
            tool = scheme.quantize(source, (), target=target, recipe=Recipe(method=None))
            variant = float_variant(scheme.variant, scheme.format, target, tool)
            made.append(variant.model_copy(update={"precision": scheme.precision, "made_from": "onnx-fp32"}))
    _write_set(folder, made)
    placed = placed_variants([work / "converted", folder])
    report = benchmark_unlabelled(placed.values(), wish.targets, profile=wish.profile)
    return report, chosen(report, [], SelectParams())


def _by_speed_and_metric(
    work: Path, wish: Wish, material: Material, notes: list[str]
) -> tuple[BenchmarkReport, Selection]:
    from edgeloop.benchmarking.measurement import benchmark
    from edgeloop.optimization.judgement import QuantizeLimits
    from edgeloop.optimization.variants import quantize
    from edgeloop.quantization import QuantizeParams

    dataset, validation = _prepared(material, work)
    card = material.card or _guessed(work / "converted" / "onnx-fp32.onnx", dataset, material, notes)
    card.write(work / "converted" / CARD_FILE)
    params = QuantizeParams(
        schemes=_schemes({target.runtime for target in wish.targets}, notes),
        calibration_samples=wish.calibration_samples,
        trials=wish.trials,
        limits=QuantizeLimits(max_accuracy_drop=wish.max_accuracy_drop),
    )
    made = quantize(
        params,
        converted=work / "converted", dataset=dataset, validation=validation, quantized=work / "quantized",
    )  # fmt: skip
    notes += [
        f"{variant.name}: {variant.details['fallback']}" for variant in made.variants if "fallback" in variant.details
    ]
    report = benchmark(
        BenchmarkParams(targets=wish.targets, profile=wish.profile),
        converted=work / "converted", quantized=work / "quantized", dataset=dataset, validation=validation,
        benchmark=work / "benchmark",
    )  # fmt: skip
    limits = SelectLimits(max_accuracy_drop=wish.max_accuracy_drop)
    selection = select(
        SelectParams(limits=limits),
        benchmark=work / "benchmark", quantized=work / "quantized", selection=work / "selection.json",
    )  # fmt: skip
    return report, selection


def _schemes(runtimes: set[str], notes: list[str]) -> tuple[str, ...]:
    """Those that a target can run and whose packages are installed."""
    found = []
    for name in SCHEMES:
        scheme: Scheme = plugins.load("quantization", name)
        if not any(scheme.format in plugins.load("runtimes", runtime).formats for runtime in runtimes):
            continue
        if find_spec(PACKAGES[name]) is None:
            notes.append(f"{scheme.variant} was not made: run pip install 'edgeloop[{name}]'")
            continue
        found.append(name)
    return tuple(found)


def _prepared(material: Material, work: Path) -> tuple[Path, Path]:
    """The dataset, and the list of its samples that can be read."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    from edgeloop.data.preparation import SplitShares, prepare

    dataset, validation = work / "dataset", work / "validation"
    params = material.preparation
    if params.split_by != "given":
        params = params.model_copy(update={"split": SplitShares(**SHARES)})
    prepare(params, dataset=dataset, profile=work / "profile.json")
    validation.mkdir()
    readable = [sample.id for sample in read_index(dataset) if sample.error is None]
    parquet.write_table(pa.table({"id": pa.array(readable, pa.string())}), validation / "accepted.parquet")
    return dataset, validation


def _guessed(path: Path, dataset: Path, material: Material, notes: list[str]) -> ModelCard:
    card = guessed_card(path, Dataset(dataset).card.classes, mean=material.mean, std=material.std)
    notes.append(f"no {CARD_FILE} beside the model: {described(card)}")
    return card


def _write_set(folder: Path, variants: Sequence[Variant]) -> None:
    VariantSet(variants=tuple(variants)).write(folder / VARIANTS_FILE)


def _delivered(work: Path, selection: Selection, folder: Path) -> str | None:
    """The chosen file and the card, copied."""
    if selection.variant is None:
        return None
    placed = placed_variants([work / "converted", work / "quantized"])[selection.variant]
    copy_file(placed.path, folder / placed.variant.file)
    if (work / "converted" / CARD_FILE).is_file():
        copy_file(work / "converted" / CARD_FILE, folder / CARD_FILE)
    return placed.variant.file
