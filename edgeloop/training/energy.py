"""Energy of the machine's processors by Linux's powercap counters; other processes on them are counted as well.

Source: the kernel's Documentation/power/powercap/powercap.rst. A zone `intel-rapl:N` (AMD's too) whose name begins
with `package` counts microjoules in `energy_uj`, and starts again from 0 after `max_energy_range_uj`.
"""

from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


class EnergyCounter:
    """Counts from when it is made; to be read at least once a turn of the counters, tens of minutes under load.

    Args:
        root: Where the zones lie.
    """

    def __init__(self, root: Path = POWERCAP) -> None:
        self.reason = ""
        """Why nothing is counted; empty where something is."""
        self._last: dict[Path, int] = {}
        self._sum_uj = 0
        zones = [zone for zone in sorted(root.glob("intel-rapl:*")) if _is_package(zone)]
        if not zones:
            self.reason = f"this machine has no energy counter in {root}"
        for zone in zones:
            count = self._count(zone)
            if count is not None:
                self._last[zone] = count

    def read_j(self) -> float | None:
        """Joules so far, of all packages; None where nothing is counted, see `reason`."""
        for zone, before in self._last.items():
            now = self._count(zone)
            if now is None:
                break
            turned = _number(zone / "max_energy_range_uj") or 0
            self._sum_uj += now - before if now >= before else now + turned - before
            self._last[zone] = now
        return None if self.reason else self._sum_uj / 1e6

    def _count(self, zone: Path) -> int | None:
        """Microjoules; from the first that cannot be read on there is a reason and no sum."""
        count = _number(zone / "energy_uj")
        if count is None:
            self.reason = f"{zone.name}/energy_uj cannot be read: it is root's alone on most machines"
        return count


def _is_package(zone: Path) -> bool:
    try:
        return (zone / "name").read_text(encoding="utf-8").startswith("package")
    except OSError:
        return False


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
