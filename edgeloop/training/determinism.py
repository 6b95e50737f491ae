"""What makes a training repeatable: torch and its threads, seed, deterministic kernels, and the CPU's features.

Sums are rounded in the order in which threads and vector lanes add them up: the same seed gives the same bytes for
equal threads and equal CPU features, and for those only. On a GPU the same holds for the same model of GPU.
"""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgeloop.errors import EnvironmentFault
from edgeloop.plugins import missing_extra

_VECTOR_FLAGS = ("sse4_2", "avx", "f16c", "fma", "avx2", "avx512", "avx_vnni", "amx", "asimd", "sve", "bf16", "i8mm")
WAITING = {"GOMP_SPINCOUNT": "2000"}
"""How threads wait: 0.1 ms awake, longer than between two kernels of a training, less than a turn of the scheduler."""

_CPU_INFO = Path("/proc/cpuinfo")


def import_torch() -> None:
    """Imports torch with threads that wait for each other awake for a moment, and then sleep.

    GNU's OpenMP lets them spin for some 10 ms, and reads how long once, when torch loads it. Where other processes want
    the same cores a spinning thread keeps the one it waits for from running: a small network on two busy cores trained
    ten times slower. One that sleeps at once is woken hundreds of times a step: on two quiet cores the detector of
    traffic signs then takes 1.8 times as long. How threads wait has no say in the results, child processes do not
    inherit it, and what the user set holds.

    Raises:
        MissingExtra: torch is not installed.
    """
    chosen = {} if {"OMP_WAIT_POLICY", *WAITING} & os.environ.keys() else WAITING
    os.environ.update(chosen)
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing_extra(error, "train") from error
    finally:
        for variable in chosen:
            del os.environ[variable]


def require_device(device: str) -> None:
    """Refuses a GPU where there is none; readies the library of products there to repeat itself.

    `CUBLAS_WORKSPACE_CONFIG` has to stand before it is used first, see "Results Reproducibility" in NVIDIA's manual of
    cuBLAS.

    Raises:
        EnvironmentFault: torch finds no GPU.
    """
    import torch

    if device != "cuda":
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if not torch.cuda.is_available():
        built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built without CUDA"
        raise EnvironmentFault(
            f"torch finds no GPU here (torch {torch.__version__}, {built})",
            where="train.device",
            fix="set train.device: cpu, or install a torch for CUDA on a machine with a GPU",
        )


@contextmanager
def deterministic(*, seed: int, threads: int) -> Iterator[None]:
    """Deterministic kernels, torch's generator seeded, exactly `threads` computing threads; all as before afterwards.

    Raises:
        EnvironmentFault: torch did not take the number of threads.
    """
    import torch

    threads_before = torch.get_num_threads()
    strict_before = torch.are_deterministic_algorithms_enabled()
    lenient_before = torch.is_deterministic_algorithms_warn_only_enabled()
    memory: Any = torch.utils.deterministic
    filled_before = memory.fill_uninitialized_memory
    used = [0] if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    with torch.random.fork_rng(devices=used):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True)
        # else every new tensor is filled with NaN before its kernel fills it: a sixth of a small network's time
        memory.fill_uninitialized_memory = False
        torch.set_num_threads(threads)
        try:
            if obstacle := _obstacle(threads, taken=torch.get_num_threads()):
                raise EnvironmentFault(
                    f"torch cannot be held to {threads} threads: {obstacle}",
                    where="train.threads",
                    fix="remove that or give the number that is possible",
                )
            yield
        finally:
            torch.set_num_threads(threads_before)
            memory.fill_uninitialized_memory = filled_before
            torch.use_deterministic_algorithms(strict_before, warn_only=lenient_before)


def _obstacle(threads: int, *, taken: int) -> str | None:
    """What makes OpenMP compute with another number of threads, if anything does.

    A limit in the environment binds silently: torch goes on to report the number that it was given.
    """
    if taken != threads:
        return f"it took {taken}"
    limit = os.environ.get("OMP_THREAD_LIMIT", "")
    if limit.strip().isdigit() and int(limit) < threads:
        return f"OMP_THREAD_LIMIT is {limit}"
    if os.environ.get("OMP_DYNAMIC", "").strip().lower() == "true":
        return "OMP_DYNAMIC is true"
    return None


def features_of(device: str) -> dict[str, Any]:
    """The features of this CPU, and the GPU where one computes: JSON types."""
    import torch

    gpu = {"gpu": torch.cuda.get_device_name(0), "cuda": torch.version.cuda} if device == "cuda" else {}
    return {**cpu_features(), **gpu}


def cpu_features() -> dict[str, Any]:
    """The features of this CPU by which torch and its libraries choose their kernels: JSON types."""
    import torch

    vendor, flags = _vendor_and_flags()
    return {
        "architecture": platform.machine(),
        "vendor": vendor,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "flags": sorted(flag for flag in flags if flag.startswith(_VECTOR_FLAGS)),
        "mkl": torch.backends.mkl.is_available(),  # type: ignore[no-untyped-call]
        "onednn": torch.backends.mkldnn.is_available(),  # type: ignore[no-untyped-call]
    }


def _vendor_and_flags() -> tuple[str, list[str]]:
    """Of the first core, as Linux tells them; empty elsewhere."""
    if not _CPU_INFO.is_file():
        return "", []
    first = _CPU_INFO.read_text(encoding="utf-8").split("\n\n")[0]
    lines = [line.partition(":") for line in first.splitlines()]
    values = {key.strip(): value.strip() for key, _, value in lines}
    vendor = values.get("vendor_id") or values.get("CPU implementer", "")
    return vendor, (values.get("flags") or values.get("Features", "")).split()
