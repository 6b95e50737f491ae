"""benchmark: every accepted variant on every target that can load it, measured under docs/benchmarking.md."""

import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from edgeloop import plugins
from edgeloop.benchmarking import BenchmarkParams, BenchmarkReport, CandidateRow
from edgeloop.benchmarking.plan import Candidate, candidates_of, idle_targets
from edgeloop.benchmarking.profiles import CLOCK_MARGIN, CONTENDED, PROFILES, Profile
from edgeloop.benchmarking.records import Record
from edgeloop.benchmarking.rounds import Order, Surroundings, measure_on
from edgeloop.benchmarking.rows import Context, Judgement, row_of
from edgeloop.benchmarking.staging import Samples, material_of, samples_of
from edgeloop.benchmarking.statistics import CONFIDENCE
from edgeloop.benchmarking.writing import write_benchmark
from edgeloop.devices import FOLDER, Device, device_named
from edgeloop.errors import InputFault
from edgeloop.files import whole_folder
from edgeloop.models import ModelCard
from edgeloop.progress import progress
from edgeloop.runtimes import Arrays
from edgeloop.tasks import Floats, Task
from edgeloop.variants import VariantSet, placed_variants

_JUDGED_AT_ONCE = 64
"""Samples, so that memory stays bounded where a task reads their inputs."""


def benchmark(
    params: BenchmarkParams,
    *,
    converted: Path,
    quantized: Path,
    dataset: Path,
    validation: Path,
    benchmark: Path,
    devices: Path = FOLDER,
    sleep: Callable[[float], None] = time.sleep,
) -> BenchmarkReport:
    """Measures all candidates and writes the folder `benchmark`; see `writing`.

    Args:
        params: Section `benchmark`.
        converted: Variant set of convert; the first of its variants that is a candidate is the reference.
        quantized: Variant set of quantize.
        dataset: Of prepare_data.
        validation: Of validate_data.
        benchmark: Folder to write.
        devices: Declarations.
        sleep: Waits the given seconds, for a busy machine to become calm.

    Returns:
        The report: one row for every candidate, whatever happened to it.

    Raises:
        InputFault: A target's device is not declared, or no target can load any variant.
        ModelFault: A model file is not the one that was recorded.
        DataFault: No sample of val is usable.
    """
    card = ModelCard.of(converted)
    records = [Record(candidate) for candidate in _candidates(params, [converted, quantized])]
    named = {target.device: device_named(target.device, devices) for target in params.targets}
    samples = samples_of(dataset, validation=validation, split="val", preprocessing=card.preprocessing)
    task: Task = plugins.load("tasks", card.task)
    profile, reference = PROFILES[params.profile], reference_of(VariantSet.of(converted), records)
    with whole_folder(benchmark) as folder:  # from the start, so that a place that cannot be written costs no minutes
        surroundings = _measured(records, named=named, params=params, samples=samples, sleep=sleep)
        answered = _outputs_of(reference, records)
        context = Context(profile=profile, reference=answered, judge=_Judge(task, card, samples, answered))
        report = BenchmarkReport(
            protocol=protocol_of(profile, seed=params.seed),
            reference=reference,
            metric=task.metric,
            environments={name: environments_of(found, named[name]) for name, found in surroundings.items()},
            rows=rows_of(records, named=named, surroundings=surroundings, context=context),
            checks=idle_targets([record.candidate for record in records], params.targets),
            unmade=tuple(one for folder in (converted, quantized) for one in VariantSet.of(folder).unmade),
        )
        write_benchmark(report, records=records, folder=folder)
    return report


def _candidates(params: BenchmarkParams, folders: Sequence[Path]) -> list[Candidate]:
    """All candidates of the variant sets; at least one.

    Raises:
        InputFault: No target can load any variant.
    """
    candidates = candidates_of(placed_variants(folders).values(), params.targets)
    if not candidates:
        runtimes = ", ".join(sorted({target.runtime for target in params.targets}))
        raise InputFault(
            f"no variant is in a format that {runtimes} loads", where="benchmark.targets", fix="add a fitting target"
        )
    return candidates


