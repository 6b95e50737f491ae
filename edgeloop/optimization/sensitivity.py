"""Which layers do the harm: each is quantized alone, all others stay float."""

import tempfile
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeloop import plugins
from edgeloop.optimization.recipes import Recipe
from edgeloop.optimization.recovery import Harm
from edgeloop.parity import compared
from edgeloop.progress import Advance
from edgeloop.runtimes import Arrays, Runtime

if TYPE_CHECKING:
    from edgeloop.quantization import Scheme

SAMPLES = 16
"""Of the calibration set; what a layer does to the outputs shows on few."""

THREADS = 1
_BROKEN_DB = -1000.0
"""Stands for an output that is not finite."""


def harms_of(
    scheme: "Scheme", source: Path, inputs: NDArray[np.float32], *, recipe: Recipe, advance: Advance
) -> tuple[Harm, ...]:
    """Every layer of the float file `source`, worst first; `inputs` are samples of the calibration set, N first."""
    runtime: Runtime = plugins.load("runtimes", scheme.runtime)
    expected = _outputs(runtime, source, inputs)
    layers = scheme.layers(source)
    answers: list[Future[Arrays]] = []
    # one file is asked, which takes one core, while the next one is made
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(1) as asking:
        for place, layer in enumerate(layers):
            others = tuple(sorted(set(layers) - {layer}))
            alone = recipe.model_copy(update={"kept_float": others, "bias_correction": "none"})
            target = Path(scratch) / f"alone-{place % 2}{scheme.suffix}"
            scheme.quantize(source, [inputs], target=target, recipe=alone)
            wait(answers)
            answers.append(asking.submit(_outputs, runtime, target, inputs))
            advance(0, f"sensitivity of layer {place + 1} of {len(layers)}")
    found = (Harm(layer, _sqnr_db(expected, one.result())) for layer, one in zip(layers, answers, strict=True))
    return tuple(sorted(found, key=lambda harm: harm.rank))


def _outputs(runtime: Runtime, path: Path, inputs: NDArray[np.float32]) -> Arrays:
    with closing(runtime.open(path, threads=THREADS)) as session:
        return session.run(inputs)


def _sqnr_db(expected: Arrays, found: Arrays) -> float | None:
    """Of the worst output; None where none differs."""
    values = []
    for parity in compared(expected, found):
        if parity.sqnr_db is not None:
            values.append(parity.sqnr_db)
        elif parity.max_relative_error != 0:
            values.append(_BROKEN_DB)
    return min(values, default=None)
