"""A model of the user's own, as fast as it gets on its targets: what `edgeloop optimize` does.

    admit ─► convert ─► quantize (with data: calibrated and judged) ─► benchmark ─► select

Each is the library's own function; nothing is measured or judged here. The model is an ONNX file, or a trained folder
(`edgeloop.own_files.trained`), which is not admitted but needs data. Without data nothing can be calibrated or judged,
so that only fp32 and bf16 may be chosen. How much is tried hangs on the size of an input (`edgeloop.own_files.effort`).
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
from edgeloop.errors import InputFault, MissingExtra, ModelFault, translated
from edgeloop.files import copy_file, whole_folder
from edgeloop.models import CARD_FILE, ModelCard
from edgeloop.onnx_files import write_clean
from edgeloop.optimization import ANY_SIZE
from edgeloop.optimization.recipes import Recipe
from edgeloop.own_files.admission import admitted
from edgeloop.own_files.conversion import UnmadeFile, convert_file
from edgeloop.own_files.effort import Effort, bounded, effort_of
from edgeloop.own_files.guessing import described, guessed_card
from edgeloop.own_files.open_batch import with_open_batch
from edgeloop.own_files.trained import convert_trained, is_trained
from edgeloop.progress import progress
from edgeloop.selection import LatencyQuantile, Selection, SelectLimits, SelectParams, chosen, select
from edgeloop.variants import VARIANTS_FILE, Tool, Variant, VariantSet, float_variant, placed_variants

if TYPE_CHECKING:
    from edgeloop.data.preparation import PrepareDataParams
    from edgeloop.quantization import QuantizeParams, Scheme

RESULT_FILE = "optimize.json"
SCHEMES = ("onnxruntime_static", "nncf", "openvino_bf16", "litert_static")
"""Of x86 and its like; each for the runtimes that load its format, where there is the file that it is made of."""

WITHOUT_DATA = ("fp32", "bf16")
PACKAGES = {
    "onnxruntime_static": "onnxruntime",
    "nncf": "nncf",
    "openvino_bf16": "openvino",
    "litert_static": "litert_quantizer",
}
SHARES = {"train": 0.3, "val": 0.6, "test": 0.1}
"""Train calibrates and val judges; nothing is learned, and nothing is asked of test."""


SPEED: LatencyQuantile = "p50"
"""What is fastest is told by the median, which neighbours on a shared machine move least; no tail is limited here."""


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
class _Data:
    """A prepared dataset, and the list of its samples that can be read and are asked."""

    dataset: Path
    validation: Path


@dataclass(frozen=True)
class Wish:
    """What the user asks for; null is what the size of an input suggests, see `Effort`.

    Args:
        max_size_ratio: Of a file over the float file of its format; `ANY_SIZE` is any.
        trials: Most files a scheme makes.
        judged_samples: Most samples that judge.
    """

    targets: tuple[Target, ...]
    profile: ProfileName = "quick"
    max_accuracy_drop: float = 0.01
    max_size_ratio: float = ANY_SIZE
    trials: int | None = None
    judged_samples: int | None = None


def optimize(model: Path, wish: Wish, *, material: Material | None, output: Path) -> Optimized:
    """Makes, measures and chooses; writes the folder `output`: the chosen file, its card and `optimize.json`.

    Args:
        model: An ONNX file, or a trained folder.
        wish: Targets and limits.
        material: None: only fp32 and bf16.
        output: Folder, replaced as a whole.

    Raises:
        InputFault: There is no such file, or no data for a trained folder.
        ModelFault: It is refused, or does not fit the data.
        DataFault: The data cannot be used.
    """
    trained = is_trained(model)
    if trained and material is None:
        fix = "give --data, or the ONNX file of the model"
        raise InputFault("is a trained folder, which is converted and judged on samples", where=str(model), fix=fix)
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        notes: list[str] = []
        if not trained:
            _admit_and_convert(model, wish, work / "converted", notes)
        if material is None:
            notes.append("no data was given: int8 was not made, and only fp32 and bf16 may be chosen")
            report, selection = _by_speed(work, wish, notes)
            metric = None
        else:
            data = _prepared(material, work)
            if trained:
                convert_trained(
                    model, _runtimes(wish), dataset=data.dataset, validation=data.validation,
                    converted=work / "converted", notes=notes,
                )  # fmt: skip
            report, selection = _by_speed_and_metric(work, wish, material, data, notes)
            metric = report.metric
        sets = [VariantSet.of(work / name) for name in ("converted", "quantized")]
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
                variants=VariantSet(
                    variants=sum((one.variants for one in sets), ()),
                    unmade=sum((one.unmade for one in sets), ()),
                    calibration=sets[1].calibration,
                ),
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


def _admit_and_convert(model: Path, wish: Wish, folder: Path, notes: list[str]) -> None:
    with progress("admit", 2) as advance:
        source = _admitted(model, folder)
        advance(1, "admitted")
        _convert(source, _runtimes(wish), notes)
        advance(1, "converted")


def _runtimes(wish: Wish) -> set[str]:
    return {target.runtime for target in wish.targets}


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
    for name in _schemes(work / "converted", wish, notes):
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
    return report, chosen(report, [], SelectParams(limits=SelectLimits(latency_quantile=SPEED)))


def _by_speed_and_metric(
    work: Path, wish: Wish, material: Material, data: "_Data", notes: list[str]
) -> tuple[BenchmarkReport, Selection]:
    from edgeloop.benchmarking.measurement import benchmark
    from edgeloop.optimization.variants import quantize

    card = material.card or _card_of(work / "converted", data.dataset, material, notes)
    card.write(work / "converted" / CARD_FILE)
    effort = effort_of(card.preprocessing.shape)
    judging = _fewer(data, wish.judged_samples or effort.judged_samples, work / "judging", "quantize", notes)
    measuring = _fewer(judging, effort.measured_samples, work / "measuring", "benchmark", notes)
    params = _section(wish, effort, schemes=_schemes(work / "converted", wish, notes))
    made = quantize(
        params, converted=work / "converted", dataset=judging.dataset, validation=judging.validation,
        quantized=work / "quantized",
    )  # fmt: skip
    notes += [
        f"{variant.name}: {variant.details['fallback']}" for variant in made.variants if "fallback" in variant.details
    ]
    notes += [f"{one.name} was not made: {one.reason}" for one in made.unmade]
    report = benchmark(
        BenchmarkParams(targets=wish.targets, profile=wish.profile),
        converted=work / "converted", quantized=work / "quantized", dataset=measuring.dataset,
        validation=measuring.validation, benchmark=work / "benchmark",
    )  # fmt: skip
    limits = SelectLimits(max_accuracy_drop=wish.max_accuracy_drop, latency_quantile=SPEED)
    selection = select(
        SelectParams(limits=limits),
        benchmark=work / "benchmark", quantized=work / "quantized", selection=work / "selection.json",
    )  # fmt: skip
    return report, selection


def _fewer(data: _Data, samples: int, folder: Path, step: str, notes: list[str]) -> _Data:
    """With at most so many samples of val, which is noted where it leaves some out."""
    asked, could = bounded(data.dataset, data.validation, samples=samples, folder=folder)
    if asked < could:
        notes.append(f"{step} asks {asked} of {could} samples, each class in proportion")
    return _Data(data.dataset, folder)


def _section(wish: Wish, effort: Effort, *, schemes: tuple[str, ...]) -> "QuantizeParams":
    from edgeloop.optimization.judgement import QuantizeLimits
    from edgeloop.quantization import QuantizeParams

    return QuantizeParams(
        schemes=schemes,
        calibration_samples=effort.calibration_samples,
        bias_correction=effort.bias_correction,
        trials=wish.trials or effort.trials,
        qat_epochs=effort.qat_epochs,
        limits=QuantizeLimits(max_accuracy_drop=wish.max_accuracy_drop, max_size_ratio=wish.max_size_ratio),
    )


def _schemes(converted: Path, wish: Wish, notes: list[str]) -> tuple[str, ...]:
    """Those that a target can run, whose packages are installed, and whose float file is there and as it should be."""
    runtimes, sources = _runtimes(wish), {one.name: one for one in VariantSet.of(converted).variants}
    found = []
    for name in SCHEMES:
        scheme: Scheme = plugins.load("quantization", name)
        if not any(scheme.format in plugins.load("runtimes", runtime).formats for runtime in runtimes):
            continue
        if scheme.source not in sources:
            continue
        if not sources[scheme.source].accepted:
            notes.append(f"{scheme.variant} was not made: {scheme.source} answers otherwise than the model")
            continue
        if find_spec(PACKAGES[name]) is None:
            notes.append(f"{scheme.variant} was not made: run pip install 'edgeloop[{name}]'")
            continue
        found.append(name)
    return tuple(found)


def _prepared(material: Material, work: Path) -> "_Data":
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
    return _Data(dataset, validation)


def _card_of(converted: Path, dataset: Path, material: Material, notes: list[str]) -> ModelCard:
    """The trained folder's, or what is guessed of the ONNX file."""
    if (converted / CARD_FILE).is_file():
        return ModelCard.of(converted)
    card = guessed_card(
        converted / "onnx-fp32.onnx", Dataset(dataset).card.classes, mean=material.mean, std=material.std
    )
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
