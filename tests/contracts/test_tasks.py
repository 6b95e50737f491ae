"""What every task must do."""

import json
from typing import Any

import numpy as np
import pytest

from edgeloop import plugins

CLASSES = ("ant", "bee", "cat")
TARGETS = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 2])


@pytest.fixture(params=plugins.names("tasks"))
def task(request: pytest.FixtureRequest) -> Any:
    return plugins.load("tasks", request.param)


@pytest.fixture
def outputs() -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=(len(TARGETS), 3))
    return (noise + 2 * np.eye(3)[TARGETS]).astype(np.float32)


def test_the_metric_is_among_the_metrics(task, outputs):
    assert isinstance(task.metrics(outputs, TARGETS, CLASSES)[task.metric], float)


def test_metrics_are_json_and_finite(task, outputs):
    metrics = task.metrics(outputs, TARGETS, CLASSES)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_better_answers_have_a_higher_metric(task, outputs):
    right = (10 * np.eye(3)[TARGETS]).astype(np.float32)
    better, worse = task.metrics(right, TARGETS, CLASSES), task.metrics(-right, TARGETS, CLASSES)
    assert better[task.metric] > worse[task.metric]


def test_decode_gives_one_json_answer_a_sample(task, outputs):
    answers = task.decode(outputs, CLASSES)
    assert len(json.loads(json.dumps(answers, allow_nan=False))) == len(TARGETS)
    assert {answer["label"] for answer in answers} <= set(CLASSES)


def test_the_loss_is_a_scalar_with_a_gradient(task, outputs):
    import torch

    tensor = torch.from_numpy(outputs).requires_grad_()
    task.loss(tensor, torch.from_numpy(TARGETS)).backward()
    assert tensor.grad is not None
    assert torch.isfinite(tensor.grad).all()


def test_pictures_are_png_with_the_same_bytes_every_time(task, outputs, tmp_path):
    metrics = task.metrics(outputs, TARGETS, CLASSES)
    drawn = [task.draw(metrics, tmp_path / name) for name in ("one", "two")]
    assert drawn[0]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn[0])
    assert [path.read_bytes() for path in drawn[0]] == [path.read_bytes() for path in drawn[1]]
