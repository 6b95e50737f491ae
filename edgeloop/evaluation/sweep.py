"""The corruption sweep: how much every model file loses where its samples go bad.

Asked are the accepted variants; of the fp32 ones, which compute the same within what `convert` checks, only one: the
winner, or else one that the winner's runtime loads. All see the same seeded sample of test, clean and in every
corruption and strength of `edgeloop.evaluation.corruption`. The outcome is told and judged by nothing: no limit reads
it and no step chooses by it, for test is looked at once.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop import plugins
from edgeloop.benchmarking.staging import Samples
from edgeloop.contract import Contract
from edgeloop.data.dataset import Sample
from edgeloop.errors import EdgeloopError
from edgeloop.evaluation.answering import Ask, answering, runtime_for
from edgeloop.evaluation.corruption import Corruptions, corruptions_for
from edgeloop.models import ModelCard
from edgeloop.progress import progress
from edgeloop.tasks import Floats, Task
from edgeloop.variants import PlacedVariant

CLEAN = "clean"
MOST_AT_ONCE = 32
"""Samples, each in every corruption before the next ones come."""

CHUNK_BYTES = 64 << 20
"""Of their inputs, so that memory stays flat however large those are."""


class CorruptionParams(Contract):
    """`evaluate.corruptions`."""

    samples: int = Field(
        default=100, ge=0, le=100_000, description="of test, drawn by the seed, for the sweep over corruptions; 0: none"
    )
    seed: int = Field(default=0, ge=0, lt=2**32, description="of the samples drawn and of the noise")


class SweepCell(Contract):
    """One model file on the samples in one corruption and strength."""

    variant: str
    corruption: str = Field(description="clean, or a name in `described`")
    strength: int = Field(ge=0, le=3, description="0: clean")
    metric: float | None = Field(description="the task's; null where these samples alone cannot be judged")
    drop: float | None = Field(
        default=None, description="the metric of the float reference less this one; null for the reference"
    )


class Sweep(Contract):
    """What became of every model file."""

    samples: int
    seed: int
    reference: str = Field(description="float variant that the drops are against; empty where there is none")
    variants: dict[str, str] = Field(description="runtime of every one that was asked")
    left_out: dict[str, str] = Field(description="reason, of every accepted one that was not")
    described: dict[str, str] = Field(description="what every corruption is, and its three strengths")
    cells: tuple[SweepCell, ...]


def sweep_of(
    params: CorruptionParams,
    *,
    placed: Mapping[str, PlacedVariant],
    winner: str,
    runtime: str,
    threads: int,
    samples: Samples,
    task: Task,
    card: ModelCard,
) -> Sweep | None:
    """The sweep, or None where none is wanted or the samples are rows of a table.

    Args:
        params: How many samples.
        placed: All variants that were built, by name.
        winner: Name of the selected one.
        runtime: Preferred, the winner's; a file that it cannot load goes to another one.
        threads: Computing threads of each.
        samples: All of test.
        task: The card's.
        card: The model's.

    Raises:
        DataFault: A sample has changed or cannot be read.
        ModelFault: A file cannot be run.
    """
    corruptions = corruptions_for(card.preprocessing)
    if not params.samples or corruptions is None:
        return None
    chosen = _drawn(samples.samples, params)
    drawn = Samples(samples.dataset, chosen, samples.preprocessing)
    asked, left_out = _asked(placed, winner=winner, preferred=runtime)
    with ExitStack() as stack:
        ask = {
            name: stack.enter_context(answering(placed[name], with_, threads=threads, task=task, card=card))
            for name, with_ in asked.items()
        }
        answers = _answers(ask, drawn, corruptions, seed=params.seed)
    truths = task.truths(samples.dataset, chosen, card)
    reference = next((name for name in asked if placed[name].variant.precision == "fp32"), "")
    metrics = {key: _metric(task, of_key, truths, card) for key, of_key in answers.items()}
    return Sweep(
        samples=len(chosen),
        seed=params.seed,
        reference=reference,
        variants=asked,
        left_out=left_out,
        described={name: corruption.described for name, corruption in corruptions.by_name.items()},
        cells=tuple(_cell(key, metrics, reference) for key in metrics),
    )


_Key = tuple[str, str, int]
"""Variant, corruption, strength."""


def _drawn(samples: Sequence[Sample], params: CorruptionParams) -> tuple[Sample, ...]:
    """At most so many, in the order of all."""
    if len(samples) <= params.samples:
        return tuple(samples)
    places = np.random.Generator(np.random.PCG64(params.seed)).permutation(len(samples))[: params.samples]
    return tuple(samples[place] for place in sorted(places.tolist()))


def _asked(
    placed: Mapping[str, PlacedVariant], *, winner: str, preferred: str
) -> tuple[dict[str, str], dict[str, str]]:
    """The runtime of every variant that is asked, the fp32 one first, and why others are not.

    No runtime is looked for without need: some take seconds to import.
    """
    formats = plugins.load("runtimes", preferred).formats
    accepted = {name: one.variant for name, one in placed.items() if one.variant.accepted}
    asked: dict[str, str] = {}
    left_out: dict[str, str] = {}
    of_fp32 = ""
    for name in sorted(
        accepted,
        key=lambda n: (accepted[n].precision != "fp32", n != winner, accepted[n].format not in formats, n),
    ):
        if of_fp32 and accepted[name].precision == "fp32":
            left_out[name] = f"computes what {of_fp32} computes"
            continue
        try:
            asked[name] = runtime_for(placed[name], preferred=preferred)
        except EdgeloopError as error:
            left_out[name] = error.what
            continue
        if accepted[name].precision == "fp32":
            of_fp32 = name
    return asked, left_out


def _answers(ask: Mapping[str, Ask], samples: Samples, corruptions: Corruptions, *, seed: int) -> dict[_Key, Floats]:
    """The answers of every variant in every cell; a chunk of samples at a time is in memory."""
    conditions = ((CLEAN, 0), *corruptions.cells)
    parts: dict[_Key, list[Floats]] = {(name, *cell): [] for name in ask for cell in conditions}
    bytes_each = 4 * math.prod(samples.preprocessing.shape) * len(conditions)
    at_once = max(1, min(MOST_AT_ONCE, CHUNK_BYTES // bytes_each))
    with progress("corruptions", len(samples.samples)) as advance:
        for start in range(0, len(samples.samples), at_once):
            chunk = samples.samples[start : start + at_once]
            prepared = [_prepared(sample, samples, corruptions, seed=seed) for sample in chunk]
            for cell, inputs in zip(conditions, zip(*prepared, strict=True), strict=True):
                stacked = np.stack(inputs)
                for name, of_variant in ask.items():
                    parts[name, *cell].append(of_variant(stacked))
            advance(len(chunk), "test")
    return {key: np.concatenate(of_key) for key, of_key in parts.items()}


def _prepared(sample: Sample, samples: Samples, corruptions: Corruptions, *, seed: int) -> list[NDArray[np.float32]]:
    """The sample as a model takes it: clean, then in every cell."""
    content = samples.dataset.content(sample)
    contents = (content, *corruptions.applied(content, seed=seed, where=sample.uri))
    return [samples.preprocessing.apply(one, where=sample.uri) for one in contents]


def _metric(task: Task, answers: Floats, truths: Sequence[object], card: ModelCard) -> float | None:
    """None where the samples cannot be judged alone, or an answer to a corrupted one is no number."""
    try:
        return float(task.metrics(answers, truths, card)[task.metric])
    except EdgeloopError:
        return None


def _cell(key: _Key, metrics: Mapping[_Key, float | None], reference: str) -> SweepCell:
    name, corruption, strength = key
    metric, known = metrics[key], metrics.get((reference, corruption, strength))
    drop = None if name == reference or metric is None or known is None else known - metric
    return SweepCell(variant=name, corruption=corruption, strength=strength, metric=metric, drop=drop)
