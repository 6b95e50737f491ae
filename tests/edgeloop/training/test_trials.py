"""Several trainings on the same samples, one of which goes on."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeloop import plugins
from edgeloop.data.dataset import Dataset
from edgeloop.errors import EnvironmentFault, ParamsFault
from edgeloop.lineage.subject import Parent
from edgeloop.models import ModelCard, read_weights
from edgeloop.params import validated
from edgeloop.planning import Memory
from edgeloop.tracking import untracked_run
from edgeloop.training import TrainParams
from edgeloop.training.cost import Cost
from edgeloop.training.course import Ground
from edgeloop.training.fit import train
from edgeloop.training.inheritance import Inheritance
from edgeloop.training.material import read_material
from edgeloop.training.summary import TrainingSummary
from edgeloop.training.trials import tried

MLP = {"epochs": 2, "batch_size": 16, "model": "mlp", "model_options": {"hidden": "8"}, "threads": 1}
THREE = [{"learning_rate": 1e-6}, {"learning_rate": 0.01}, {"model": "cnn", "model_options": {"width": 4}, "epochs": 1}]


class Killed(Exception):
    pass


def trained(folders: dict[str, Path], out: Path, **changes: Any) -> TrainingSummary:
    params = TrainParams.model_validate({**MLP, **changes})
    return train(params, **folders, model=out / "model", history=out / "history", tracker=untracked_run)


@pytest.fixture(scope="module")
def three(lit_bars: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingSummary, Path]:
    """Three trials, trained once for all who only look."""
    folder = tmp_path_factory.mktemp("three")
    return trained(lit_bars, folder, trials=THREE), folder


def refusal(**section: Any) -> str:
    with pytest.raises(ParamsFault) as caught:
        validated({"train": section}, where="params.yaml")
    return caught.value.line()


def diverging(monkeypatch: pytest.MonkeyPatch, *widths: int) -> None:
    """Multi-layer perceptrons with a hidden layer of such a width begin with weights that no loss survives."""
    import torch

    from edgeloop.models.mlp import Mlp

    build = Mlp.build

    def spoilt(self: Any, *arguments: Any) -> Any:
        network = build(self, *arguments)
        for values in network.parameters():
            if values.shape[0] in widths and not values.is_meta:
                with torch.no_grad():
                    values.fill_(float("nan"))
        return network

    monkeypatch.setattr(Mlp, "build", spoilt)


def test_the_best_on_val_goes_on(three):
    summary, _ = three
    metrics = [row.metric for row in summary.trials]
    chosen = [row.chosen for row in summary.trials]
    assert chosen.index(True) == metrics.index(max(metrics))
    assert summary.metrics["accuracy"] == max(metrics)
    assert chosen.count(True) == 1


def test_a_row_tells_what_was_tried_and_what_came_of_it(three):
    row = three[0].trials[2]
    assert row.overrides == THREE[2]
    assert (row.epochs, row.steps, row.best_epoch) == (1, 6, 1)
    assert row.parameters > 0


def test_the_card_is_of_the_chosen_trial(three):
    summary, folder = three
    (chosen,) = [row for row in summary.trials if row.chosen]
    assert ModelCard.of(folder / "model").parameters == chosen.parameters


def test_a_chosen_trial_is_the_very_model_that_its_section_alone_trains(lit_bars, three, tmp_path):
    summary, _ = three
    (chosen,) = [row for row in summary.trials if row.chosen]
    assert trained(lit_bars, tmp_path, **chosen.overrides).weights_sha256 == summary.weights_sha256


def test_trials_give_the_same_bytes_in_two_folders(lit_bars, three, tmp_path):
    trained(lit_bars, tmp_path, trials=THREE)
    one, two = ({p.name: p.read_bytes() for p in (folder / "model").iterdir()} for folder in (three[1], tmp_path))
    assert one == two


def test_seconds_stand_in_the_cost_alone(three):
    _, folder = three
    parts = Cost.read(folder / "history/cost.json").parts
    assert [part.name for part in parts] == ["trial 1", "trial 2", "trial 3"]
    assert "wall" not in (folder / "model/training.json").read_text()


def test_among_equals_the_smallest_then_the_first_is_chosen(write_dataset, bars, tmp_path):
    grey = np.full((8, 8), 128, dtype=np.uint8)
    alike = write_dataset([(split, label, grey) for split, label, _ in bars], classes=("across", "down", "empty"))
    trials = [{"model_options": {"hidden": "9"}}, {}, {"weight_decay": 0.0}]
    rows = trained(alike, tmp_path, trials=trials, epochs=1).trials
    assert len({row.metric for row in rows}) == 1
    assert [row.chosen for row in rows] == [False, True, False]


def test_a_trial_that_diverges_is_a_row_with_its_reason(lit_bars, tmp_path, monkeypatch):
    diverging(monkeypatch, 9)
    rows = trained(lit_bars, tmp_path, trials=[{"model_options": {"hidden": "9"}}, {}]).trials
    assert rows[0].metric is None
    assert "the loss is nan at epoch 1, step 1" in rows[0].fault
    assert rows[1].chosen


def test_trials_that_all_diverge_end_the_training(lit_bars, tmp_path, monkeypatch):
    diverging(monkeypatch, 8, 9)
    with pytest.raises(ParamsFault, match=r"all 2 trials diverged; of the first: .*the loss is nan"):
        trained(lit_bars, tmp_path, trials=[{"model_options": {"hidden": "9"}}, {}])


def test_a_kill_in_the_last_trial_does_not_redo_the_others(lit_bars, tmp_path, monkeypatch):
    from edgeloop.training import loop

    begun: list[int] = []
    run_epoch = loop._run_epoch

    def counted(inner: Any, number: int) -> Any:
        begun.append(number)
        if len(begun) == 5:
            raise Killed
        return run_epoch(inner, number)

    monkeypatch.setattr(loop, "_run_epoch", counted)
    changes = {"trials": THREE, "checkpoints": tmp_path / "states"}
    with pytest.raises(Killed):
        trained(lit_bars, tmp_path, **changes)
    resumed = trained(lit_bars, tmp_path, **changes)
    assert begun == [1, 2, 1, 2, 1, 1]
    assert [row.metric is not None for row in resumed.trials] == [True] * 3


def heir(folders: dict[str, Path], parent: Path, *trials: dict[str, Any]) -> tuple[TrainParams, Ground]:
    """A section with trials, and a ground whose parent is the model in a folder."""
    params = TrainParams.model_validate({**MLP, "trials": trials})
    task, card = plugins.load("tasks", "classification"), ModelCard.of(parent)
    ids = Parent(subject_digest="sha256:" + "0" * 64, sha256="0" * 64)
    heritage = Inheritance(ids, card, read_weights(parent / "weights.safetensors"))
    opened = Dataset(folders["dataset"], folders["validation"])
    return params, Ground(task, read_material(params, task, dataset=opened, heritage=heritage), heritage)


def test_a_parent_is_trained_further_by_the_trials_of_its_network(lit_bars, three):
    params, ground = heir(lit_bars, three[1] / "model", {"model": "mlp"}, THREE[2], {"model_options": {"hidden": "9"}})
    of_parent = [row.chosen for row in three[0].trials].index(True) == 2
    with untracked_run("train") as run:
        outcome = tried(params, ground, run=run, follow=lambda epoch, name, nested: None)
    assert [row.fault for row in outcome.rows].count("the parent is another network") == 2
    assert outcome.rows[1 if of_parent else 0].chosen


def test_no_trial_of_the_parents_network_is_refused(lit_bars, three):
    params, ground = heir(lit_bars, three[1] / "model", {"model_options": {"hidden": "9"}})
    with (
        untracked_run("train") as run,
        pytest.raises(ParamsFault, match="no trial has the model and the model_options"),
    ):
        tried(params, ground, run=run, follow=lambda epoch, name, nested: None)


def test_progress_names_the_trial(lit_bars, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("EDGELOOP_PROGRESS", "lines")
    trained(lit_bars, tmp_path, trials=THREE[:2])
    lines = [json.loads(line.removeprefix("::progress ")) for line in capfd.readouterr().err.splitlines()]
    assert [line["text"].partition(":")[0] for line in lines] == ["trial 1 of 2"] * 2 + ["trial 2 of 2"] * 2
    assert lines[-1]["done"] == lines[-1]["total"] == 4


def test_every_trial_is_admitted_before_the_first_begins(lit_bars, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("EDGELOOP_PROGRESS", "lines")
    monkeypatch.setattr(
        "edgeloop.planning.admission.available_memory", lambda: Memory(size_bytes=2 << 30, source="test")
    )
    with pytest.raises(EnvironmentFault, match=r"trial 2 of train\.trials\.batch_size"):
        trained(lit_bars, tmp_path, trials=[{}, {"model_options": {"hidden": "20000-20000"}}])
    assert "::progress" not in capfd.readouterr().err


def test_a_tracked_training_has_a_run_below_it_for_every_trial(lit_bars, tmp_path, monkeypatch):
    from edgeloop.tracking import TrackingRecord, client

    monkeypatch.chdir(tmp_path)
    diverging(monkeypatch, 9)
    params = TrainParams.model_validate({**MLP, "trials": [{"model_options": {"hidden": "9"}}, {"epochs": 1}]})
    train(params, **lit_bars, model=tmp_path / "model", history=tmp_path / "history")
    record = TrackingRecord.read(tmp_path / "history/tracking.json")
    opened = client()
    parent = opened.get_run(record.run_id)
    below = opened.search_runs(
        [parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{record.run_id}'", order_by=["start_time"]
    )
    assert {run.info.run_name: run.info.status for run in below} == {
        "trial 1 of 2": "FAILED",
        "trial 2 of 2": "FINISHED",
    }
    assert {run.data.params["train.epochs"] for run in below} == {"1", "2"}
    assert parent.data.params["chosen_trial"] == "2"
    assert parent.data.metrics["system.cpu_s"] > 0
    assert parent.data.metrics["system.peak_memory_bytes"] > 1 << 20


@pytest.mark.parametrize(
    ("trial", "told"),
    [
        ({"learnin_rate": 0.1}, "trial 1: learnin_rate: unknown key; did you mean learning_rate?"),
        ({"learning_rate": 7}, "trial 1: learning_rate: Input should be less than or equal to 1"),
        ({"model": "resnt"}, "train.trials.model: no plug-in named 'resnt'; did you mean resnet?"),
        ({"model_options": {"widht": 4}}, "trial 1 of train.trials: model_options: widht: unknown key; did you mean"),
        ({"model": "autoencoder"}, "trial 1 of train.trials: train.model: autoencoder answers with input"),
        ({"augment_shift": 8}, "trial 1 of train.trials: train.augment_shift: 8 moves pictures of 8 pixels"),
        ({"patience": None}, "trial 1: patience is null"),
        ({"batch_size": "auto"}, "trial 1: batch_size: auto is no number yet"),
        *(({name: 0}, f"trial 1: {name} is the same for all trials") for name in ("task", "image", "trials")),
    ],
)
def test_a_trial_is_refused_before_anything_runs(trial, told):
    assert told in refusal(trials=[trial])


def test_the_same_trial_twice_is_refused():
    assert "trial 2 is the same as trial 1" in refusal(learning_rate=0.01, trials=[{}, {"learning_rate": 0.01}])


def test_another_model_does_not_inherit_the_options_of_the_sections_model():
    params = TrainParams.model_validate({**MLP, "trials": [{"model": "resnet"}, {"model_options": {"hidden": "9"}}]})
    assert [recipe.model_options for recipe in params.recipes] == [{}, {"hidden": "9"}]


def test_kfps_floats_make_the_same_trial():
    assert TrainParams(trials=({"batch_size": 32.0},)).values() == TrainParams(trials=({"batch_size": 32},)).values()
