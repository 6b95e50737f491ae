"""The contest: the chosen file and the rivals, in turns in one run of `edgeloop.benchmarking`.

Every file is timed in a process of its own, answers the same samples of val and is judged by the same limit. A query
of microseconds is not looked at alone: the samples of a turn are taken together until they hold 20 queries. A ratio is
the median over the rounds that both kept of one median over the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks.optimize.choice import Choice, runtimes_here
from benchmarks.optimize.rivals import rivals_of
from benchmarks.optimize.subjects import Made
from edgeloop import calibration
from edgeloop.batches import batches
from edgeloop.benchmarking import BenchmarkParams, BenchmarkReport, ProfileName, Target
from edgeloop.benchmarking.measurement import benchmark
from edgeloop.data.dataset import Dataset
from edgeloop.files import copy_file, whole_folder
from edgeloop.models import CARD_FILE, ModelCard
from edgeloop.variants import VARIANTS_FILE, Variant, VariantSet, placed_variants

CALIBRATED = 256
"""Samples of train, the same for all rivals and for the library."""

BLOCK_QUERIES = 20
MICROSECONDS_MS = 0.1
"""A query shorter than this is timed in blocks."""

RIVALS = {
    "torch eager fp32": ("torch-fp32", "torch"),
    "ORT fp32": ("onnx-fp32", "onnxruntime"),
    "ORT static int8, defaults": ("rival-ort-int8", "onnxruntime"),
    "OpenVINO fp32": ("openvino-fp32", "openvino"),
    "NNCF int8, defaults": ("rival-nncf-int8", "openvino"),
    "LiteRT fp32": ("litert-fp32", "litert"),
    "LiteRT int8, defaults": ("rival-litert-int8", "litert"),
}
"""Variant and runtime, by what people call them."""

CHOSEN = "chosen"

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Result:
    """One file of the contest; without a time where it could not be measured."""

    name: str
    variant: str
    runtime: str
    accuracy: float | None
    drop: float | None
    rounds_ms: dict[tuple[int, int], float]
    """Median of a query by start and round, of the rounds that count."""
    reason: str

    @property
    def p50_ms(self) -> float | None:
        """The median over the rounds."""
        return median(self.rounds_ms.values()) if self.rounds_ms else None

    def times_faster(self, other: "Result") -> list[float]:
        """For every round that both kept, the other's time over this one's; sorted."""
        both = self.rounds_ms.keys() & other.rounds_ms.keys()
        return sorted(other.rounds_ms[key] / self.rounds_ms[key] for key in both)


def enter(made: Made, choice: Choice, folder: Path) -> None:
    """Makes two variant sets: `converted`, the float files, and `rivals`, the files of others and what was chosen."""
    floats = [variant for variant, _ in RIVALS.values()]
    known = placed_variants([choice.folder / "converted", choice.folder / "quantized"])
    with whole_folder(folder / "converted") as converted:
        _write(converted, [known[name].variant for name in floats if name in known], choice.folder / "converted")
    card = ModelCard.of(made.model)
    dataset = Dataset(made.dataset, made.validation)
    samples = calibration.stratified(dataset.split("train"), CALIBRATED, seed=0)
    inputs = np.concatenate([part for _, part in batches(dataset, samples, card.preprocessing)])
    chosen = choice.selection.variant
    with whole_folder(folder / "rivals") as partial:
        own = [known[chosen].variant] if chosen in known and chosen not in floats else []
        made_now = list(rivals_of(placed_variants([folder / "converted"]), inputs, partial))
        _write(partial, own, choice.folder / "quantized")
        VariantSet(variants=(*own, *made_now)).write(partial / VARIANTS_FILE)


def compete(made: Made, choice: Choice, folder: Path, *, profile: ProfileName = "quick") -> dict[str, Result]:
    """The rivals and `CHOSEN` by name: what `enter` put into `folder`, measured."""
    variant, target = choice.selection.variant, choice.selection.target
    if variant is None or target is None:
        return {}
    report = benchmark(
        BenchmarkParams(targets=tuple(Target(runtime=name) for name in ("torch", *runtimes_here())), profile=profile),
        converted=folder / "converted", quantized=folder / "rivals", benchmark=folder / "benchmark",
        dataset=made.dataset, validation=made.validation,
    )  # fmt: skip
    return results_of(report, folder / "benchmark", {CHOSEN: (variant, target.runtime), **RIVALS})


def results_of(report: BenchmarkReport, measured: Path, places: dict[str, tuple[str, str]]) -> dict[str, Result]:
    """Of every variant on a runtime that was measured, by the name that it goes by here."""
    rows = {(row.variant, row.target.runtime): row for row in report.rows}
    float_accuracy = next((row.accuracy for row in report.rows if row.variant == report.reference), None)
    rounds_ms = rounds_of(measured / "samples.parquet")
    results = {}
    for name, place in places.items():
        if place not in rows:
            continue
        row = rows[place]
        drop = None if row.accuracy is None or float_accuracy is None else float_accuracy - row.accuracy
        results[name] = Result(
            name=name,
            variant=row.variant,
            runtime=place[1],
            accuracy=row.accuracy,
            drop=drop,
            rounds_ms=rounds_ms.get(row.candidate, {}) if row.status == "pass" else {},
            reason=row.reason,
        )
    return results


def rounds_of(samples: Path) -> dict[str, dict[tuple[int, int], float]]:
    """By candidate, start and round: the median of a query in ms, of the rounds that count."""
    import pyarrow.parquet as parquet

    table = parquet.read_table(samples).to_pandas()
    found: dict[str, dict[tuple[int, int], float]] = {}
    for (name, restart, turn), rows in table[table["kept"]].groupby(["candidate", "restart", "round"]):
        found.setdefault(name, {})[restart, turn] = query_ms(rows["latency_ns"].to_numpy(), block=rows["block"].iloc[0])
    return found


def query_ms(latencies_ns: Doubles, *, block: int) -> float:
    """The median of a query; of one of microseconds the median of the means of `BLOCK_QUERIES` queries or more.

    Args:
        latencies_ns: Of one turn, in order.
        block: Queries that each is the mean of.
    """
    together = -(-BLOCK_QUERIES // block)
    if np.median(latencies_ns) < MICROSECONDS_MS * 1e6 and len(latencies_ns) >= together:
        whole = len(latencies_ns) // together * together
        latencies_ns = latencies_ns[:whole].reshape(-1, together).mean(axis=1)
    return float(np.median(latencies_ns)) / 1e6


def _write(folder: Path, variants: Sequence[Variant], source: Path) -> None:
    for file in (CARD_FILE, *(variant.file for variant in variants)):
        copy_file(source / file, folder / file)
    VariantSet(variants=tuple(variants)).write(folder / VARIANTS_FILE)
