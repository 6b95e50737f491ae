"""How torch's threads wait for each other."""

import os
import subprocess
import sys

import pytest

IMPORTED = "from edgeloop.training.determinism import import_torch; import os; import_torch(); print(dict(os.environ))"


@pytest.mark.parametrize(
    ("given", "spins"), [({}, "2000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "PASSIVE"}, "0")]
)
def test_threads_wait_awake_for_a_moment_unless_the_user_says_otherwise(given: dict[str, str], spins: str) -> None:
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    environment = {**inherited, "OMP_DISPLAY_ENV": "VERBOSE", **given}
    ended = subprocess.run(
        [sys.executable, "-c", IMPORTED], env=environment, capture_output=True, text=True, check=True
    )
    assert f"GOMP_SPINCOUNT = '{spins}'" in ended.stderr  # as OpenMP itself tells it
    assert ("GOMP_SPINCOUNT" in ended.stdout) == ("GOMP_SPINCOUNT" in given)
