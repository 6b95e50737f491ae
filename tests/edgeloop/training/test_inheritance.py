"""A training that begins with a weights file."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from edgeloop.canonical import sha256_of_file
from edgeloop.errors import InputFault, ModelFault
from edgeloop.tracking import untracked_run
from edgeloop.training import TrainParams
from edgeloop.training.fit import train
from edgeloop.training.summary import TrainingSummary

PARAMS = {"epochs": 1, "batch_size": 16, "model_options": {"width": 8}, "learning_rate": 1e-6}


def trained(folders: dict[str, Path], out: Path, **changes: Any) -> TrainingSummary:
    params = TrainParams.model_validate({**PARAMS, **changes})
    return train(params, **folders, model=out / "model", history=out / "history", tracker=untracked_run)


@pytest.fixture(scope="module")
def parent(lit_bars, tmp_path_factory) -> Path:
    """The weights of a training that knows the bars."""
    folder = tmp_path_factory.mktemp("parent")
    assert trained(lit_bars, folder, epochs=6, learning_rate=5e-3).metrics["accuracy"] >= 0.9
    return folder / "model" / "weights.safetensors"


def test_a_weights_file_is_begun_with_and_its_sha256_is_the_parent(lit_bars, parent, tmp_path):
    begun = trained(lit_bars, tmp_path, init_from=str(parent))
    assert begun.metrics["accuracy"] >= 0.9
    assert begun.parent is not None
    assert (begun.parent.subject_digest, begun.parent.sha256) == (None, sha256_of_file(parent))
    assert begun.parent.digest == f"sha256:{sha256_of_file(parent)}"


def test_the_folder_stands_for_the_weights_in_it(lit_bars, parent, tmp_path):
    begun = trained(lit_bars, tmp_path, init_from=str(parent.parent))
    assert begun.parent is not None and begun.parent.sha256 == sha256_of_file(parent)


def test_without_it_so_low_a_rate_learns_nothing(lit_bars, tmp_path):
    assert trained(lit_bars, tmp_path).metrics["accuracy"] < 0.9


@pytest.mark.parametrize(
    ("changes", "what"),
    [({"model": "mlp", "model_options": {}}, "another architecture"), ({"task_options": {"x": 1}}, "x")],
)
def test_a_model_for_something_else_is_refused(lit_bars, parent, tmp_path, changes, what):
    with pytest.raises(Exception, match=what):
        trained(lit_bars, tmp_path, init_from=str(parent), **changes)


def test_weights_without_their_card_are_refused_by_name(lit_bars, parent, tmp_path):
    lone = shutil.copy(parent, tmp_path / "lone.safetensors")
    with pytest.raises(InputFault, match=r"model\.json: does not exist"):
        trained(lit_bars, tmp_path, init_from=str(lone))


def test_a_file_that_holds_no_weights_is_refused(lit_bars, parent, tmp_path):
    shutil.copy(parent.with_name("model.json"), tmp_path)
    (tmp_path / "weights.safetensors").write_bytes(b"rubbish")
    with pytest.raises(ModelFault):
        trained(lit_bars, tmp_path, init_from=str(tmp_path / "weights.safetensors"))


def test_weights_of_another_type_are_refused(lit_bars, parent, tmp_path):
    shutil.copy(parent.with_name("model.json"), tmp_path)
    rounded = {name: values.to(torch.int8) for name, values in load_file(parent).items()}
    save_file(rounded, tmp_path / "weights.safetensors")
    with pytest.raises(ModelFault, match=r"of another type \(torch.int8, here torch.float32\)"):
        trained(lit_bars, tmp_path, init_from=str(tmp_path / "weights.safetensors"))


@pytest.mark.parametrize("name", ["nowhere.safetensors", "nowhere"])
def test_what_names_nothing_is_told_what_may_be_named(lit_bars, tmp_path, name):
    with pytest.raises(InputFault, match="no file, no bundle and no NAME@ALIAS"):
        trained(lit_bars, tmp_path, init_from=str(tmp_path / name))


def test_a_parent_whose_weights_are_no_numbers_is_refused(parent, lit_bars, tmp_path):
    from safetensors.torch import load_file, save_file

    shutil.copy(parent.with_name("model.json"), tmp_path)
    weights = load_file(parent)
    name = next(name for name, values in weights.items() if values.is_floating_point())
    weights[name] = weights[name] * float("nan")
    save_file(weights, tmp_path / "weights.safetensors")
    with pytest.raises(ModelFault, match="no finite numbers"):
        trained(lit_bars, tmp_path, init_from=str(tmp_path / "weights.safetensors"))
