import pytest

from edgeloop.errors import EnvironmentFault, ParamsFault
from edgeloop.planning.limits import available_memory, machine_memory, parsed_size

GIB = 2**30


@pytest.fixture
def machine(tmp_path):
    """A machine of 16 GiB, of which 8 are free, with a process of 1 GiB."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text(f"MemTotal: {16 * 2**20} kB\nMemAvailable: {8 * 2**20} kB\n")
    (tmp_path / "proc/self/status").write_text(f"Name: python\nVmRSS: {2**20} kB\n")
    return tmp_path


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_without_groups_all_of_the_machine_may_be_used(machine):
    assert machine_memory(machine).size_bytes == 16 * GIB


def test_what_is_available_includes_what_the_process_has_already(machine):
    assert available_memory(machine).size_bytes == 9 * GIB


def test_a_group_of_version_2_limits(machine):
    written(machine / "proc/self/cgroup", "0::/jobs\n")
    written(machine / "sys/fs/cgroup/jobs/memory.max", f"{2 * GIB}\n")
    assert machine_memory(machine).size_bytes == 2 * GIB


def test_a_group_of_version_1_limits(machine):
    written(machine / "proc/self/cgroup", "5:cpu:/\n4:memory:/jobs\n0::/\n")
    written(machine / "sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", f"{3 * GIB}\n")
    assert machine_memory(machine).size_bytes == 3 * GIB


def test_the_limit_of_a_group_above_binds_too(machine):
    written(machine / "proc/self/cgroup", "0::/above/below\n")
    written(machine / "sys/fs/cgroup/above/below/memory.max", f"{4 * GIB}\n")
    written(machine / "sys/fs/cgroup/above/memory.max", f"{GIB}\n")
    assert machine_memory(machine).size_bytes == GIB


def test_the_own_group_of_a_container_is_mounted_as_the_root(machine):
    written(machine / "proc/self/cgroup", "0::/somewhere/outside\n")
    written(machine / "sys/fs/cgroup/memory.max", f"{GIB}\n")
    assert available_memory(machine).size_bytes == GIB


def test_a_group_without_limit_does_not_bind(machine):
    written(machine / "proc/self/cgroup", "0::/\n1:memory:/\n")
    written(machine / "sys/fs/cgroup/memory.max", "max\n")
    written(machine / "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    assert machine_memory(machine).source == "machine"


def test_a_machine_that_does_not_tell_is_an_error_that_names_the_option(tmp_path):
    with pytest.raises(EnvironmentFault, match="--memory"):
        machine_memory(tmp_path)


@pytest.mark.parametrize(
    ("text", "size"), [("8GB", 8 * 10**9), ("8g", 8 * 10**9), ("1.5 GiB", 3 * 2**29), ("512MiB", 2**29), ("100", 100)]
)
def test_sizes_are_decimal_unless_they_say_otherwise(text, size):
    assert parsed_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1GB", "0", "8XB"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ParamsFault, match="no size of memory"):
        parsed_size(text)
