"""SIGKILL at any moment of a training: begun again, it ends with the very weights of one that nobody killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from edgeloop.tracking import untracked_run
from edgeloop.training import TrainParams
from edgeloop.training.fit import train
from edgeloop.training.summary import TrainingSummary

SECTION: dict[str, Any] = {
    "epochs": 5,
    "batch_size": 16,
    "model": "cnn",
    "model_options": {"width": 2},
    "ema": 0.9,
    "augment": [{"noise": 0.05}],
    "balance_by": "condition",
    "trials": [{"learning_rate": 0.002}, {}],
}
SCRIPT = """
import json, sys
from pathlib import Path
from edgeloop.tracking import untracked_run
from edgeloop.training import TrainParams
from edgeloop.training.fit import train
section, places = map(json.loads, sys.argv[1:])
places = {name: Path(place) for name, place in places.items()}
train(TrainParams.model_validate(section), **places, tracker=untracked_run)
"""
SEED = 11


def arguments(folders: dict[str, Path], out: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    """The section with a folder for checkpoints in `out`, and the places of `train`."""
    places = {**folders, "model": out / "model", "history": out / "history"}
    return {**SECTION, "checkpoints": str(out / "states")}, places


def ended(folders: dict[str, Path], out: Path) -> TrainingSummary:
    section, places = arguments(folders, out)
    return train(TrainParams.model_validate(section), **places, tracker=untracked_run)


def killed(folders: dict[str, Path], out: Path, *, epochs: int, delay_s: float = 0.0) -> bool:
    """Starts the training in a child process and kills it some epochs later; whether it was still running."""
    section, places = arguments(folders, out)
    told = json.dumps({name: str(place) for name, place in places.items()})
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, json.dumps(section), told],
        stderr=subprocess.PIPE,
        env={**os.environ, "EDGELOOP_PROGRESS": "lines", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as child:
        assert child.stderr is not None
        for _ in range(epochs):
            child.stderr.readline()
        time.sleep(delay_s)
        child.kill()
        child.stderr.read()
    return child.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def untouched(lit_bars: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> TrainingSummary:
    """What a training comes to that nobody killed."""
    return ended(lit_bars, tmp_path_factory.mktemp("untouched"))


@pytest.mark.slow
def test_a_training_that_is_killed_in_its_second_trial_ends_with_the_same_bits(lit_bars, untouched, tmp_path):
    assert killed(lit_bars, tmp_path, epochs=7)
    assert ended(lit_bars, tmp_path) == untouched


@pytest.mark.long
@pytest.mark.slow
def test_a_training_that_is_killed_at_ten_random_moments_ends_with_the_same_bits(lit_bars, untouched, tmp_path):
    rng, caught = random.Random(SEED), 0
    while caught < 10:
        out = tmp_path / f"{caught}"
        assert killed(lit_bars, out, epochs=rng.randrange(1, 10), delay_s=rng.random() / 50)
        assert not (out / "model").exists()
        assert ended(lit_bars, out) == untouched
        caught += 1


@pytest.mark.long
@pytest.mark.slow
def test_a_training_that_is_killed_again_and_again_still_comes_to_its_end(lit_bars, untouched, tmp_path):
    """Epochs of before are told again at once, so every life gets a few further than the one before."""
    rng = random.Random(SEED)
    for life in range(1, 6):
        assert killed(lit_bars, tmp_path, epochs=life, delay_s=rng.random() / 50)
    assert ended(lit_bars, tmp_path) == untouched
