"""A user's own ONNX file in another format: what `edgeloop convert` does.

The file is a stranger's: it is admitted (`edgeloop.own_files.admission`), converted and compared in a confined process.
"""

import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgeloop import plugins
from edgeloop.canonical import sha256_of_file
from edgeloop.confinement import MEMORY_BYTES, TIMEOUT_S, confined
from edgeloop.contract import Contract
from edgeloop.conversion import THREADS, Converter, ConvertParams, NotMade
from edgeloop.errors import InputFault, ModelFault, translated
from edgeloop.files import whole_file
from edgeloop.onnx_files import write_clean
from edgeloop.own_files.admission import admitted
from edgeloop.parity import compared
from edgeloop.runtimes import Runtime
from edgeloop.variants import Check, Tool

SOURCE = "onnx"
SAMPLES = 4
"""Random inputs of the comparison."""


class ConvertedFile(Contract):
    """What was written, and how near it is to its source."""

    source: str
    format: str
    file: str
    sha256: str
    size_bytes: int
    made_by: Tool
    checks: tuple[Check, ...]


class UnmadeFile(Contract):
    """What could not be made on this machine, and what could be judged without: it is not evaluated."""

    source: str
    format: str
    status: Literal["not evaluated"] = "not evaluated"
    reason: str
    checks: tuple[Check, ...]


def convert_file(
    source: Path,
    *,
    to: str,
    target: Path | None = None,
    max_relative_error: float = 1e-3,
    memory_bytes: int = MEMORY_BYTES,
    timeout_s: float = TIMEOUT_S,
) -> ConvertedFile | UnmadeFile:
    """Converts one file; what this machine cannot make is a value, not an error, and nothing is written.

    Args:
        source: An ONNX file.
        to: Plug-in of edgeloop.conversion.
        target: The file to write; beside the source, with the format's suffix, unless given.
        max_relative_error: Of the outputs on random inputs, against ONNX Runtime on the source.
        memory_bytes: See `edgeloop.confinement`.
        timeout_s: See `edgeloop.confinement`.

    Raises:
        InputFault: There is no such file, or the format is not made of ONNX.
        ModelFault: The file is refused, or the converter does not take it.
        MissingExtra: A package is not installed.
    """
    converter: Converter = plugins.load("conversion", to)
    if converter.source != SOURCE:
        raise InputFault(
            f"{to} is made of {converter.source}, not of ONNX", where=str(source), fix=f"use one of: {_from_onnx()}"
        )
    with translated(source), source.open("rb"):
        pass
    written = target or source.with_suffix(converter.suffix)
    with translated(written):
        written.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=written.parent, prefix=".") as scratch:
            made = Path(scratch).absolute() / f"model{converter.suffix}"
            arguments = {
                "source": str(source.absolute()), "to": to, "target": str(made), "limit": max_relative_error,
            }  # fmt: skip
            told = confined(
                "edgeloop.own_files.conversion:convert_here", arguments, where=source, timeout_s=timeout_s,
                memory_bytes=max(memory_bytes, getattr(converter, "addresses_bytes", 0)),
            )  # fmt: skip
            checks = tuple(Check.model_validate(check) for check in told["checks"])
            if "made_by" not in told:
                return UnmadeFile(source=str(source), format=to, reason=told["reason"], checks=checks)
            with whole_file(written) as partial:
                made.replace(partial)
    return ConvertedFile(
        source=str(source),
        format=to,
        file=str(written),
        sha256=sha256_of_file(written),
        size_bytes=written.stat().st_size,
        made_by=Tool.model_validate(told["made_by"]),
        checks=checks,
    )


def convert_here(*, source: str, to: str, target: str, limit: float) -> dict[str, Any]:
    """The same in this process, with JSON types: for the confined one."""
    converter: Converter = plugins.load("conversion", to)
    model = admitted(Path(source))
    # what was admitted is what is converted: not the file, which may name others
    clean = Path(target).with_name(f"{Path(target).name}.onnx")
    try:
        write_clean(model, clean)
        made = converter.convert(clean.parent, clean, target=Path(target), params=ConvertParams())
        if isinstance(made, NotMade):
            return {"reason": made.reason, "checks": [check.values() for check in made.checks]}
        checks = [*made.checks, *_parity(model, clean, Path(target), runtime=converter.runtime, limit=limit)]
    except ModelFault as error:  # what it says of the copy, it says of the source
        raise ModelFault(error.what, where=source, fix=error.fix) from error
    finally:
        clean.unlink(missing_ok=True)
    return {"made_by": made.tool.values(), "checks": [check.values() for check in checks]}


def _from_onnx() -> str:
    return ", ".join(n for n in plugins.names("conversion") if plugins.load("conversion", n).source == SOURCE)


def _parity(model: Any, source: Path, target: Path, *, runtime: str, limit: float) -> list[Check]:
    inputs = random_inputs(model, SAMPLES)
    if inputs is None:
        reason = "the file takes inputs of any shape, or something else than one float32 array"
        return [Check(name="parity", status="not evaluated", limit=limit, reason=reason)]
    first: Runtime = plugins.load("runtimes", "onnxruntime")
    second: Runtime = plugins.load("runtimes", runtime)
    with closing(first.open(source, threads=THREADS)) as reference:
        expected = reference.run(inputs)
    with closing(second.open(target, threads=THREADS)) as candidate:
        found = candidate.run(inputs)
    return [_judged(parity.output, parity.max_relative_error, limit) for parity in compared(expected, found)]


def _judged(output: str, error: float | None, limit: float) -> Check:
    passed = error is not None and error <= limit
    return Check(
        name=f"parity_{output}",
        status="pass" if passed else "fail",
        value=error,
        limit=limit,
        reason=f"largest difference over the largest output, on {SAMPLES} random inputs"
        if error is not None
        else "an output is not a finite number",
    )


def random_inputs(model: Any, samples: int) -> NDArray[np.float32] | None:
    """Standard normal numbers from a fixed seed; None where the model takes no single float32 array of one shape."""
    from onnx import TensorProto

    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    if len(inputs) != 1 or inputs[0].type.tensor_type.elem_type != TensorProto.FLOAT:
        return None
    first, *rest = [dimension.dim_value for dimension in inputs[0].type.tensor_type.shape.dim] or [0]
    if not rest or not all(size > 0 for size in rest):
        return None
    return np.random.default_rng(0).standard_normal((first or samples, *rest), dtype=np.float32)
