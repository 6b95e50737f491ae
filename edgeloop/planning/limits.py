"""How much memory there is: for this process, on the GPU, or as somebody wrote it down.

Sources: /proc/meminfo, see `man 5 proc`; the kernel's Documentation/admin-guide/cgroup-v2.rst (memory.max) and
cgroup-v1/memory.rst (memory.limit_in_bytes). A limit binds all groups below it, so each group up to the root is read.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from edgeloop.errors import EnvironmentFault, ParamsFault
from edgeloop.planning import Memory

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?\s*", re.IGNORECASE)


def parsed_size(text: str, *, where: str = "--memory") -> int:
    """Bytes in a text such as 8GB (10⁹ each) or 8GiB (2³⁰ each).

    Raises:
        ParamsFault: It is no size.
    """
    found = _SIZE.fullmatch(text)
    size = float(found[1]) * _UNITS[(found[2] or "").lower()] if found else 0
    if size < 1:
        raise ParamsFault(f"{text!r} is no size of memory", where=where, fix="write it as 8GB or 512MiB")
    return int(size)


def machine_memory(root: Path = Path("/")) -> Memory:
    """What this process may use at most: the machine's memory, or the least limit of its control groups.

    Args:
        root: Where /proc and /sys lie.

    Raises:
        EnvironmentFault: The machine does not tell, because it is no Linux.
    """
    return min(_ceilings(root, "MemTotal"), key=lambda memory: memory.size_bytes)


def available_memory(root: Path = Path("/")) -> Memory:
    """What this process can have now: the least of what is free, its own included, and what its groups leave it.

    Raises:
        EnvironmentFault: As `machine_memory`.
    """
    return min(_ceilings(root, "MemAvailable"), key=lambda memory: memory.size_bytes)


def resident_bytes(root: Path = Path("/")) -> int:
    """Of this process, now; 0 where Linux does not tell it."""
    return _kib(root / "proc/self/status", "VmRSS") or 0


def gpu_memory() -> Memory:
    """Of the first GPU.

    Raises:
        EnvironmentFault: There is none.
    """
    import torch

    if not torch.cuda.is_available():
        raise EnvironmentFault("there is no GPU here", where="--device cuda", fix="say how much it has with --memory")
    properties = torch.cuda.get_device_properties(0)
    return Memory(size_bytes=int(properties.total_memory), source=str(properties.name))


def _ceilings(root: Path, field: str) -> Iterator[Memory]:
    own = _kib(root / "proc/meminfo", field)
    if own is None:
        raise EnvironmentFault("the size of the memory is not told here", where=str(root), fix="give it with --memory")
    free = field == "MemAvailable"
    yield Memory(size_bytes=own + (resident_bytes(root) if free else 0), source="free memory" if free else "machine")
    for path in _limit_files(root):
        text = _text(path)
        if text is not None and text.isdecimal():
            yield Memory(size_bytes=int(text), source=f"control group ({path.name})")


def _limit_files(root: Path) -> Iterator[Path]:
    """Of this process's groups and of all above them, in both versions of control groups.

    Inside a container the own group is mounted as the root, so its path leads nowhere and only the root's file exists.
    """
    groups = root / "sys/fs/cgroup"
    for line in (_text(root / "proc/self/cgroup") or "").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, place = rest.partition(":")
        tops: tuple[Path, ...]
        if not controllers:
            tops, name = (groups, groups / "unified"), "memory.max"
        elif "memory" in controllers.split(","):
            tops, name = (groups / "memory",), "memory.limit_in_bytes"
        else:
            continue
        for top in tops:
            below = Path(place.lstrip("/"))
            yield from (top / group / name for group in (below, *below.parents) if group != Path())
            yield top / name


def _kib(path: Path, field: str) -> int | None:
    """Bytes of a line `field: number kB`."""
    for line in (_text(path) or "").splitlines():
        key, _, rest = line.partition(":")
        if key == field and rest.split()[:1] and rest.split()[0].isdecimal():
            return int(rest.split()[0]) * 1024
    return None


def _text(path: Path) -> str | None:
    """The content of a small kernel file; None where it is missing or forbidden."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
