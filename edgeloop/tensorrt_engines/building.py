"""ONNX → engine.

The branch is that of the installed version. In TensorRT 10 a network may be weakly typed: the builder then chooses
among the precisions that are allowed by flags. In TensorRT 11 there are no such flags, and no calibrators: every
network is strongly typed, and each layer computes in the type that the file says. So does this module in both, unless
`weak_precision` asks for the other way, which 11 cannot go. Refit is off: an engine's weights are those of its file.

A plan that is version-compatible may carry a lean runtime, which is host code that a loader would execute: it is left
out, always.
"""

import logging
import os
import re
from pathlib import Path
from typing import Any

from edgeloop.errors import DeviceFault, EdgeloopError, InputFault, ModelFault
from edgeloop.files import whole_file
from edgeloop.runtimes import one_line
from edgeloop.tensorrt_engines.installation import Installation
from edgeloop.tensorrt_engines.options import EngineOptions

_MIB = 1 << 20
_MOST_ERRORS = 3
_log = logging.getLogger(__name__)


def built(
    content: bytes, options: EngineOptions, *, where: Path, here: Installation, cache: Path | None = None
) -> bytes:
    """The engine of an ONNX file, as bytes that another process of the same installation loads.

    Args:
        content: Of the ONNX file, values included.
        options: What it is built with.
        where: The file, for errors.
        here: Builder and GPU.
        cache: File of how long kernels took, read and written anew; None: nothing is remembered.

    Raises:
        InputFault: The options ask for what this branch has not.
        ModelFault: The parser or the builder does not take the file.
    """
    trt = here.module
    _refuse_weak(options, here)
    sink, said = sink_of(trt)
    builder = trt.Builder(sink)
    network = builder.create_network(_creation_flags(trt, options, here))
    parser = trt.OnnxParser(network, sink)
    if not parser.parse(content):
        errors = [_told(parser.get_error(number)) for number in range(min(parser.num_errors, _MOST_ERRORS))]
        raise _refused(where, here, "parser", errors or said)
    config = builder.create_builder_config()
    _configure(trt, config, network, options=options, here=here)
    _add_profile(builder, config, network, options=options, where=where)
    timings = _attach_timings(config, cache)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise _refused(where, here, "builder", said)
    if cache is not None:
        _keep_timings(timings, cache)
    return bytes(memoryview(plan))


def timing_cache(here: Installation) -> Path:
    """Where the times of kernels are kept for this GPU and version: they are those of no other.

    Below `EDGELOOP_CACHE`, else the user's cache folder.
    """
    root = os.environ.get("EDGELOOP_CACHE")
    folder = Path(root) if root else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgeloop"
    gpu = re.sub(r"\W+", "-", f"{here.gpu.name} {here.gpu.capability}".lower())
    return folder / "tensorrt" / f"{here.version}-{gpu}.timings"


def sink_of(trt: Any) -> tuple[Any, list[str]]:
    """A logger of TensorRT, and the errors that it was told, in order; the rest goes to our log."""
    said: list[str] = []
    errors = (trt.ILogger.Severity.INTERNAL_ERROR, trt.ILogger.Severity.ERROR)

    class Sink(trt.ILogger):  # type: ignore[misc]  # a class of a package that is seldom there
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, msg: str) -> None:
            if severity in errors:
                said.append(msg)
            _log.debug("%s: %s", severity, msg)

    return Sink(), said


def _refuse_weak(options: EngineOptions, here: Installation) -> None:
    if options.weak_precision != "none" and here.branch > 10:
        raise InputFault(
            f"TensorRT {here.version} has no flag for {options.weak_precision}: the types in the file decide",
            where="convert.tensorrt.weak_precision",
            fix="set it to none and convert a file whose types are those",
        )


def _creation_flags(trt: Any, options: EngineOptions, here: Installation) -> int:
    """TensorRT 11 knows strong typing only, and ignores the flag."""
    if here.branch > 10 or options.weak_precision != "none":
        return 0
    return 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)


