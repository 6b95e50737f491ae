from pathlib import Path

import pytest

from edgeloop.benchmarking.environment import Environment, read_environment, throttled

PI = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid asimdrdm asimddp

Hardware\t: BCM2835
"""
PC = "processor : 0\nmodel name : AMD EPYC\nflags : fpu sse4_2 avx2 hypervisor\ncpu MHz : 2596.108\n"


def machine(root: Path, files: dict[str, str]) -> Environment:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_environment(root)


def test_a_board_is_named_by_its_device_tree(tmp_path: Path) -> None:
    found = machine(tmp_path, {"proc/device-tree/model": "Raspberry Pi 5 Model B\0", "proc/cpuinfo": PI})
    assert found.soc == "Raspberry Pi 5 Model B"


def test_a_pc_is_named_by_its_cpu(tmp_path: Path) -> None:
    assert machine(tmp_path, {"proc/cpuinfo": PC}).soc == "AMD EPYC"


@pytest.mark.parametrize(("text", "flags"), [(PI, ("asimd", "asimddp")), (PC, ("avx2", "sse4_2"))])
def test_only_the_flags_that_matter_are_listed(tmp_path: Path, text: str, flags: tuple[str, ...]) -> None:
    assert machine(tmp_path, {"proc/cpuinfo": text}).isa == flags


def test_a_machine_that_tells_nothing_gives_nulls(tmp_path: Path) -> None:
    found = machine(tmp_path, {})
    assert (found.soc, found.governor, found.temperature_c, found.throttle_count, found.ram_gib) == (None,) * 5


def test_units_are_those_of_the_names(tmp_path: Path) -> None:
    cpu = "sys/devices/system/cpu/cpu0"
    found = machine(
        tmp_path,
        {
            f"{cpu}/cpufreq/scaling_governor": "powersave\n",
            f"{cpu}/cpufreq/scaling_cur_freq": "1800000\n",
            f"{cpu}/cpufreq/scaling_max_freq": "2400000\n",
            "sys/class/thermal/thermal_zone0/temp": "61234\n",
            "proc/meminfo": "MemTotal:        8123456 kB\n",
            "proc/loadavg": "0.52 0.58 0.59 1/389 12345\n",
        },
    )
    assert (found.governor, found.clock_mhz, found.clock_max_mhz) == ("powersave", 1800.0, 2400.0)
    assert (found.temperature_c, found.ram_gib, found.load_1m) == (61.2, 7.5, 0.52)


def test_files_full_of_rubbish_give_nulls(tmp_path: Path) -> None:
    found = machine(
        tmp_path,
        {
            "proc/meminfo": "MemTotal: plenty\n",
            "proc/loadavg": "\n",
            "proc/cpuinfo": "\x00\x01",
            "sys/class/thermal/thermal_zone0/temp": "hot",
        },
    )
    assert (found.ram_gib, found.load_1m, found.temperature_c) == (None, None, None)


def test_a_few_kilobytes_of_memory_more_are_the_same_machine(tmp_path: Path) -> None:
    first = machine(tmp_path / "a", {"proc/meminfo": "MemTotal: 24588412 kB"})
    second = machine(tmp_path / "b", {"proc/meminfo": "MemTotal: 24589100 kB"})
    assert first.ram_gib == second.ram_gib


def test_throttling_in_between_is_seen(tmp_path: Path) -> None:
    counter = "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count"
    before, after = machine(tmp_path, {counter: "3"}), machine(tmp_path, {counter: "4"})
    assert throttled(before, after) and not throttled(before, before)


def test_this_machine_can_be_read() -> None:
    found = read_environment()
    assert found.cores >= 1 and found.kernel
