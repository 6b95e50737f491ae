import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeloop.errors import ModelFault
from edgeloop.runtimes.fake import FakeRuntime

INPUTS = np.random.default_rng(0).standard_normal((50, 1, 8, 8), dtype=np.float32)


class Clock:
    """Time that goes on by a microsecond at every look, and by as much as anybody sleeps."""

    def __init__(self) -> None:
        self.now_ns, self.slept_s = 0, 0.0

    def __call__(self) -> int:
        self.now_ns += 1_000
        return self.now_ns

    def sleep(self, duration_s: float) -> None:
        self.slept_s += duration_s


def written(folder: Path, **values: Any) -> Path:
    (folder / "model.json").write_text(json.dumps(values))
    return folder / "model.json"


def test_inferences_take_the_given_latencies_in_a_circle(tmp_path: Path) -> None:
    clock = Clock()
    session = FakeRuntime(clock, clock.sleep).open(written(tmp_path, latencies_ms=[1, 5]), threads=1)
    taken_ms = []
    for _ in range(4):
        before_ns = clock.now_ns
        session.run(INPUTS)
        taken_ms.append(round((clock.now_ns - before_ns) / 1e6))
    assert taken_ms == [1, 5, 1, 5]


def test_loading_takes_its_time(tmp_path: Path) -> None:
    clock = Clock()
    FakeRuntime(clock, clock.sleep).open(written(tmp_path, load_ms=7), threads=1)
    assert round(clock.now_ns / 1e6) == 7


def test_an_idle_model_sleeps_instead_of_computing(tmp_path: Path) -> None:
    clock = Clock()
    session = FakeRuntime(clock, clock.sleep).open(written(tmp_path, latencies_ms=[4], busy=False), threads=1)
    session.run(INPUTS)
    assert clock.slept_s == pytest.approx(0.004)


def test_noise_changes_answers_no_more_than_it_says(tmp_path: Path) -> None:
    clean, noisy = (
        FakeRuntime().open(written(tmp_path, noise=noise), threads=1).run(INPUTS)["logits"] for noise in (0, 0.1)
    )
    assert 0 < np.abs(noisy / clean - 1).max() <= 0.1001


def test_another_seed_answers_otherwise(tmp_path: Path) -> None:
    first, second = (
        FakeRuntime().open(written(tmp_path, seed=seed), threads=1).run(INPUTS)["logits"] for seed in (0, 1)
    )
    assert not np.allclose(first, second)


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFault, match="did you mean latencies_ms"):
        FakeRuntime().open(written(tmp_path, latency_ms=[1]), threads=1)
