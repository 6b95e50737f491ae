"""One model file on one device, without a pipeline: what `edgeloop bench` does."""

import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop import plugins
from edgeloop.benchmarking import CandidateRow, ProfileName, Target
from edgeloop.benchmarking.measurement import environments_of, units_of
from edgeloop.benchmarking.plan import Candidate
from edgeloop.benchmarking.profiles import PROFILES
from edgeloop.benchmarking.records import Record
from edgeloop.benchmarking.rounds import Order, measure_on
from edgeloop.benchmarking.rows import Context, row_of
from edgeloop.benchmarking.staging import TIMED_SAMPLES, material_from
from edgeloop.canonical import sha256_of_file
from edgeloop.confinement import confined
from edgeloop.devices import Device
from edgeloop.errors import InputFault, ModelFault, translated
from edgeloop.models import CARD_FILE, ModelCard
from edgeloop.plugins import missing_extra
from edgeloop.progress import progress
from edgeloop.variants import VARIANTS_FILE, PlacedVariant, Tool, Variant, VariantSet

MOST_VALUES = 1 << 26
"""Of one sample: 268 MB."""

NO_LABELS = "measured without labelled samples"


def bench_file(
    path: Path,
    *,
    device: Device,
    runtime: str = "onnxruntime",
    threads: int = 1,
    inputs: NDArray[np.float32] | None = None,
    profile: ProfileName = "quick",
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[CandidateRow, dict[str, Any]]:
    """Measures one file.

    Args:
        path: Any model file that the runtime loads; where a `model.json` lies beside it, that tells the input shape.
        device: As declared, see `edgeloop.devices.device_named`.
        runtime: Plug-in of edgeloop.runtimes.
        threads: Computing threads.
        inputs: Samples first, then the model's input shape; random numbers of that shape by default.
        profile: See `profiles`.
        sleep: Waits the given seconds, for a busy machine to become calm.

    Returns:
        The candidate's row, and the device's environment `before` and `after`.

    Raises:
        InputFault: There is no such file, another runtime loads its format, or its input shape is not known.
        ModelFault: The file is no model.
        PluginFault: No runtime has that name.
    """
    placed = placed_file(path)
    _refuse_other_format(placed, runtime)
    samples = _random_inputs(path) if inputs is None else inputs
    target = Target(device=device.name, runtime=runtime, threads=threads)
    record = Record(Candidate(placed=placed, target=target))
    with tempfile.TemporaryDirectory() as work, progress("bench", units_of(1, PROFILES[profile])) as advance:
        material = material_from(samples, Path(work))
        order = Order(profile=PROFILES[profile], seed=0, material=material, sleep=sleep)
        surroundings = measure_on(device, [record], order=order, advance=advance)
    context = Context(profile=PROFILES[profile], reference={}, judge=None, no_accuracy=NO_LABELS)
    row = row_of(record, peers=(), device=device, surroundings=surroundings, context=context)
    return row, environments_of(surroundings, device)


def placed_file(path: Path) -> PlacedVariant:
    """The variant that a set beside the file records, or one made up for a file that stands alone.

    Raises:
        InputFault: There is no such file.
        ModelFault: Its bytes are not those that the set records.
    """
    with translated(path):
        if path.is_dir():
            raise InputFault("is a folder", where=str(path), fix="name the model file in it")
        size_bytes, sha256 = path.stat().st_size, sha256_of_file(path)
    if (path.parent / VARIANTS_FILE).is_file():
        for variant in VariantSet.of(path.parent).variants:
            if variant.file == path.name:
                return PlacedVariant(variant=variant, folder=path.parent).verified()
    alone = Variant(
        name=path.stem,
        format=path.suffix.removeprefix(".") or "unknown",
        precision="fp32",
        file=path.name,
        sha256=sha256,
        size_bytes=size_bytes,
        made_by=Tool(name="unknown", version="unknown"),
    )
    return PlacedVariant(variant=alone, folder=path.parent)


def _refuse_other_format(placed: PlacedVariant, runtime: str) -> None:
    """Refuses a format that this runtime does not load and another one does; an unknown one is tried."""
    formats = {name: plugins.load("runtimes", name).formats for name in {*plugins.names("runtimes"), runtime}}
    wanted = placed.variant.format
    others = [name for name, loaded in sorted(formats.items()) if wanted in loaded]
    if others and runtime not in others:
        raise InputFault(f"{runtime} does not load {wanted}", where=str(placed.path), fix=f"use {' or '.join(others)}")


def _random_inputs(path: Path) -> NDArray[np.float32]:
    """Standard normal numbers from a fixed seed; what a CPU computes does not take longer for one number than another.

    Denormal numbers are the exception, and these are far from them.
    """
    shape = _input_shape(path)
    return np.random.default_rng(0).standard_normal((TIMED_SAMPLES, *shape), dtype=np.float32)


def _input_shape(path: Path) -> tuple[int, ...]:
    """Without the batch."""
    if (path.parent / CARD_FILE).is_file():
        return ModelCard.of(path.parent).preprocessing.shape
    if path.suffix != ".onnx":
        raise InputFault(
            f"has no {CARD_FILE} that tells its input shape", where=str(path), fix=f"put {CARD_FILE} beside it"
        )
    told = confined("edgeloop.benchmarking.single:input_sizes_here", {"source": str(path.absolute())}, where=path)
    dimensions = told["sizes"]
    if not all(isinstance(size, int) and size > 0 for size in dimensions[1:]):
        raise InputFault(
            f"takes inputs of any shape ({dimensions})", where=str(path), fix="export it with a fixed shape"
        )
    if math.prod(dimensions[1:]) > MOST_VALUES:
        raise ModelFault(
            f"takes inputs of the shape {tuple(dimensions)}, as no model does", where=str(path), fix="export it anew"
        )
    return tuple(dimensions[1:])


def input_sizes_here(*, source: str) -> dict[str, list[Any]]:
    """The sizes of the first input of an ONNX file, as ONNX Runtime reads it: for the confined process.

    Raises:
        ModelFault: It does not.
        MissingExtra: It is not installed.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise missing_extra(error, "onnxruntime") from error
    try:
        dimensions = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"]).get_inputs()[0].shape
    except Exception as error:  # every status of ONNX Runtime is a class of its own below Exception
        raise ModelFault("is no ONNX model that can be loaded", where=source, fix="check the file") from error
    return {"sizes": list(dimensions)}
