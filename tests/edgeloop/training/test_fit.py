import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from edgeloop.data.dataset import Dataset
from edgeloop.errors import DataFault, EnvironmentFault, InputFault, ParamsFault
from edgeloop.models import ModelCard, load_network
from edgeloop.tracking import untracked_run
from edgeloop.training import TrainParams
from edgeloop.training.fit import train
from edgeloop.training.summary import TrainingSummary

QUICK = {"epochs": 6, "batch_size": 16, "model_options": {"width": 8}, "threads": 1}
CLASSES = ("across", "down", "empty")


def trained(folders: dict[str, Path], out: Path, **changes: Any) -> TrainingSummary:
    params = TrainParams.model_validate({**QUICK, **changes})
    return train(params, **folders, model=out / "model", history=out / "history", tracker=untracked_run)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes_in_two_folders(bars_dataset, tmp_path):
    for name in ("one", "two"):
        trained(bars_dataset, tmp_path / name)
    assert files(tmp_path / "one/model") == files(tmp_path / "two/model")


def test_only_cost_differs_between_two_histories(bars_dataset, tmp_path):
    for name in ("one", "two"):
        trained(bars_dataset, tmp_path / name)
    one, two = files(tmp_path / "one/history"), files(tmp_path / "two/history")
    assert {name for name in one if one[name] != two[name]} <= {"cost.json"}


def test_another_seed_gives_other_weights(bars_dataset, tmp_path):
    one, two = (trained(bars_dataset, tmp_path / str(seed), seed=seed) for seed in (0, 1))
    assert one.weights_sha256 != two.weights_sha256


def test_easy_pictures_are_learnt(bars_dataset, tmp_path):
    assert trained(bars_dataset, tmp_path).metrics["accuracy"] >= 0.9


def test_the_written_model_answers_as_the_summary_says(bars_dataset, tmp_path):
    import torch

    summary = trained(bars_dataset, tmp_path)
    network, card = load_network(tmp_path / "model"), ModelCard.of(tmp_path / "model")
    opened = Dataset(folder=bars_dataset["dataset"])
    val = opened.split("val")
    inputs = np.stack([card.preprocessing.apply(content) for content in opened.contents(val)])
    with torch.inference_mode():
        answers = network(torch.from_numpy(inputs)).argmax(dim=1).tolist()
    right = np.mean([answer == opened.class_index(sample) for answer, sample in zip(answers, val, strict=True)])
    assert right == pytest.approx(summary.metrics["accuracy"])


def test_the_model_folder_holds_card_weights_and_summary(bars_dataset, tmp_path):
    trained(bars_dataset, tmp_path)
    assert set(files(tmp_path / "model")) == {"model.json", "weights.safetensors", "training.json"}


def test_the_summary_is_read_back_as_it_was_returned(bars_dataset, tmp_path):
    assert trained(bars_dataset, tmp_path) == TrainingSummary.of(tmp_path / "model")


def test_no_path_of_this_machine_is_in_the_model(bars_dataset, tmp_path):
    trained(bars_dataset, tmp_path)
    assert not [name for name, content in files(tmp_path / "model").items() if str(tmp_path).encode() in content]


def test_the_history_has_a_row_an_epoch(bars_dataset, tmp_path):
    trained(bars_dataset, tmp_path)
    head, *rows = (tmp_path / "history/history.csv").read_text().splitlines()
    assert head == "epoch,train_loss,val_loss,val_accuracy,learning_rate,val_metric"
    assert [row.split(",")[0] for row in rows] == ["1", "2", "3", "4", "5", "6"]


def test_the_confusion_table_has_a_row_a_sample_of_val(bars_dataset, tmp_path):
    trained(bars_dataset, tmp_path)
    head, *rows = (tmp_path / "history/confusion.csv").read_text().splitlines()
    assert head == "actual,predicted"
    assert [row.split(",")[0] for row in rows] == list(CLASSES) * 10


def test_the_history_holds_what_the_report_and_dvc_read(bars_dataset, tmp_path):
    trained(bars_dataset, tmp_path)
    tables = {"history.csv", "confusion.csv", "metrics.json", "cost.json", "tracking.json"}
    assert tables | {"curves.png", "confusion.png", "reliability.png"} <= set(files(tmp_path / "history"))


