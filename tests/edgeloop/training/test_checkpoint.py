"""A training that is stopped after any epoch and begun again ends with the very weights of one that was not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from edgeloop import plugins
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import DiskFull, ModelFault
from edgeloop.models import ModelCard
from edgeloop.tracking import untracked_run
from edgeloop.training import TrainParams
from edgeloop.training.batches import Split
from edgeloop.training.determinism import deterministic
from edgeloop.training.fit import train
from edgeloop.training.loop import Epoch, Fit, Material, fit

PARAMS = TrainParams(
    image=ImageInput(height=4, width=4),
    augment_shift=1,
    batch_size=4,
    epochs=6,
    ema=0.9,
    warm_up=0.1,
    learning_rate=0.05,
)


class Killed(Exception):
    pass


def material() -> Material:
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, size=(12, 1, 4, 4), dtype=np.uint8))
    split = Split(pixels, tuple(k % 2 for k in range(12)))
    preprocessing = Preprocessing(image=PARAMS.image, mean=(0.5,), std=(0.3,))
    card = ModelCard(
        task="classification", architecture="mlp", classes=("a", "b"), preprocessing=preprocessing, parameters=10
    )
    return Material(split, split, card)


def fitted(params: TrainParams, checkpoint: Path | None, *, killed_after: int | None = None) -> Fit:
    """Dropout asks torch's generator, batch norm has buffers, the shift asks numpy's: all have to go on."""

    def on_epoch(epoch: Epoch) -> None:
        if epoch.number == killed_after:
            raise Killed

    with deterministic(seed=3, threads=1):
        network = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 2))
        task = plugins.load("tasks", "classification")
        return fit(network, task, params=params, material=material(), on_epoch=on_epoch, checkpoint=checkpoint)


def same(one: Fit, other: Fit) -> bool:
    weights = all(torch.equal(one.best.weights[name], other.best.weights[name]) for name in one.best.weights)
    answers = np.array_equal(one.best.answers, other.best.answers)
    return weights and answers and one.epochs == other.epochs and one.best.metrics == other.best.metrics


@pytest.mark.parametrize("epoch", range(1, 7))
@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_a_training_that_is_killed_after_an_epoch_ends_with_the_same_bits(tmp_path, epoch, ema):
    params = PARAMS.model_copy(update={"ema": ema})
    with pytest.raises(Killed):
        fitted(params, tmp_path / "state", killed_after=epoch)
    assert same(fitted(params, tmp_path / "state"), fitted(params, None))


def test_a_training_that_has_ended_is_not_run_again(tmp_path):
    one = fitted(PARAMS, tmp_path / "state")
    written = (tmp_path / "state").stat().st_mtime_ns
    assert same(fitted(PARAMS, tmp_path / "state"), one)
    assert (tmp_path / "state").stat().st_mtime_ns == written


@pytest.mark.parametrize("damage", [lambda content: content[: len(content) // 2], lambda content: b"pickle"])
def test_a_damaged_checkpoint_is_refused(tmp_path, damage):
    fitted(PARAMS, tmp_path / "state")
    (tmp_path / "state").write_bytes(damage((tmp_path / "state").read_bytes()))
    with pytest.raises(ModelFault, match="no whole checkpoint of this training"):
        fitted(PARAMS, tmp_path / "state")


def test_a_full_disk_leaves_the_last_checkpoint_whole(tmp_path, monkeypatch):
    with pytest.raises(Killed):
        fitted(PARAMS, tmp_path / "state", killed_after=2)
    kept = (tmp_path / "state").read_bytes()

    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "write_bytes", full)
        with pytest.raises(DiskFull):
            fitted(PARAMS, tmp_path / "state")
    assert (tmp_path / "state").read_bytes() == kept
    assert same(fitted(PARAMS, tmp_path / "state"), fitted(PARAMS, None))


def trained(folders: dict[str, Path], out: Path, **changes: Any) -> str:
    quick = {"epochs": 3, "batch_size": 16, "model_options": {"width": 8}, "checkpoints": out / "states"}
    params = TrainParams.model_validate({**quick, **changes})
    return train(params, **folders, model=out / "model", history=out / "history", tracker=untracked_run).weights_sha256


def test_another_training_does_not_go_on_from_a_checkpoint(bars_dataset, tmp_path):
    one = trained(bars_dataset, tmp_path)
    assert trained(bars_dataset, tmp_path, seed=1) != one
    assert len(list((tmp_path / "states").iterdir())) == 2
    assert trained(bars_dataset, tmp_path) == one
