"""The quantized variants of one run: each scheme's file, judged on val against the float file it comes from."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop import calibration, plugins
from edgeloop.batches import batches, spread
from edgeloop.canonical import sha256_of_file
from edgeloop.conversion import TRAINED
from edgeloop.data.dataset import Dataset, Sample
from edgeloop.errors import DataFault, MissingExtra, ModelFault, ParamsFault
from edgeloop.files import copy_file, renamed, whole_folder
from edgeloop.models import CARD_FILE, ModelCard
from edgeloop.optimization.judgement import Exam, Judgement, Pair, judged, worst
from edgeloop.optimization.recipes import Recipe, Tuning
from edgeloop.optimization.recovery import Harm, Rung, Search, Trial, searched
from edgeloop.optimization.tuned_files import TunedFiles
from edgeloop.optimization.tuning import Lesson
from edgeloop.parity import compared, joined
from edgeloop.progress import Advance, progress, share
from edgeloop.quantization import Checked, QuantizeParams, Scheme
from edgeloop.runtimes import Arrays, Runtime, Session
from edgeloop.tasks import Floats, Task, Truth
from edgeloop.variants import (
    VARIANTS_FILE,
    PlacedVariant,
    UnmadeVariant,
    Variant,
    VariantSet,
    placed_variants,
)

THREADS = 1
"""Of the judgement: its numbers do not depend on how many cores the machine has."""

CREWS = 2
"""Batches that are answered at once, each by sessions of its own: what comes out is what one of them gives."""


@dataclass(frozen=True)
class _Work:
    """What all schemes of one run share."""

    params: QuantizeParams
    card: ModelCard
    dataset: Dataset
    chosen: list[Sample]
    exam: Exam
    tuned: TunedFiles
    tuning: Tuning | None
    omitted: str
    """Why there is none, where there should be."""
    advance: Advance
    sizes_bytes: dict[str, int]
    """Of the float files, by name of the variant."""
    known: dict[tuple[str, Path], "_Answered"] = field(default_factory=dict)
    """What the float files answered, by runtime."""


@dataclass(frozen=True)
class _Answered:
    """What one file gave on val."""

    outputs: Arrays
    answers: Floats


def quantize(
    params: QuantizeParams, *, converted: Path, dataset: Path, validation: Path, quantized: Path
) -> VariantSet:
    """One variant a scheme, judged on val against the float file that it comes from.

    Where nothing that was tried keeps to the limits, the file that came nearest stays in the set with its failed
    checks, and says so. A scheme that cannot quantize this model, whose package is not installed, or whose source could
    not be made where the model was converted, is recorded as not evaluated, with the reason. No scheme, no variant.

    Args:
        params: Section `quantize`.
        converted: What `convert` wrote.
        dataset: What `prepare_data` wrote.
        validation: What `validate_data` wrote.
        quantized: Folder of the variant set, replaced as a whole.

    Raises:
        ParamsFault: Two schemes make the same variant.
        DataFault: train or val holds no accepted sample, or the dataset's classes are not the model's.
        ModelFault: A float file is missing, or failed its checks.
    """
    schemes = _schemes(params.schemes)
    sources, missing = placed_variants([converted]), VariantSet.of(converted).unmade
    card, opened = ModelCard.of(converted), Dataset(dataset, validation)
    with whole_folder(quantized) as folder:
        copy_file(converted / CARD_FILE, folder / CARD_FILE)
        made = VariantSet(variants=())
        if schemes:
            task: Task = plugins.load("tasks", card.task)
            learned, truths = _learned(opened, task=task, card=card)
            chosen = calibration.stratified(learned, params.calibration_samples, seed=params.seed)
            val = _labelled_val(opened, task=task, card=card)
            exam = Exam(task, card, val, task.truths(opened, val, card), params.by)
            units = len(schemes) * (len(chosen) + len(val))
            with progress("quantize", units) as advance, TemporaryDirectory(dir=folder) as scratch:
                lesson = Lesson(task, card, opened, learned, truths, chosen)
                sizes = {name: placed.path.stat().st_size for name, placed in sources.items()}
                tuned = TunedFiles(sources, lesson, folder=Path(scratch), advance=advance)
                work = _Work(params, card, opened, chosen, exam, tuned, *_tuning(params, sources), advance, sizes)
                found = []
                for scheme in schemes:
                    with share(advance, units // len(schemes)) as counted:
                        part = replace(work, advance=counted)
                        found.append(_quantized(scheme, sources, missing, folder=folder, work=part))
            record = calibration.recorded(
                chosen, requested=params.calibration_samples, seed=params.seed, method=params.calibration_method
            )
            made = VariantSet(
                variants=tuple(one for one in found if isinstance(one, Variant)),
                unmade=tuple(one for one in found if isinstance(one, UnmadeVariant)),
                calibration=record,
            )
        made.write(folder / VARIANTS_FILE)
    return made


def _schemes(names: tuple[str, ...]) -> list[Scheme]:
    schemes: list[Scheme] = [plugins.load("quantization", name) for name in names]
    made: dict[str, str] = {}
    for name, scheme in zip(names, schemes, strict=True):
        if scheme.variant in made:
            raise ParamsFault(
                f"{made[scheme.variant]} and {name} both make {scheme.variant}",
                where="quantize.schemes",
                fix="keep one of them",
            )
        made[scheme.variant] = name
    return schemes


def _learned(dataset: Dataset, *, task: Task, card: ModelCard) -> tuple[list[Sample], list[Truth]]:
    """The samples that were learned from, which calibrate and teach again."""
    train = dataset.split("train")
    known = zip(train, task.truths(dataset, train, card), strict=True)
    learned = [(sample, truth) for sample, truth in known if task.learns_from(truth)]
    if not learned:
        raise DataFault("train holds no accepted sample", where=str(dataset.folder), fix="add data or loosen the suite")
    return [sample for sample, _ in learned], [truth for _, truth in learned]


def _tuning(params: QuantizeParams, sources: dict[str, PlacedVariant]) -> tuple[Tuning | None, str]:
    """How weights are trained on, or why they cannot be."""
    if not params.qat_epochs:
        return None, ""
    if TRAINED not in sources:
        return None, "quantization-aware training, for the weights as they were trained are not among the files"
    if find_spec("torch") is None:
        return None, "quantization-aware training, for torch is not installed (pip install 'edgeloop[train]')"
    return Tuning(epochs=params.qat_epochs, learning_rate=params.qat_learning_rate, seed=params.seed), ""


def _labelled_val(dataset: Dataset, *, task: Task, card: ModelCard) -> tuple[Sample, ...]:
    val = dataset.split("val")
    if not val:
        raise DataFault("val holds no accepted sample", where=str(dataset.folder), fix="add data or loosen the suite")
    if task.names(dataset.card.classes, card.task_options) != card.classes:
        raise DataFault(
            "its classes are not those that the model was trained on", where=str(dataset.folder), fix="train again"
        )
    return val


def _quantized(
    scheme: Scheme,
    sources: dict[str, PlacedVariant],
    missing: Sequence[UnmadeVariant],
    *,
    folder: Path,
    work: _Work,
) -> Variant | UnmadeVariant:
    if why := next((one.reason for one in missing if one.name == scheme.source), None):
        return _unmade(scheme, f"{scheme.source}, which it is made of, was not made: {why}", work=work)
    source = sources.get(scheme.source)
    if source is None or not source.variant.accepted:
        state = "is not among the converted variants" if source is None else "failed its own checks"
        raise ModelFault(f"{scheme.source} {state}", where="quantize", fix="see convert.formats and run convert again")
    try:
        search = _searched(scheme, source.path, folder=folder, work=work)
    except (MissingExtra, ModelFault) as error:
        for left in folder.glob(f"trial-*{scheme.suffix}"):
            left.unlink()
        # the place of a model fault is a folder that is gone when the record is read
        return _unmade(scheme, error.reason() if isinstance(error, ModelFault) else error.line(), work=work)
    target = folder / f"{scheme.variant}{scheme.suffix}"
    variant = _variant(scheme, source, search)
    renamed(search.best.path, target)
    for trial in search.trials:
        trial.path.unlink(missing_ok=True)
    return variant


def _unmade(scheme: Scheme, reason: str, *, work: _Work) -> UnmadeVariant:
    work.advance(0, f"{scheme.variant} not evaluated: {reason}")
    return UnmadeVariant(
        name=scheme.variant, format=scheme.format, precision=scheme.precision, made_from=scheme.source, reason=reason
    )


def _searched(scheme: Scheme, source: Path, *, folder: Path, work: _Work) -> Search:
    plain = Recipe(
        method=work.params.calibration_method if scheme.methods else None,
        bias_correction=work.params.bias_correction if scheme.corrects_bias else "none",
    )
    made = 0

    def attempt(rung: Rung, recipe: Recipe) -> Trial:
        nonlocal made
        made += 1
        inputs = _calibration_inputs(work, units=int(made == 1))
        target = folder / f"trial-{made}{scheme.suffix}"
        tuning = recipe.tuning
        origin = work.tuned.of(scheme.source, tuning) if tuning else source
        work.advance(0, f"{scheme.variant}: trial {made}, {rung}")
        tool = scheme.quantize(origin, inputs, target=target, recipe=recipe)
        judgement = _judged(scheme, source, target=target, work=work, first=made == 1)
        return Trial(rung, recipe, target, tool, judgement, work.tuned.sha256(tuning) if tuning else None)

    return searched(
        plain,
        methods=scheme.methods,
        corrects_bias=scheme.corrects_bias,
        attempt=attempt,
        harms=partial(_harms, scheme, source, recipe=plain, work=work),
        trials=work.params.trials,
        tuning=work.tuning,
        omitted=work.omitted,
    )


def _harms(scheme: Scheme, source: Path, *, recipe: Recipe, work: _Work) -> tuple[Harm, ...]:
    from edgeloop.optimization.sensitivity import SAMPLES, harms_of

    few = spread(work.chosen, SAMPLES)
    inputs = np.concatenate([part for _, part in batches(work.dataset, few, work.card.preprocessing)])
    return harms_of(scheme, source, inputs, recipe=recipe, advance=work.advance)


def _calibration_inputs(work: _Work, *, units: int) -> Iterable[NDArray[np.float32]]:
    for part, inputs in batches(work.dataset, work.chosen, work.card.preprocessing):
        yield inputs
        work.advance(units * len(part), "calibrated")


def _judged(scheme: Scheme, source: Path, *, target: Path, work: _Work, first: bool) -> Judgement:
    """The file `target` against the file `source` on all of val."""
    exam = work.exam
    known = work.known.get((scheme.runtime, source))
    paths = [target] if known else [source, target]
    *found, candidate = _answered(scheme.runtime, paths, work=work, units=int(first))
    reference = known or found[0]
    work.known[scheme.runtime, source] = reference
    pair = Pair(
        answers=(reference.answers, candidate.answers),
        parities=compared(reference.outputs, candidate.outputs),
        size_ratio=target.stat().st_size / work.sizes_bytes.get(f"{scheme.format}-fp32", source.stat().st_size),
    )
    judgement = judged(pair, exam=exam, limits=work.params.limits)
    of_engine = scheme.checks(target) if isinstance(scheme, Checked) else ()
    found_here = dict(judgement.details)
    details = {
        "metric": exam.task.metric,
        "metric_fp32": found_here.pop("metric_before"),
        f"metric_{scheme.precision}": found_here.pop("metric_after"),
        "samples": len(exam.samples),
        "runtime": scheme.runtime,
        "sqnr_db": worst([parity.sqnr_db for parity in pair.parities], of=min),
        "max_relative_error": worst([parity.max_relative_error for parity in pair.parities], of=max),
    }
    return Judgement((*judgement.checks, *of_engine), {**details, **found_here})


def _answered(runtime_name: str, paths: Sequence[Path], *, work: _Work, units: int) -> list[_Answered]:
    """What each file gives on val, in one pass over the samples."""
    runtime: Runtime = plugins.load("runtimes", runtime_name)
    outputs: list[list[Arrays]] = [[] for _ in paths]
    answers: list[list[Floats]] = [[] for _ in paths]
    with ExitStack() as stack:
        crews = [
            [stack.enter_context(closing(runtime.open(path, threads=THREADS))) for path in paths] for _ in range(CREWS)
        ]
        pool = stack.enter_context(ThreadPoolExecutor(CREWS))
        parts = iter(batches(work.dataset, work.exam.samples, work.card.preprocessing))
        while taken := list(islice(parts, CREWS)):
            given = pool.map(_all_run, crews, (inputs for _, inputs in taken))
            for (part, inputs), found in zip(taken, given, strict=True):
                for place, arrays in enumerate(found):
                    outputs[place].append(arrays)
                    answers[place].append(work.exam.task.answers(arrays, inputs.view, work.card))
                work.advance(units * len(part), "judged on val")
    return [_Answered(joined(given), np.concatenate(told)) for given, told in zip(outputs, answers, strict=True)]


def _all_run(sessions: Sequence[Session], inputs: NDArray[np.float32]) -> list[Arrays]:
    return [session.run(inputs) for session in sessions]


def _variant(scheme: Scheme, source: PlacedVariant, search: Search) -> Variant:
    """The record of the best file, which lies where its trial left it."""
    best = search.best
    return Variant(
        name=scheme.variant,
        format=scheme.format,
        precision=scheme.precision,
        file=f"{scheme.variant}{scheme.suffix}",
        sha256=sha256_of_file(best.path),
        size_bytes=best.path.stat().st_size,
        made_by=best.tool.model_copy(update={"options": {**best.tool.options, **_chosen(search)}}),
        made_from=source.variant.name,
        checks=best.judgement.checks,
        details={**best.judgement.details, **_told(search)},
    )


def _chosen(search: Search) -> dict[str, Any]:
    """What the record of the tool says beyond the plain recipe: the recipe that won and all that were tried."""
    if len(search.trials) == 1:
        return {}
    recipe = search.best.recipe
    tuned = {"tuning": recipe.tuning.values(), "tuned_sha256": search.best.tuned_sha256} if recipe.tuning else {}
    return {
        "kept_float": list(recipe.kept_float),
        "bias_correction": recipe.bias_correction,
        **tuned,
        "tried": [trial.told() for trial in search.trials],
    }


def _told(search: Search) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if len(search.trials) > 1:
        found["trials"] = [trial.told() for trial in search.trials]
    if search.harms:
        found["sensitivity"] = [{"layer": harm.layer, "sqnr_db": harm.sqnr_db} for harm in search.harms]
    if search.fallback:
        found["fallback"] = search.fallback
    return found
