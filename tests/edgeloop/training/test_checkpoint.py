"""A training that is stopped after any epoch and begun again ends with the very weights of one that was not."""

import json
import os
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
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


def test_the_scale_of_gradients_goes_on_as_well(tmp_path):
    """A copy is not validated, so that fp16, which is for GPUs, is tried without one."""
    params = PARAMS.model_copy(update={"precision": "fp16"})
    with pytest.raises(Killed):
        fitted(params, tmp_path / "state", killed_after=3)
    assert same(fitted(params, tmp_path / "state"), fitted(params, tmp_path / "whole"))
    resumed, whole = (progress_in((tmp_path / name).read_bytes())["scaler"] for name in ("state", "whole"))
    assert resumed == whole
    assert whole["_growth_tracker"] > 12  # steps since the last overflow, of 18 in all


def test_a_training_that_has_ended_is_not_run_again(tmp_path):
    one = fitted(PARAMS, tmp_path / "state")
    written = (tmp_path / "state").stat().st_mtime_ns
    assert same(fitted(PARAMS, tmp_path / "state"), one)
    assert (tmp_path / "state").stat().st_mtime_ns == written


def progress_in(content: bytes) -> dict[str, Any]:
    """What a checkpoint says beside its tensors."""
    length = int.from_bytes(content[:8], "little")
    told: dict[str, Any] = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["progress"])
    return told


def told_otherwise(**changes: Any) -> Callable[[bytes], bytes]:
    """The same tensors, and something else said of them."""

    def damage(content: bytes) -> bytes:
        return save(load(content), metadata={"progress": json.dumps({**progress_in(content), **changes})})

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: b"pickle",
        lambda content: b"\xff" * 64,
        lambda content: save({"weight": torch.zeros(2)}),
        lambda content: save(load(content), metadata={"progress": "[" * 100_000}),
        lambda content: save({**load(content), "network.1.weight": torch.zeros(3, 3)}, metadata={"progress": "{}"}),
        told_otherwise(epochs=[]),
        told_otherwise(epochs=7),
        told_otherwise(epochs=[{"number": 1}]),
        told_otherwise(best=99),
        told_otherwise(best=0),
        told_otherwise(best="one"),
        told_otherwise(rng=[]),
        told_otherwise(rng={"bit_generator": "MT19937"}),
    ],
)
def test_a_damaged_or_foreign_checkpoint_is_refused(tmp_path, damage):
    fitted(PARAMS, tmp_path / "state")
    (tmp_path / "state").write_bytes(damage((tmp_path / "state").read_bytes()))
    with pytest.raises(ModelFault, match="no whole checkpoint of this training"):
        fitted(PARAMS, tmp_path / "state")


class Trap:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("dump", [lambda trap, path: path.write_bytes(pickle.dumps(trap)), torch.save])
def test_a_checkpoint_is_never_executed(tmp_path, dump):
    dump(Trap(tmp_path / "sprung"), tmp_path / "state")
    with pytest.raises(ModelFault, match="no whole checkpoint"):
        fitted(PARAMS, tmp_path / "state")
    assert not (tmp_path / "sprung").exists()
    torch.load(tmp_path / "state", weights_only=False) if dump is torch.save else pickle.loads(
        (tmp_path / "state").read_bytes()
    )
    assert (tmp_path / "sprung").exists()  # the trap is one


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


@pytest.mark.privileged
def test_a_disk_that_is_full_leaves_the_last_checkpoint_whole(tmp_path):
    """A disk of its own, which another file fills after the second epoch."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], check=True)
    try:
        with pytest.raises(Killed):
            fitted(PARAMS, tmp_path / "state", killed_after=2)
        kept = (tmp_path / "state").read_bytes()
        free = os.statvfs(tmp_path)
        (tmp_path / "filler").write_bytes(bytes(free.f_bavail * free.f_frsize))
        with pytest.raises(DiskFull, match="no space left on this disk; free some space and run again") as caught:
            fitted(PARAMS, tmp_path / "state")
        assert str(tmp_path) in caught.value.line()
        assert (tmp_path / "state").read_bytes() == kept
        assert {path.name for path in tmp_path.iterdir()} == {"state", "filler"}
        (tmp_path / "filler").unlink()
        resumed = fitted(PARAMS, tmp_path / "state")
    finally:
        subprocess.run(["umount", "--lazy", tmp_path], check=True)
    assert same(resumed, fitted(PARAMS, None))


def trained(folders: dict[str, Path], out: Path, **changes: Any) -> str:
    quick = {"epochs": 3, "batch_size": 16, "model_options": {"width": 8}, "checkpoints": out / "states"}
    params = TrainParams.model_validate({**quick, **changes})
    return train(params, **folders, model=out / "model", history=out / "history", tracker=untracked_run).weights_sha256


def test_another_training_does_not_go_on_from_a_checkpoint(bars_dataset, tmp_path):
    one = trained(bars_dataset, tmp_path)
    assert trained(bars_dataset, tmp_path, seed=1) != one
    assert len(list((tmp_path / "states").iterdir())) == 2
    assert trained(bars_dataset, tmp_path) == one
