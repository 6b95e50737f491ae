"""Energy as the kernel counts it, from folders that look like the kernel's."""

from pathlib import Path

import pytest

from edgeloop.training.cost import measured
from edgeloop.training.energy import EnergyCounter


def zone(root: Path, name: str, *, called: str, energy_uj: int, turn_uj: int = 1_000_000) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{called}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    (folder / "max_energy_range_uj").write_text(f"{turn_uj}\n")
    return folder


def test_all_packages_are_counted_and_their_parts_are_not(tmp_path):
    packages = [zone(tmp_path, f"intel-rapl:{n}", called=f"package-{n}", energy_uj=100) for n in range(2)]
    part = zone(tmp_path, "intel-rapl:0:0", called="core", energy_uj=0)
    whole = zone(tmp_path, "intel-rapl:2", called="psys", energy_uj=0)
    counter = EnergyCounter(tmp_path)
    for folder in (*packages, part, whole):
        (folder / "energy_uj").write_text("400100")
    assert counter.read_j() == 0.8
    assert counter.reason == ""


def test_a_counter_that_turns_over_goes_on(tmp_path):
    package = zone(tmp_path, "intel-rapl:0", called="package-0", energy_uj=900_000)
    counter = EnergyCounter(tmp_path)
    for count in (100_000, 50_000):  # it turned before each reading
        (package / "energy_uj").write_text(str(count))
        total = counter.read_j()
    assert total == pytest.approx(0.2 + 0.95)


def test_a_machine_without_counters_says_so(tmp_path):
    counter = EnergyCounter(tmp_path)
    assert counter.read_j() is None
    assert "has no energy counter" in counter.reason


def test_a_counter_that_cannot_be_read_says_so(tmp_path):
    (zone(tmp_path, "intel-rapl:0", called="package-0", energy_uj=1) / "energy_uj").unlink()
    counter = EnergyCounter(tmp_path)
    assert counter.read_j() is None
    assert "intel-rapl:0/energy_uj cannot be read" in counter.reason


def test_a_counter_that_goes_away_gives_no_sum(tmp_path):
    package = zone(tmp_path, "intel-rapl:0", called="package-0", energy_uj=1)
    counter = EnergyCounter(tmp_path)
    (package / "energy_uj").unlink()
    assert counter.read_j() is None


def test_the_cost_holds_joules_or_a_reason(tmp_path):
    package = zone(tmp_path, "intel-rapl:0", called="package-0", energy_uj=0)
    with measured(tmp_path) as cost, measured(tmp_path / "none") as bare:
        (package / "energy_uj").write_text("2500000")
        assert (cost().energy_j, cost().energy_reason) == (2.5, "")
        assert bare().energy_j is None
        assert bare().energy_reason
