"""Training on a GPU: it learns, repeats itself, and goes on after a kill, in every precision."""

from pathlib import Path
from typing import Any

import pytest
import torch

from edgeloop.tracking import untracked_run
from edgeloop.training import TrainParams
from edgeloop.training.fit import train
from edgeloop.training.summary import TrainingSummary

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")

SECTION = {"epochs": 6, "batch_size": 16, "model_options": {"width": 8}, "device": "cuda"}
PRECISIONS = ["fp32", "bf16", "fp16"]


def trained(folders: dict[str, Path], out: Path, **changes: Any) -> TrainingSummary:
    params = TrainParams.model_validate({**SECTION, **changes})
    return train(params, **folders, model=out / "model", history=out / "history", tracker=untracked_run)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_easy_pictures_are_learnt_twice_with_the_same_bits(lit_bars, tmp_path, precision):
    one, other = (trained(lit_bars, tmp_path / name, precision=precision) for name in ("one", "two"))
    assert one.metrics["accuracy"] >= 0.9
    assert one.weights_sha256 == other.weights_sha256


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_training_goes_on_after_a_kill_with_the_same_bits(lit_bars, tmp_path, precision, monkeypatch):
    from edgeloop.training import loop

    section = {"precision": precision, "ema": 0.9, "model_options": {"width": 8, "dropout": 0.3}}
    whole = trained(lit_bars, tmp_path / "whole", **section)
    run_epoch = loop._run_epoch

    def killed(inner: Any, number: int) -> Any:
        if number == 3:
            raise KeyboardInterrupt
        return run_epoch(inner, number)

    monkeypatch.setattr(loop, "_run_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        trained(lit_bars, tmp_path / "half", **section, checkpoints=tmp_path / "states")
    monkeypatch.setattr(loop, "_run_epoch", run_epoch)
    resumed = trained(lit_bars, tmp_path / "half", **section, checkpoints=tmp_path / "states")
    assert resumed.weights_sha256 == whole.weights_sha256


def test_the_gpu_is_named_among_what_decides_rounding(lit_bars, tmp_path):
    assert trained(lit_bars, tmp_path).cpu_features["gpu"] == torch.cuda.get_device_name(0)
