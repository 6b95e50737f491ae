"""Datasets at the edge of what can be learned from: a clear refusal, or what is right."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from edgeloop.data.dataset import Dataset, Sample, classes_in, write_index
from edgeloop.data.preparation import PrepareDataParams, prepare
from edgeloop.errors import DataFault, ParamsFault
from edgeloop.tracking import untracked_run
from edgeloop.training import TrainParams
from edgeloop.training.fit import train
from edgeloop.training.summary import TrainingSummary

MLP: dict[str, Any] = {"epochs": 1, "batch_size": 4, "model": "mlp", "model_options": {"hidden": "4"}}
DETECTOR: dict[str, Any] = {
    "task": "detection", "model": "yolo_tiny", "model_options": {"width": 0.125}, "epochs": 1, "batch_size": 4,
    "image": {"height": 64, "width": 64, "mode": "RGB"},
}  # fmt: skip
Editing = Callable[[Sample], Sample | None]


def trained(folders: dict[str, Path], out: Path, **section: Any) -> TrainingSummary:
    params = TrainParams.model_validate(section)
    return train(params, **folders, model=out / "model", history=out / "history", tracker=untracked_run)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A few road scenes, prepared once."""
    folder = tmp_path_factory.mktemp("scenes")
    given = {"source": "traffic_signs", "options": {"count": 24, "size_pixels": 160}, "min_class_samples": 3}
    prepare(PrepareDataParams.model_validate(given), dataset=folder / "dataset", profile=folder / "profile")
    rows = Dataset(folder / "dataset").rows
    (folder / "validation").mkdir()
    parquet.write_table(pa.table({"id": [row.id for row in rows]}), folder / "validation/accepted.parquet")
    return {"dataset": folder / "dataset", "validation": folder / "validation"}


@pytest.fixture
def edited(scenes: dict[str, Path], tmp_path: Path) -> Callable[[Editing], dict[str, Path]]:
    """The scenes with every row of the index edited, or left out."""

    def edit(change: Editing) -> dict[str, Path]:
        dataset = tmp_path / "edited"
        dataset.mkdir()
        for path in scenes["dataset"].iterdir():
            (dataset / path.name).symlink_to(path)
        (dataset / "index.parquet").unlink()
        rows = [change(row) for row in Dataset(scenes["dataset"]).rows]
        write_index([row for row in rows if row is not None], dataset)
        return {**scenes, "dataset": dataset}

    return edit


def test_one_sample_is_no_two_classes(write_dataset, bars, tmp_path):
    folders = write_dataset([bars[0], bars[90]], classes=("across", "down"))
    with pytest.raises(DataFault, match="no usable sample in train of class down"):
        trained(folders, tmp_path, **MLP)


def test_one_sample_of_each_class_is_learned_from(write_dataset, bars, tmp_path):
    folders = write_dataset([bars[0], bars[1], bars[90], bars[91]], classes=("across", "down"))
    assert trained(folders, tmp_path, **MLP).samples == {"train": 2, "val": 2}


def test_an_augmentation_of_samples_that_are_not_there_is_refused(write_dataset, bars, tmp_path):
    folders = write_dataset([bars[0], bars[1], bars[90], bars[91]], classes=("across", "down"))
    with pytest.raises(ParamsFault, match=r"train\.augment\.1\.where: .* label 'acros'; did you mean across"):
        trained(folders, tmp_path, **MLP, augment=[{"where": {"label": "acros"}, "noise": 0.1}])


def test_one_normal_sample_is_too_few_for_batch_norm(write_dataset, bars, tmp_path):
    folders = write_dataset([bars[0], bars[90], bars[91]], classes=("across", "down"))
    autoencoder = {"task": "anomaly", "task_options": {"normal": "across"}, "model": "autoencoder",
                   "model_options": {"hidden": "4-2-4"}, "epochs": 1}  # fmt: skip
    with pytest.raises(ParamsFault, match="cannot learn from such a batch"):
        trained(folders, tmp_path, **autoencoder)


def test_no_usable_sample_at_all_is_said(write_dataset, tmp_path):
    with pytest.raises(DataFault, match="no usable sample"):
        trained(write_dataset([], classes=("across", "down")), tmp_path, **MLP)


def test_a_label_that_is_no_class_is_named(write_dataset, bars, tmp_path):
    folders = write_dataset([("train", "sideways", bars[0][2]), *bars[1:]], classes=("across", "down", "empty"))
    with pytest.raises(DataFault, match="sample 00000 has the label 'sideways', which is none of the classes"):
        trained(folders, tmp_path, **MLP)


def test_a_box_of_no_class_is_named(edited, tmp_path):
    folders = edited(lambda row: replace(row, boxes=json.dumps([["comet", 1, 1, 9, 9]])))
    with pytest.raises(DataFault, match="'comet', which is none of the classes"):
        trained(folders, tmp_path, **DETECTOR)


def test_pictures_without_objects_are_learned_from_beside_others(scenes, edited, tmp_path):
    """Of train the first picture of every class, and as many that show nothing: whole batches do not."""
    seen: set[str] = set()

    def thinned(row: Sample) -> Sample | None:
        if row.split != "train":
            return row
        new = set(classes_in(row)) - seen
        seen.update(new)
        return row if new else replace(row, boxes="[]")

    folders = edited(thinned)
    bare = [row.boxes for row in Dataset(folders["dataset"]).split("train")].count("[]")
    summary = trained(folders, tmp_path, **{**DETECTOR, "batch_size": 2})
    assert bare > summary.samples["train"] // 2
    assert np.isfinite(summary.train_loss)


@pytest.mark.parametrize(("split", "told"), [("train", "no object in train of class"), ("val", "no object in val")])
def test_a_split_without_any_object_is_refused(edited, tmp_path, split, told):
    folders = edited(lambda row: replace(row, boxes="[]") if row.split == split else row)
    with pytest.raises(DataFault, match=told):
        trained(folders, tmp_path, **DETECTOR)
