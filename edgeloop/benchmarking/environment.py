"""The machine that this process runs on, as the kernel tells it: what decides timings, and what disturbs them.

Nothing here is guessed: what cannot be read is null. Sources: /proc and /sys, see `man 5 proc` and the kernel's
Documentation/ABI/testing/sysfs-devices-system-cpu.
"""

import os
import platform
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean

from pydantic import Field

from edgeloop.contract import Contract

ISA = frozenset(
    {"sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni",
     "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16",
     "neon", "asimd", "asimdhp", "asimddp", "fphp", "i8mm", "bf16", "sve", "sve2", "sme",
     "vfpv4", "vfpv3", "rvv"}
)  # fmt: skip
"""CPU flags that decide which kernels an inference library takes."""


class Environment(Contract):
    """A machine at one moment; the first block stays, the second changes."""

    soc: str | None = Field(description="board or CPU model")
    architecture: str
    cores: int = Field(description="that this process may use")
    isa: tuple[str, ...] = Field(description="flags of ISA that the CPU has, sorted")
    ram_gib: float | None = Field(description="rounded to half a GiB")
    virtual: bool | None = Field(description="runs under a hypervisor; null where the CPU does not tell")
    os: str | None
    kernel: str
    python: str

    governor: str | None = Field(description="of the first CPU")
    clock_mhz: float | None = Field(description="mean over the CPUs, now")
    clock_max_mhz: float | None = Field(description="highest that the governor may choose")
    temperature_c: float | None = Field(description="of the hottest thermal zone")
    load_1m: float | None = Field(description="runnable processes, mean over the last minute")
    throttle_count: int | None = Field(description="thermal throttling events since boot, all CPUs")
    energy_sensors: tuple[str, ...] = Field(description="powercap zones that this process may read")


def read_environment(root: Path = Path("/")) -> Environment:
    """The machine whose /proc and /sys lie below `root`."""
    cpuinfo = _pairs(root / "proc/cpuinfo")
    cpus = root / "sys/devices/system/cpu"
    flags = set((cpuinfo.get("flags") or cpuinfo.get("Features") or cpuinfo.get("isa") or "").split())
    return Environment(
        soc=_soc(root, cpuinfo),
        architecture=platform.machine(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        isa=tuple(sorted(flags & ISA)),
        ram_gib=_ram_gib(root / "proc/meminfo"),
        virtual="hypervisor" in flags if "flags" in cpuinfo else None,
        os=_pairs(root / "etc/os-release", separator="=").get("PRETTY_NAME", "").strip('"') or None,
        kernel=platform.release(),
        python=platform.python_version(),
        governor=_text(cpus / "cpu0/cpufreq/scaling_governor"),
        clock_mhz=_clock_mhz(cpus, cpuinfo),
        clock_max_mhz=_scaled(_number(cpus / "cpu0/cpufreq/scaling_max_freq"), 1e-3),
        temperature_c=_temperature_c(root / "sys/class/thermal"),
        load_1m=_load(root / "proc/loadavg"),
        throttle_count=_throttle_count(cpus),
        energy_sensors=_energy_sensors(root / "sys/class/powercap"),
    )


def throttled(before: Environment, after: Environment) -> bool:
    """Whether the machine throttled in between; false where it does not count that."""
    if before.throttle_count is None or after.throttle_count is None:
        return False
    return after.throttle_count > before.throttle_count


def _soc(root: Path, cpuinfo: dict[str, str]) -> str | None:
    board = _text(root / "proc/device-tree/model") or _text(root / "sys/devices/soc0/machine")
    return board or cpuinfo.get("model name") or cpuinfo.get("Hardware") or cpuinfo.get("Model") or None


def _ram_gib(meminfo: Path) -> float | None:
    """Rounded, because the kernel keeps a little more or less for itself from one boot to the next."""
    total_kib = _pairs(meminfo).get("MemTotal", "").split()
    return round(int(total_kib[0]) / 2**20 * 2) / 2 if total_kib and total_kib[0].isdecimal() else None


def _clock_mhz(cpus: Path, cpuinfo: dict[str, str]) -> float | None:
    clocks_khz = _numbers(cpus.glob("cpu[0-9]*/cpufreq/scaling_cur_freq"))
    if clocks_khz:
        return round(fmean(clocks_khz) / 1000, 1)
    try:
        return round(float(cpuinfo["cpu MHz"]), 1)
    except (KeyError, ValueError):
        return None


def _temperature_c(zones: Path) -> float | None:
    millidegrees = _numbers(zones.glob("thermal_zone*/temp"))
    return round(max(millidegrees) / 1000, 1) if millidegrees else None


def _throttle_count(cpus: Path) -> int | None:
    counts = _numbers(cpus.glob("cpu[0-9]*/thermal_throttle/*_throttle_count"))
    return int(sum(counts)) if counts else None


def _energy_sensors(powercap: Path) -> tuple[str, ...]:
    return tuple(sorted(path.parent.name for path in powercap.glob("*/energy_uj") if _number(path) is not None))


def _load(path: Path) -> float | None:
    fields = (_text(path) or "").split()
    try:
        return float(fields[0])
    except (IndexError, ValueError):
        return None


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else round(value * factor, 1)


def _numbers(paths: Iterable[Path]) -> list[float]:
    return [number for path in paths if (number := _number(path)) is not None]


def _number(path: Path) -> float | None:
    try:
        return float(_text(path) or "")
    except ValueError:
        return None


def _text(path: Path) -> str | None:
    """The content of a small kernel file; null where it is missing or forbidden."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0 \n") or None
    except OSError:
        return None


def _pairs(path: Path, *, separator: str = ":") -> dict[str, str]:
    """`key : value` lines; the first of each key counts."""
    pairs: dict[str, str] = {}
    for line in (_text(path) or "").splitlines():
        key, found, value = line.partition(separator)
        if found:
            pairs.setdefault(key.strip(), value.strip())
    return pairs