def _configure(trt: Any, config: Any, network: Any, *, options: EngineOptions, here: Installation) -> None:
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace_mib * _MIB)
    config.builder_optimization_level = options.optimization_level
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED  # what the inspector tells of precisions
    flags = trt.BuilderFlag
    if options.tf32:
        config.set_flag(flags.TF32)
    else:
        config.clear_flag(flags.TF32)  # it is on by default
    if options.version_compatible:
        config.set_flag(flags.VERSION_COMPATIBLE)
        config.set_flag(flags.EXCLUDE_LEAN_RUNTIME)
    if options.hardware_compatibility != "none":
        levels = trt.HardwareCompatibilityLevel
        config.hardware_compatibility_level = getattr(levels, options.hardware_compatibility.upper())
    if options.weak_precision != "none" and here.branch == 10:
        config.set_flag(getattr(flags, options.weak_precision.upper()))
        if _is_quantized(trt, network):
            config.set_flag(flags.INT8)


def _is_quantized(trt: Any, network: Any) -> bool:
    kinds = (trt.LayerType.QUANTIZE, trt.LayerType.DEQUANTIZE)
    return any(network.get_layer(place).type in kinds for place in range(network.num_layers))


def _add_profile(builder: Any, config: Any, network: Any, *, options: EngineOptions, where: Path) -> None:
    """The batches that the engine takes, where the file leaves them open; other sizes have to be fixed.

    Raises:
        ModelFault: They are not, or the builder does not take the profile.
    """
    profile = builder.create_optimization_profile()
    inputs = [network.get_input(place) for place in range(network.num_inputs)]
    opened = [tensor for tensor in inputs if -1 in tuple(tensor.shape)]
    if not opened:
        return
    for tensor in opened:
        _, *rest = tuple(tensor.shape)
        if -1 in rest:
            raise ModelFault(
                f"leaves more than the batch of {tensor.name!r} open",
                where=str(where),
                fix="export it with fixed sizes",
            )
        sizes = (options.least_batch, options.usual_batch, options.largest_batch)
        try:
            profile.set_shape(tensor.name, *((size, *rest) for size in sizes))
        except ValueError as error:
            raise ModelFault(
                f"takes no such batches ({one_line(error)})", where=str(where), fix="change them"
            ) from error
    if config.add_optimization_profile(profile) < 0:
        raise ModelFault("takes no such batches", where=str(where), fix="change convert.tensorrt")


def _attach_timings(config: Any, cache: Path | None) -> Any:
    """A cache of kernels' times on `config`; what is kept but of another GPU, of another version or broken is left."""
    kept = cache.read_bytes() if cache is not None and cache.is_file() else b""
    timings = config.create_timing_cache(kept)
    if timings is None or not config.set_timing_cache(timings, False):
        timings = config.create_timing_cache(b"")
        config.set_timing_cache(timings, False)
    return timings


def _keep_timings(timings: Any, cache: Path) -> None:
    """Whole or not at all; a place that cannot be written costs the next build its time, and nothing else."""
    content = bytes(memoryview(timings.serialize()))
    try:
        with whole_file(cache) as partial:
            partial.write_bytes(content)
    except EdgeloopError as error:
        _log.warning("times of kernels are not kept: %s", error.line())


def _told(error: Any) -> str:
    """What the parser says of one node."""
    node = " ".join(part for part in (error.node_operator(), error.node_name()) if part)
    return f"{node}: {error.desc()}" if node else str(error.desc())


def _refused(where: Path, here: Installation, part: str, said: list[str]) -> ModelFault:
    why = " | ".join(one_line(Exception(line)) for line in said[:_MOST_ERRORS]) or "it does not say why"
    return ModelFault(
        f"the {part} of TensorRT {here.version} does not take it ({why})", where=str(where), fix="change the model"
    )


def deserialized(content: bytes, *, where: Path, here: Installation) -> Any:
    """The ICudaEngine in `content`; host code in it is never executed.

    Raises:
        ModelFault: It is no engine, or one of another version or GPU.
        DeviceFault: TensorRT cannot be started.
    """
    trt = here.module
    sink, said = sink_of(trt)
    runtime = trt.Runtime(sink)
    if runtime is None:
        raise DeviceFault("TensorRT cannot be started", where="tensorrt", fix="check the driver")
    runtime.engine_host_code_allowed = False
    engine = runtime.deserialize_cuda_engine(content)
    if engine is None:
        why = f" ({one_line(Exception(said[0]))})" if said else ""
        raise ModelFault(
            f"is no engine that TensorRT {here.version} loads on {here.gpu.name}{why}",
            where=str(where),
            fix="build it on this device",
        )
    return engine
