"""The targets of a file: those that the user names, or this machine with every runtime that it has."""

from collections.abc import Sequence

from edgeloop import plugins
from edgeloop.benchmarking import Target
from edgeloop.errors import EnvironmentFault, InputFault

OF_ONNX = ("onnxruntime", "openvino")
"""Runtimes whose files are made of an ONNX file."""

OF_WEIGHTS = (*OF_ONNX, "litert")
"""Of trained weights."""


def available_targets(names: Sequence[str]) -> tuple[Target, ...]:
    """One thread of this machine with every runtime of these that is installed.

    Raises:
        EnvironmentFault: None is.
    """
    states = [plugins.load("runtimes", name).state() for name in names]
    found = tuple(Target(runtime=state.name) for state in states if state.available)
    if not found:
        reasons = "; ".join(f"{state.name}: {state.reason}" for state in states)
        raise EnvironmentFault(f"no runtime is available ({reasons})", where="optimize", fix="install one of them")
    return found


def parsed_target(text: str) -> Target:
    """`openvino`, `openvino:2` or `board:openvino:2`: device, runtime and threads.

    Raises:
        InputFault: It is none of these.
    """
    parts = text.split(":")
    if len(parts) == 2 and not parts[1].isdecimal():
        device, runtime, threads = parts[0], parts[1], "1"
    else:
        device, runtime, threads = {
            1: ("local", parts[0], "1"), 2: ("local", *parts), 3: tuple(parts)
        }.get(len(parts), ("", "", ""))  # fmt: skip
    if not runtime or not threads.isdecimal() or not 1 <= int(threads) <= 256:
        raise InputFault(
            f"{text!r} is no target", where="--target", fix="write RUNTIME, RUNTIME:THREADS or DEVICE:RUNTIME:THREADS"
        )
    plugins.load("runtimes", runtime)
    return Target(device=device, runtime=runtime, threads=int(threads))
