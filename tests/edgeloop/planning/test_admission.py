import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeloop.errors import EnvironmentFault
from edgeloop.planning import Memory, Workload
from edgeloop.planning.admission import admit
from edgeloop.planning.limits import resident_bytes

CNN = Workload(model="cnn", input_shape=(3, 96, 96), classes=10)
LIMIT_BYTES = 640_000_000

TRAINED = """
from edgeloop.errors import EnvironmentFault
from edgeloop.planning import Workload
from edgeloop.planning.admission import admit
from edgeloop.planning.limits import resident_bytes
from edgeloop.planning.rehearsal import built, optimizer_of, samples_of, take_step
import torch

torch.set_num_threads(1)
workload = Workload(model="cnn", input_shape=(3, 96, 96), classes=10)
try:
    admit(workload, batch=4096)
except EnvironmentFault as refusal:
    batch = refusal.facts["suggested_batch"]
    assert f"set it to {batch}" in refusal.fix and "control group" in refusal.what, refusal
step_bytes = admit(workload, batch=batch) - resident_bytes()
network = built(workload, device="cpu").train()
optimizer, samples = optimizer_of(network, workload), samples_of(workload, batch=batch, device="cpu")
for _ in range(2):  # only the second finds the optimiser's state there
    take_step(network, optimizer, samples)
print(batch, step_bytes)
"""


def memory(more_bytes):
    return Memory(size_bytes=resident_bytes() + more_bytes, source="free memory")


def test_a_training_that_cannot_fit_is_refused_with_the_batch_that_can():
    with pytest.raises(EnvironmentFault, match="a batch of 4096 needs") as caught:
        admit(CNN, batch=4096, available=memory(2 * 10**9))
    suggested = caught.value.facts["suggested_batch"]
    assert 0 < suggested < 4096 and caught.value.fix == f"set it to {suggested}"
    assert admit(CNN, batch=suggested, available=memory(2 * 10**9)) > 0


def test_a_training_of_which_not_one_sample_fits_gets_no_batch():
    with pytest.raises(EnvironmentFault, match="not one sample fits"):
        admit(CNN, batch=1, available=memory(-1))


def test_freed_memory_is_returned_at_once_only_where_it_would_not_do_otherwise(monkeypatch):
    returned = []
    monkeypatch.setattr("edgeloop.planning.admission.return_at_once", lambda: returned.append(True))
    needed = admit(CNN, batch=64, available=memory(10**10)) - resident_bytes()
    assert not returned
    admit(CNN, batch=64, available=memory(round(1.5 * needed)))
    assert returned


@pytest.fixture
def group():
    """A control group of version 1 or 2 with `LIMIT_BYTES` of memory."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, _, rest = line.partition(":")
        controllers, _, place = rest.partition(":")
        first = "memory" in controllers.split(",")
        top = Path("/sys/fs/cgroup/memory" if first else "/sys/fs/cgroup")
        name = "memory.limit_in_bytes" if first else "memory.max"
        folder = top / place.lstrip("/") / f"planned-{os.getpid()}"
        if not (first or not controllers):
            continue
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            if (folder / name).exists():
                (folder / name).write_text(str(LIMIT_BYTES))
                yield folder
                return
        finally:
            folder.rmdir()
    pytest.skip("no control group for memory can be made here")


def used_bytes(group):
    """The most that the group had; libraries that other processes have loaded as well count there, not here."""
    (file,) = (group / name for name in ("memory.max_usage_in_bytes", "memory.peak") if (group / name).exists())
    return int(file.read_text())


@pytest.mark.slow
@pytest.mark.privileged
def test_the_suggested_batch_trains_under_the_very_limit_that_refused_a_larger_one(group):
    joined = f"import os; open('{group}/cgroup.procs', 'w').write(str(os.getpid()))\n{TRAINED}"
    ended = subprocess.run([sys.executable, "-c", joined], capture_output=True, text=True)
    assert ended.returncode == 0, f"{ended.returncode} {ended.stderr}"
    batch, step_bytes = map(int, ended.stdout.split())
    assert batch > 10
    assert 0.9 * step_bytes < used_bytes(group) <= LIMIT_BYTES