def test_a_metric_below_the_limit_is_a_value(bars_dataset, tmp_path):
    (check,) = trained(bars_dataset, tmp_path, epochs=1, learning_rate=1e-9, min_metric=1.0).checks
    assert (check.name, check.status, check.limit) == ("min_metric", "fail", 1.0)


def test_torch_is_left_as_it_was(bars_dataset, tmp_path):
    import torch

    torch.manual_seed(7)
    state = torch.get_rng_state()
    threads = torch.get_num_threads()
    trained(bars_dataset, tmp_path, threads=1 if threads > 1 else 2)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_thread_limit_in_the_environment_is_refused(bars_dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")
    with pytest.raises(EnvironmentFault, match="OMP_THREAD_LIMIT is 1"):
        trained(bars_dataset, tmp_path, threads=2)


def test_a_gpu_that_is_not_there_is_refused_before_anything_is_written(bars_dataset, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(
        EnvironmentFault, match=r"train\.device: torch finds no GPU here.*set train\.device: cpu"
    ) as caught:
        trained(bars_dataset, tmp_path / "out", device="cuda", precision="fp16")
    assert caught.value.exit_code == 3
    assert not (tmp_path / "out").exists()


def test_fp16_on_a_cpu_is_refused_with_what_to_choose():
    with pytest.raises(ValidationError, match="fp16 needs device: cuda; on a CPU choose bf16"):
        TrainParams(precision="fp16")


def test_a_class_without_train_samples_is_named(bars, write_dataset, tmp_path):
    folders = write_dataset([row for row in bars if row[:2] != ("train", "down")], classes=CLASSES)
    with pytest.raises(DataFault, match="no usable sample in train of class down"):
        trained(folders, tmp_path)


def test_a_class_without_val_samples_has_no_recall(bars, write_dataset, tmp_path):
    folders = write_dataset([row for row in bars if row[:2] != ("val", "down")], classes=CLASSES)
    assert trained(folders, tmp_path).metrics["per_class"][1]["recall"] is None


def test_an_empty_val_is_refused(bars, write_dataset, tmp_path):
    folders = write_dataset([row for row in bars if row[0] == "train"], classes=CLASSES)
    with pytest.raises(DataFault, match="no usable sample in val"):
        trained(folders, tmp_path)


def test_one_class_is_not_enough(bars, write_dataset, tmp_path):
    folders = write_dataset([row for row in bars if row[1] == "down"], classes=("down",))
    with pytest.raises(DataFault, match="learning needs two"):
        trained(folders, tmp_path)


def test_a_sample_without_a_label_is_named(bars, write_dataset, tmp_path):
    split, _, pixels = bars[0]
    folders = write_dataset([(split, None, pixels), *bars[1:]], classes=CLASSES)
    with pytest.raises(DataFault, match="sample 00000 has the label None"):
        trained(folders, tmp_path)


def test_a_missing_dataset_is_the_users_fault(tmp_path):
    with pytest.raises(InputFault, match="does not exist"):
        trained({"dataset": tmp_path / "none", "validation": tmp_path / "none"}, tmp_path)


def test_constant_pictures_train_to_finite_weights(bars, write_dataset, tmp_path):
    grey = np.full((8, 8), 128, dtype=np.uint8)
    folders = write_dataset([(split, label, grey) for split, label, _ in bars], classes=CLASSES)
    assert np.isfinite(trained(folders, tmp_path, augment_shift=0).train_loss)


def test_a_batch_larger_than_the_data_is_one_step_an_epoch(bars_dataset, tmp_path):
    assert trained(bars_dataset, tmp_path, batch_size=5000).steps == 6


def test_one_sample_left_over_joins_the_batch_before(bars_dataset, tmp_path):
    # 90 samples in batches of 89; 1 x 1 pixels, so that batch norm has one value a channel for one sample
    image = {"height": 1, "width": 1}
    assert trained(bars_dataset, tmp_path, batch_size=89, image=image, augment_shift=0).steps == 6


def test_batches_of_one_are_refused_where_batch_norm_cannot_learn(bars_dataset, tmp_path):
    with pytest.raises(ParamsFault, match=r"raise train\.batch_size"):
        trained(bars_dataset, tmp_path, batch_size=1, image={"height": 1, "width": 1}, augment_shift=0)


def test_an_unknown_model_option_is_named_with_the_right_one(bars_dataset, tmp_path):
    with pytest.raises(ParamsFault, match="did you mean width"):
        trained(bars_dataset, tmp_path, model_options={"widht": 8})


def test_a_failed_training_leaves_no_folder(bars_dataset, tmp_path):
    with pytest.raises(ParamsFault):
        trained(bars_dataset, tmp_path / "out", model_options={"widht": 8})
    assert list((tmp_path / "out").iterdir()) == []


def test_a_place_that_cannot_be_written_costs_no_training(bars_dataset, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("EDGELOOP_PROGRESS", "lines")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentFault):
        trained(bars_dataset, tmp_path / "file")
    assert "::progress" not in capfd.readouterr().err


def test_progress_tells_every_epoch(bars_dataset, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("EDGELOOP_PROGRESS", "lines")
    trained(bars_dataset, tmp_path)
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("::progress ")]
    last = json.loads(lines[-1].removeprefix("::progress "))
    assert (len(lines), last["done"], last["total"]) == (6, 6, 6)
    assert last["text"].startswith("val accuracy ")


def test_nothing_is_printed(bars_dataset, tmp_path, capfd):
    trained(bars_dataset, tmp_path)
    assert capfd.readouterr() == ("", "")


def test_importing_the_door_imports_nothing_heavy():
    heavy = "{'torch', 'mlflow', 'matplotlib', 'pyarrow', 'PIL', 'safetensors'}"
    code = f"import sys, edgeloop.training.fit; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_tracked_training_has_its_curve_its_pictures_and_its_cost_in_mlflow(bars_dataset, tmp_path, monkeypatch):
    from edgeloop.tracking import TrackingRecord, client

    monkeypatch.chdir(tmp_path)
    params = TrainParams.model_validate(QUICK)
    train(params, **bars_dataset, model=tmp_path / "model", history=tmp_path / "history")
    record = TrackingRecord.read(tmp_path / "history/tracking.json")
    curve = client().get_metric_history(record.run_id, "epoch.val_accuracy")
    assert [point.step for point in curve] == [1, 2, 3, 4, 5, 6]
    kept = {Path(file.path).name for file in client().list_artifacts(record.run_id, "history")}
    assert kept >= {"curves.png", "confusion.png", "history.csv", "cost.json"}
    metrics = client().get_run(record.run_id).data.metrics
    assert metrics["system.cpu_s"] > 0
    assert metrics["system.peak_memory_bytes"] > 1 << 20
    assert "system.energy_j" not in metrics  # null has no number; cost.json tells the reason
    assert json.loads((tmp_path / "history/cost.json").read_text())["energy_reason"]


@pytest.mark.long
@pytest.mark.slow
def test_the_default_parameters_reach_097_on_the_test_split_of_digits(write_dataset: Callable[..., Any], tmp_path):
    import torch
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = np.rint(digits.images * 255 / 16).astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(pixels))
    splits = np.array(["train"] * 1258 + ["test"] * 359 + ["val"] * 180)
    rows = [(str(split), str(digits.target[k]), pixels[k]) for split, k in zip(splits, order, strict=True)]
    folders = write_dataset(rows, classes=tuple("0123456789"))
    train(TrainParams(), **folders, model=tmp_path / "m", history=tmp_path / "h", tracker=untracked_run)
    card, opened = ModelCard.of(tmp_path / "m"), Dataset(folders["dataset"])
    test = opened.split("test")
    inputs = torch.from_numpy(np.stack([card.preprocessing.apply(content) for content in opened.contents(test)]))
    with torch.inference_mode():
        answers = load_network(tmp_path / "m")(inputs).argmax(dim=1).tolist()
    assert np.mean([answer == opened.class_index(s) for answer, s in zip(answers, test, strict=True)]) >= 0.97
    assert card.parameters < 60_000
