"""The candidates of several files without labelled samples, measured in turns as `edgeloop.benchmarking` measures."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from edgeloop.benchmarking import BenchmarkReport, ProfileName, Target
from edgeloop.benchmarking.measurement import environments_of, of_device, protocol_of, rows_of, units_of
from edgeloop.benchmarking.plan import candidates_of, idle_targets
from edgeloop.benchmarking.profiles import PROFILES
from edgeloop.benchmarking.records import Record
from edgeloop.benchmarking.rounds import Order, measure_on
from edgeloop.benchmarking.rows import Context
from edgeloop.benchmarking.single import NO_LABELS
from edgeloop.benchmarking.staging import TIMED_SAMPLES, material_from
from edgeloop.devices import device_named
from edgeloop.errors import InputFault
from edgeloop.own_files.conversion import random_inputs
from edgeloop.progress import progress
from edgeloop.variants import PlacedVariant

SEED = 0


def benchmark_unlabelled(
    variants: Iterable[PlacedVariant], targets: tuple[Target, ...], *, profile: ProfileName
) -> BenchmarkReport:
    """One row for every candidate, with latency, memory and size and no accuracy; the first file is the reference.

    Raises:
        InputFault: No target loads any file, or the ONNX file takes inputs of any shape.
    """
    import time

    import onnx

    placed = list(variants)
    records = [Record(candidate) for candidate in candidates_of(placed, targets)]
    if not records:
        raise InputFault("no target loads this file", where="--target", fix="name another runtime")
    inputs = random_inputs(onnx.load(placed[0].path), TIMED_SAMPLES)
    if inputs is None:
        raise InputFault(
            "takes inputs of any shape, or not one float32 array", where=str(placed[0].path.name), fix="give --data"
        )
    # a batch of one that is written into the file is what a device runs: each sample is run alone
    named = {target.device: device_named(target.device) for target in targets}
    chosen = PROFILES[profile]
    with tempfile.TemporaryDirectory() as work, progress("benchmark", units_of(len(records), chosen)) as advance:
        order = Order(profile=chosen, seed=SEED, material=material_from(inputs, Path(work)), sleep=time.sleep)
        surroundings = {
            name: measure_on(device, of_device(records, name), order=order, advance=advance)
            for name, device in named.items()
        }
    context = Context(profile=chosen, reference={}, judge=None, no_accuracy=NO_LABELS)
    return BenchmarkReport(
        protocol=protocol_of(chosen, seed=SEED),
        reference=placed[0].variant.name,
        metric="none",
        environments={name: environments_of(found, named[name]) for name, found in surroundings.items()},
        rows=rows_of(records, named=named, surroundings=surroundings, context=context),
        checks=idle_targets([record.candidate for record in records], targets),
    )
