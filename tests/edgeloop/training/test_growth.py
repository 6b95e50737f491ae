"""The learning curve: parts of train, and what is reached with each."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from edgeloop.data.dataset import Sample
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.models import ModelCard
from edgeloop.tracking import untracked_run
from edgeloop.training import TrainParams
from edgeloop.training.batches import Split
from edgeloop.training.fit import train
from edgeloop.training.growth import part_of, spread_order
from edgeloop.training.loop import Material
from edgeloop.training.summary import TrainingSummary

MLP = {"epochs": 2, "batch_size": 16, "model": "mlp", "model_options": {"hidden": "8"}, "threads": 1}
CARD = ModelCard(
    task="classification",
    architecture="mlp",
    classes=("a", "b", "c"),
    preprocessing=Preprocessing(image=ImageInput(height=1, width=1), mean=(0.0,), std=(1.0,)),
    parameters=1,
)


def trained(folders: dict[str, Path], out: Path, **changes: Any) -> TrainingSummary:
    params = TrainParams.model_validate({**MLP, **changes})
    return train(params, **folders, model=out / "model", history=out / "history", tracker=untracked_run)


@pytest.fixture(scope="module")
def grown(lit_bars: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingSummary, Path]:
    folder = tmp_path_factory.mktemp("grown")
    return trained(lit_bars, folder, learning_curve=[0.1, 0.3, 1.0]), folder


def labelled(*counts: int) -> list[Sample]:
    labels = [label for label, count in zip("abc", counts, strict=True) for _ in range(count)]
    return [Sample(f"{k}", f"{k}", "0" * 64, "train", label) for k, label in enumerate(labels)]


def material(*counts: int) -> Material:
    samples = labelled(*counts)
    split = Split(torch.arange(len(samples)).reshape(-1, 1), tuple("abc".index(s.label or "") for s in samples))
    return Material(split, split, CARD, tuple(samples))


def test_the_curve_has_a_point_a_share_and_ends_with_the_model(grown):
    summary, _ = grown
    assert [(point.share, point.samples) for point in summary.learning_curve] == [(0.1, 9), (0.3, 27), (1, 90)]
    assert summary.learning_curve[-1].metric == summary.metrics["accuracy"]


def test_the_model_is_the_one_that_is_trained_without_a_curve(grown, lit_bars, tmp_path):
    assert trained(lit_bars, tmp_path).weights_sha256 == grown[0].weights_sha256


def test_the_history_has_the_curve_as_table_and_picture(grown):
    _, folder = grown
    with (folder / "history/learning_curve.csv").open(newline="") as file:
        assert [row["samples"] for row in csv.DictReader(file)] == ["9", "27", "90"]
    assert (folder / "history/learning_curve.png").read_bytes()[:4] == b"\x89PNG"


def test_all_of_train_is_not_trained_again(lit_bars, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("EDGELOOP_PROGRESS", "lines")
    trained(lit_bars, tmp_path, learning_curve=[0.5, 1.0])
    lines = [json.loads(line.removeprefix("::progress ")) for line in capfd.readouterr().err.splitlines()]
    assert [line["text"].partition(" ")[0] for line in lines] == ["val", "val", "0.5", "0.5"]
    assert lines[-1]["done"] == lines[-1]["total"] == 4


def test_parts_are_nested():
    whole = material(50, 30, 20)
    parts = [set(part_of(whole, share, seed=1).train.values.flatten().tolist()) for share in (0.1, 0.3, 1.0)]
    assert parts[0] < parts[1] < parts[2]


def test_a_part_has_the_classes_in_their_proportions():
    truths = part_of(material(50, 30, 20), 0.3, seed=1).train.truths
    assert [truths.count(k) for k in range(3)] == [15, 9, 6]


def test_the_rarest_class_is_there_from_the_beginning():
    assert set(part_of(material(97, 2, 1), 0.1, seed=1).train.truths) == {0, 1, 2}


def test_a_share_is_taken_exactly():
    assert len(part_of(material(30, 0, 0), 0.1, seed=1).train) == 3  # 0.1 * 30 is more than 3 in binary


def test_one_sample_is_the_smallest_part():
    assert len(part_of(material(3, 0, 0), 0.01, seed=1).train) == 1


def test_another_seed_takes_other_samples():
    assert spread_order(labelled(9, 9, 9), seed=1) != spread_order(labelled(9, 9, 9), seed=2)


def test_a_part_that_cannot_be_learned_from_is_a_point_with_its_reason(lit_bars, tmp_path):
    # one picture of 1 x 1 pixels: batch norm has one value a channel
    image = {"height": 1, "width": 1}
    cnn = {"model": "cnn", "model_options": {"width": 4}, "image": image, "augment_shift": 0}
    point, _ = trained(lit_bars, tmp_path, learning_curve=[0.01], **cnn).learning_curve
    assert (point.samples, point.metric) == (1, None)
    assert "cannot learn from such a batch" in point.fault


@pytest.mark.parametrize("shares", [[0.3, 0.1], [0.1, 0.1], [0], [1.1]])
def test_shares_that_do_not_rise_are_refused(shares):
    with pytest.raises(ValidationError, match="rising shares above 0"):
        TrainParams(learning_curve=shares)
