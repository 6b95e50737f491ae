"""The worker as a real process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeloop.benchmarking.worker import THREAD_VARIABLES, arguments

ROOT = Path(__file__).parents[3]


def worker(stdin: str, *extra: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, [environment.pop("PYTHONPATH", ""), str(ROOT)]))
    return subprocess.run(
        [sys.executable, "-m", *(extra or arguments(1))], input=stdin, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": path, **environment}, check=False,
    )  # fmt: skip


def test_it_answers_line_by_line_and_ends_with_its_input() -> None:
    done = worker('{"do": "environment"}\nrubbish\n')
    first, second = map(json.loads, done.stdout.splitlines())
    assert (list(first), list(second), done.returncode) == (["answer"], ["fault"], 0)


NOISY = """
import os
import numpy as np
from edgeloop.runtimes import RuntimeState


class Noisy:
    formats = frozenset({"noisy"})

    def state(self):
        os.write(1, b"native noise\\n")
        print("noise", [os.environ[name] for name in %r])
        return RuntimeState(name="noisy", available=False)


plugin = Noisy()
"""


@pytest.fixture
def noisy(tmp_path: Path) -> Path:
    """A third party's runtime that prints on stdout, installed below the folder."""
    (tmp_path / "noisy_runtime.py").write_text(NOISY % (THREAD_VARIABLES,))
    metadata = tmp_path / "noisy-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: noisy\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[edgeloop.runtimes]\nnoisy = noisy_runtime:plugin\n")
    return tmp_path


def load(folder: Path) -> str:
    import numpy as np

    from edgeloop.canonical import sha256_of_file

    np.savez(folder / "inputs.npz", inputs=np.zeros((1, 1, 2, 2), np.float32))
    (folder / "m").write_text("m")
    question = {
        "do": "load", "runtime": "noisy", "file": str(folder / "m"), "sha256": sha256_of_file(folder / "m"),
        "threads": 3, "inputs": str(folder / "inputs.npz"),
    }  # fmt: skip
    return json.dumps(question) + "\n"


def test_what_a_library_prints_does_not_mix_with_the_answers(noisy: Path) -> None:
    done = worker(load(noisy), PYTHONPATH=str(noisy))
    assert json.loads(done.stdout)["answer"]["state"]["name"] == "noisy"
    assert "native noise" in done.stderr


def test_the_number_of_threads_is_in_the_environment_of_every_library(noisy: Path) -> None:
    done = worker(load(noisy), *arguments(3), PYTHONPATH=str(noisy), OMP_NUM_THREADS="7")
    assert str(["3"] * len(THREAD_VARIABLES)) in done.stderr


@pytest.mark.parametrize("wrong", [["--threads"], ["--threads", "1; touch x"], ["run"]])
def test_wrong_arguments_are_refused(wrong: list[str]) -> None:
    done = worker("", arguments(1)[0], *wrong)
    assert done.returncode != 0 and done.stderr.startswith("usage:")
