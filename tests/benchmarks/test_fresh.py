"""Fresh scenes for a detector: asked of one that knows the truth, and of an untrained network's very file."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks import fresh
from edgeloop import plugins
from edgeloop.canonical import sha256_of_file
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.data.scenes import CLASSES
from edgeloop.data.scenes.looks import CONDITIONS, condition_of
from edgeloop.evaluation.answering import answering
from edgeloop.models import CARD_FILE, WEIGHTS_FILE, ModelCard, write_weights
from edgeloop.tasks.detection.suppression import MOST_BOXES
from edgeloop.variants import PlacedVariant, Tool, Variant

SIDE, SEED = 160, 99
CARD = ModelCard(
    task="detection", architecture="yolo_tiny", classes=tuple(CLASSES), parameters=1, options={"width": 0.125},
    preprocessing=Preprocessing(image=ImageInput(height=64, width=64, mode="RGB"), mean=(0.5,) * 3, std=(0.5,) * 3),
    output_names=plugins.load("models", "yolo_tiny").output_names,
)  # fmt: skip
TASK = plugins.load("tasks", "detection")


def nothing(inputs: np.ndarray) -> np.ndarray:
    return np.tile(np.array([0, 0, 0, 0, 0, -1], dtype=np.float32), (len(inputs), MOST_BOXES, 1))


def test_every_condition_comes_as_often():
    numbers = fresh.numbers_of(SEED, 3)
    assert Counter(condition_of(SEED, number) for number in numbers) == dict.fromkeys(CONDITIONS, 3)
    assert numbers == sorted(set(numbers))


def test_who_knows_the_truth_is_right_everywhere():
    numbers = fresh.numbers_of(SEED, 1)
    _, truths, conditions = fresh.asked(nothing, card=CARD, numbers=numbers, seed=SEED, side_px=SIDE)
    answers = nothing(np.zeros(len(truths)))
    for answer, truth in zip(answers, truths, strict=True):
        answer[: len(truth)] = np.insert(truth, 4, 0.9, axis=1)
    scores = fresh.by_condition(answers, truths, conditions, task=TASK, card=CARD)
    shown = {condition for truth, condition in zip(truths, conditions, strict=True) if len(truth)}
    assert [(score.name, score.count) for score in scores] == [(condition, 1) for condition in CONDITIONS]
    assert all(score.map50 == 1 for score in scores if score.name in shown)


def test_a_condition_without_scenes_has_no_score():
    scores = fresh.by_condition(nothing(np.zeros(0)), [], [], task=TASK, card=CARD)
    assert {(score.count, score.map50) for score in scores} == {(0, None)}


def test_batches_change_nothing(monkeypatch):
    def brightness(inputs: np.ndarray) -> np.ndarray:
        answers = nothing(inputs)
        answers[:, 0, 4] = inputs.mean(axis=(1, 2, 3))
        return answers

    numbers = fresh.numbers_of(SEED, 1)
    asked = [fresh.asked(brightness, card=CARD, numbers=numbers, seed=SEED, side_px=SIDE)]
    monkeypatch.setattr(fresh, "BATCH", 4)
    asked.append(fresh.asked(brightness, card=CARD, numbers=numbers, seed=SEED, side_px=SIDE))
    assert np.array_equal(asked[0][0], asked[1][0])


def test_an_untrained_network_finds_nothing_with_its_own_file(tmp_path: Path):
    import torch

    torch.manual_seed(0)
    network = plugins.load("models", "yolo_tiny").build((3, 64, 64), len(CLASSES), dict(CARD.options))
    write_weights(tmp_path / WEIGHTS_FILE, network.state_dict())
    CARD.write(tmp_path / CARD_FILE)
    variant = Variant(
        name="torch-fp32", format="torch", precision="fp32", file=WEIGHTS_FILE, size_bytes=1,
        sha256=sha256_of_file(tmp_path / WEIGHTS_FILE), made_by=Tool(name="hand", version="1"),
    )  # fmt: skip
    placed = PlacedVariant(variant=variant, folder=tmp_path)
    with answering(placed, "torch", threads=1, task=TASK, card=CARD) as ask:
        answers, truths, conditions = fresh.asked(
            ask, card=CARD, numbers=fresh.numbers_of(SEED, 1), seed=SEED, side_px=SIDE
        )
    scores = fresh.by_condition(answers, truths, conditions, task=TASK, card=CARD)
    assert all(score.map50 is not None and score.map50 < 0.2 for score in scores)


def test_without_a_bundle_the_figure_says_so(tmp_path: Path):
    ((_, measured, bar),) = fresh.figures(tmp_path / "none")
    assert measured.startswith("not evaluated") and bar == "≥ 0.85"


def test_a_class_or_condition_below_the_bar_does_not_pass():
    good = fresh.Score(name="a", count=9, map50=0.9)
    given = {"variant": "v", "runtime": "r", "seed": 1, "scenes": 9, "map50": 0.9}
    assert fresh.Fresh(**given, classes=(good,), conditions=(good,)).passed
    for value in (0.84, None):
        assert not fresh.Fresh(**given, classes=(good,), conditions=(good.model_copy(update={"map50": value}),)).passed


def test_no_bundle_is_the_users_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert fresh.main([str(tmp_path / "none"), "--json"]) == 2
    assert "is no folder" in capsys.readouterr().err
