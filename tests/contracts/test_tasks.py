"""What every task must do. Each is asked with its own kind of outputs, made to fit or not to fit its truths."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from edgeloop import plugins
from edgeloop.data.inputs import RowPreprocessing, WindowInput, WindowPreprocessing
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.models import ModelCard

CLASSES = ("ant", "bee", "cat")


@dataclass(frozen=True)
class Case:
    """Outputs that are nearly right, quite right and quite wrong for the same truths."""

    task: Any
    card: ModelCard
    truths: list[Any]
    inputs: np.ndarray
    usual: dict[str, np.ndarray]
    right: dict[str, np.ndarray]
    wrong: dict[str, np.ndarray]

    def answers(self, outputs: dict[str, np.ndarray]) -> np.ndarray:
        return self.task.answers(outputs, lambda: self.inputs, self.card)

    def metrics(self, outputs: dict[str, np.ndarray]) -> dict[str, Any]:
        return self.task.metrics(self.answers(outputs), self.truths, self.card)


def card_of(name: str, **fields: Any) -> ModelCard:
    preprocessing = Preprocessing(image=ImageInput(height=8, width=8), mean=(0.5,), std=(0.5,))
    given = {"architecture": "mlp", "classes": CLASSES, "preprocessing": preprocessing, "parameters": 1}
    return ModelCard(task=name, **{**given, **fields})


def classification(task: Any) -> Case:
    truths = [0, 1, 2, 0, 1, 2, 0, 1, 2, 2]
    right = (10 * np.eye(3)[truths]).astype(np.float32)
    noise = np.random.default_rng(0).normal(size=right.shape).astype(np.float32)
    inputs = np.zeros((len(truths), 1, 8, 8), dtype=np.float32)
    named = ({"logits": values} for values in (right / 5 + noise, right, -right))
    return Case(task, card_of("classification"), truths, inputs, *named)


def heads_of(truths: list[np.ndarray], *, side: int, strides: tuple[int, ...], sure: float) -> dict[str, np.ndarray]:
    """Heads that say in one cell of the finest grid what the truths say, so surely, and nothing anywhere else."""
    heads = {}
    for stride in strides:
        cells = side // stride
        heads[f"head_{stride}"] = np.full((len(truths), 4 + len(CLASSES), cells, cells), -6, dtype=np.float32)
        heads[f"head_{stride}"][:, :4] = 0
    finest = heads[f"head_{strides[0]}"]
    for number, truth in enumerate(truths):
        for left, top, right, bottom, label in truth:
            x, y = int((left + right) / 2 / strides[0]), int((top + bottom) / 2 / strides[0])
            middle = (np.array([x, y]) + 0.5) * strides[0]
            sides = np.array([*(middle - (left, top)), *((right, bottom) - middle)])
            finest[number, :4, y, x] = np.log(sides / strides[0])
            finest[number, 4 + int(label), y, x] = sure
    return heads


def detection(task: Any) -> Case:
    detector = plugins.load("models", "yolo_tiny")
    image = Preprocessing(image=ImageInput(height=64, width=64, mode="RGB"), mean=(0.5,) * 3, std=(0.5,) * 3)
    card = card_of(
        "detection", architecture="yolo_tiny", preprocessing=image, output_names=detector.output_names,
        constants={"score_threshold": 0.5},
    )  # fmt: skip
    truths = [
        np.array([[2, 3, 21, 20, n % 3], [30, 33, 60, 60, (n + 1) % 3]][: 1 + n % 2], dtype=np.float32)
        for n in range(9)
    ]
    truths.append(np.zeros((0, 5), dtype=np.float32))
    other = [np.concatenate([t[:, :4], (t[:, 4:] + 1) % 3], axis=1) for t in truths]
    right, wrong = (heads_of(t, side=64, strides=detector.strides, sure=6) for t in (truths, other))
    half = heads_of([t[: len(t) - n % 2] for n, t in enumerate(truths)], side=64, strides=detector.strides, sure=3)
    return Case(task, card, truths, np.zeros((10, 3, 64, 64), dtype=np.float32), half, right, wrong)


def anomaly(task: Any) -> Case:
    rng = np.random.default_rng(0)
    truths = [bool(n % 3 == 0) for n in range(12)]
    inputs, noise = rng.normal(size=(2, 12, 3, 16)).astype(np.float32)
    far = np.array([1.0 if truth else 0.0 for truth in truths], dtype=np.float32)[:, None, None]
    window = WindowPreprocessing(window=WindowInput(), channels=3, length=16, mean=(0.0,) * 3, std=(1.0,) * 3)
    card = card_of(
        "anomaly", architecture="autoencoder", classes=task.names(CLASSES, {}), preprocessing=window,
        output_names=("rebuilt",), constants={"score_threshold": 0.5}, task_options=task.options().values(),
    )  # fmt: skip
    mixed = np.linspace(0.2, 1, 12, dtype=np.float32)[:, None, None]
    usual = inputs + noise * (0.5 * far + 0.6 * mixed)
    named = ({"rebuilt": values} for values in (usual, inputs + 2 * far * noise, inputs + 2 * (1 - far) * noise))
    return Case(task, card, truths, inputs, *named)


def regression(task: Any) -> Case:
    truths = [float(10 + 3 * n) for n in range(10)]
    constants = task.scale(truths)
    row = RowPreprocessing(columns=("a", "b"), mean=(0.0, 0.0), std=(1.0, 1.0))
    card = card_of("regression", classes=task.names((), {}), preprocessing=row, constants=constants)
    exact = ((np.array(truths) - constants["mean"]) / constants["std"]).astype(np.float32)[:, None]
    around = exact + np.array([[-0.2, 0, 0.2]], dtype=np.float32)
    noise = np.random.default_rng(0).normal(scale=0.1, size=around.shape).astype(np.float32)
    named = ({"logits": values} for values in (around + noise, around, -3 * around))
    return Case(task, card, truths, np.zeros((10, 2), dtype=np.float32), *named)


CASES = {
    "anomaly": anomaly,
    "classification": classification,
    "detection": detection,
    "regression": regression,
}


@pytest.fixture(params=plugins.names("tasks"))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param](plugins.load("tasks", request.param))


def test_the_metric_is_among_the_metrics(case):
    assert isinstance(case.metrics(case.usual)[case.task.metric], float)


def test_metrics_are_json_and_finite(case):
    metrics = case.metrics(case.usual)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_better_answers_have_a_higher_metric(case):
    right, usual, wrong = (case.metrics(o)[case.task.metric] for o in (case.right, case.usual, case.wrong))
    assert right >= usual > wrong


def test_the_samples_are_counted(case):
    assert case.metrics(case.usual)["samples"] == len(case.truths)


def test_answers_of_batches_are_those_of_all(case):
    whole = case.answers(case.usual)
    halves = [
        case.task.answers({n: v[part] for n, v in case.usual.items()}, lambda part=part: case.inputs[part], case.card)
        for part in (slice(0, 4), slice(4, None))
    ]
    assert np.array_equal(np.concatenate(halves), whole, equal_nan=True)


def test_the_same_answers_agree_and_other_ones_agree_less(case):
    right, wrong = case.answers(case.right), case.answers(case.wrong)
    assert case.task.agreement(right, right, case.card) == 1
    assert 0 <= case.task.agreement(right, wrong, case.card) < 1


def test_decode_gives_one_json_answer_a_sample(case):
    answers = case.task.decode(case.answers(case.usual), case.card)
    assert len(json.loads(json.dumps(answers, allow_nan=False))) == len(case.truths)


def test_pairs_are_text(case):
    pairs = case.task.pairs(case.answers(case.usual), case.truths, case.card)
    assert all(isinstance(name, str) for pair in pairs for name in pair)


def test_the_loss_is_a_scalar_with_a_gradient_and_falls_with_better_answers(case):
    import torch

    losses = []
    for outputs in (case.right, case.usual, case.wrong):
        tensors = {name: torch.from_numpy(values).requires_grad_() for name, values in outputs.items()}
        loss = case.task.loss(tensors, torch.from_numpy(case.inputs), case.truths, case.card)
        loss.backward()
        assert all(tensor.grad is None or torch.isfinite(tensor.grad).all() for tensor in tensors.values())
        assert any(tensor.grad is not None for tensor in tensors.values())
        losses.append(loss.item())
    assert losses == sorted(losses)


def test_constants_are_numbers(case):
    found = {**case.task.scale(case.truths), **case.task.limits(case.answers(case.usual), case.truths, case.card)}
    assert all(isinstance(value, float) and np.isfinite(value) for value in found.values())


def test_what_it_asks_for_is_answered_by_a_shipped_architecture(case):
    assert case.task.asks in {plugins.load("models", name).answers for name in plugins.names("models")}


def test_its_kinds_are_kinds_of_samples(case):
    assert set(case.task.kinds) <= set(plugins.names("features"))


def test_what_is_wrong_is_more_wrong_than_what_is_right(case):
    right, wrong = (case.task.wrongness(case.answers(o), case.truths, case.card) for o in (case.right, case.wrong))
    assert right.shape == wrong.shape == (len(case.truths),)
    assert wrong.mean() > right.mean()


def test_what_a_sample_is_and_what_the_model_says_is_told_in_a_few_words(case):
    answers = case.answers(case.usual)
    assert all(0 < len(case.task.told(*pair, case.card)) < 80 for pair in zip(answers, case.truths, strict=True))


def test_certainty_is_a_number_an_answer(case):
    answers = case.answers(case.usual)
    sure = case.task.certainty(answers, answers[0], case.card)
    assert sure.shape == (len(answers),) and np.isfinite(sure).all()


def test_what_stands_for_a_class_is_in_its_row(case):
    assert all(case.task.class_metric in row for row in case.metrics(case.usual).get("per_class", []))


def test_pictures_are_png_with_the_same_bytes_every_time(case, tmp_path):
    metrics = case.metrics(case.usual)
    drawn = [case.task.draw(metrics, tmp_path / name) for name in ("one", "two")]
    assert drawn[0]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn[0])
    assert [path.read_bytes() for path in drawn[0]] == [path.read_bytes() for path in drawn[1]]