def _measured(
    records: Sequence[Record],
    *,
    named: dict[str, Device],
    params: BenchmarkParams,
    samples: Samples,
    sleep: Callable[[float], None],
) -> dict[str, Surroundings]:
    """Fills the records, one device after another; what each device says of itself."""
    profile = PROFILES[params.profile]
    with tempfile.TemporaryDirectory() as work, progress("benchmark", units_of(len(records), profile)) as advance:
        order = Order(profile=profile, seed=params.seed, material=material_of(samples, Path(work)), sleep=sleep)
        return {
            name: measure_on(device, of_device(records, name), order=order, advance=advance)
            for name, device in named.items()
        }


def reference_of(converted: VariantSet, records: Sequence[Record]) -> str:
    """The float variant that accuracy and parity are against: the trained weights, or what stands for them here.

    Every variant of convert has shown its parity with the trained weights.
    """
    measured = {record.candidate.placed.variant.name for record in records}
    names = [variant.name for variant in converted.variants]
    return next((name for name in names if name in measured), names[0])


def rows_of(
    records: Sequence[Record], *, named: dict[str, Device], surroundings: dict[str, Surroundings], context: Context
) -> tuple[CandidateRow, ...]:
    """One row for every record, in their order."""
    return tuple(
        row_of(
            record,
            peers=of_device(records, record.candidate.target.device),
            device=named[record.candidate.target.device],
            surroundings=surroundings[record.candidate.target.device],
            context=context,
        )
        for record in records
    )


def of_device(records: Sequence[Record], name: str) -> list[Record]:
    """The records of one device."""
    return [record for record in records if record.candidate.target.device == name]


def units_of(candidates: int, profile: Profile) -> int:
    """Units of progress: each start, each wanted round, the outputs and the memory of every candidate."""
    return candidates * (profile.restarts * (1 + profile.rounds) + 2)


def protocol_of(profile: Profile, *, seed: int) -> dict[str, Any]:
    """What a reader needs to know to take the numbers again."""
    return {
        **profile.values(),
        "scenario": "single-stream, batch 1",
        "confidence": CONFIDENCE,
        "contended_below": CONTENDED,
        "clock_margin": CLOCK_MARGIN,
        "seed": seed,
    }


def environments_of(found: Surroundings, device: Device) -> dict[str, Any]:
    """The device's class, and its environment `before` and `after`, null where the device was lost."""
    return {
        "class": device.device_class,
        "before": found.before.values() if found.before else None,
        "after": found.after.values() if found.after else None,
    }


def _outputs_of(variant: str, records: Sequence[Record]) -> Arrays:
    """What the first candidate of that variant answered; empty where none did."""
    answered = (record.all_outputs() for record in records if record.candidate.placed.variant.name == variant)
    return next((outputs for outputs in answered if outputs), {})


class _Judge:
    """What the task says of outputs for all samples.

    The reference's answers are kept: every candidate is compared with them.
    """

    def __init__(self, task: Task, card: ModelCard, samples: Samples, reference: Arrays) -> None:
        self._task, self._card, self._samples = task, card, samples
        self._truths = task.truths(samples.dataset, samples.samples, card)
        self._reference = self._answers(reference) if reference else None

    def __call__(self, outputs: Arrays) -> Judgement:
        """See `rows.Judge`."""
        answers = self._answers(outputs)
        metrics = self._task.metrics(answers, self._truths, self._card)
        agreement = None
        if self._reference is not None:
            agreement = self._task.agreement(self._reference, answers, self._card)
        return Judgement(accuracy=float(metrics[self._task.metric]), agreement=agreement)

    def _answers(self, outputs: Arrays) -> Floats:
        samples = self._samples.samples
        parts = []
        for start in range(0, len(samples), _JUDGED_AT_ONCE):
            part = slice(start, start + _JUDGED_AT_ONCE)
            of_part = {name: values[part] for name, values in outputs.items()}
            parts.append(self._task.answers(of_part, partial(self._samples.inputs, samples[part]), self._card))
        return np.concatenate(parts)
