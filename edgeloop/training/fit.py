"""train: a model from the accepted samples, the same bytes for the same parameters, data, threads and CPU features.

Two folders come out. The model's folder is what code, parameters, seed and data decide:

    model.json           ModelCard
    weights.safetensors  of the epoch that was best on val
    training.json        TrainingSummary

The history's folder is for people and dashboards: history.csv, confusion.csv, metrics.json, pictures as PNG, and,
decided by a clock or a server, cost.json (Cost) and tracking.json (TrackingRecord).
"""

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeloop import plugins
from edgeloop.canonical import digest_of, sha256_of_file
from edgeloop.contract import parsed
from edgeloop.data.dataset import Dataset
from edgeloop.data.governance import refuse_erased, refuse_forbidden
from edgeloop.data.inputs import Reader, reader_of
from edgeloop.errors import DataFault
from edgeloop.files import whole_folder
from edgeloop.lineage.subject import Parent
from edgeloop.models import CARD_FILE, WEIGHTS_FILE, Architecture, ModelCard, write_weights
from edgeloop.planning import Workload
from edgeloop.planning.admission import admit
from edgeloop.progress import progress
from edgeloop.tasks import Task
from edgeloop.tracking import TrackedRun, Tracker, tracked_run
from edgeloop.training import TrainParams
from edgeloop.training.batches import Split, decoded
from edgeloop.training.checkpoint import path_of
from edgeloop.training.cost import measured
from edgeloop.training.determinism import cpu_features, deterministic, import_torch
from edgeloop.training.history import numbers, write_history
from edgeloop.training.inheritance import Inheritance, inherited
from edgeloop.training.loop import Epoch, Fit, Material, fit
from edgeloop.training.summary import SUMMARY_FILE, TrainingSummary, min_metric_check

if TYPE_CHECKING:
    from torch import nn


def train(
    params: TrainParams,
    *,
    dataset: Path,
    validation: Path,
    model: Path,
    history: Path,
    tracker: Tracker = tracked_run,
) -> TrainingSummary:
    """Trains a model on the accepted samples and writes the two folders.

    Args:
        params: Section `train`.
        dataset: Folder of prepare_data.
        validation: Folder of validate_data.
        model: Folder to write, see the module.
        history: Folder to write, see the module.
        tracker: Where the run is tracked: MLflow, or `edgeloop.tracking.untracked_run` for nowhere.

    Returns:
        The summary; whether `train.min_metric` was met is a value in its `checks`.

    Raises:
        NotWritable, DiskFull: A folder cannot be written.
        DataFault: The samples cannot be used.
        GateRefused: Their owner forbids to learn from them, or one of them was taken back.
        ParamsFault: The training diverged, or an option does not fit the architecture.
        ServerFault: The tracking server does not answer; nothing was trained then.
        MissingExtra: torch, matplotlib or MLflow is not installed.
        EnvironmentFault: The memory or the number of threads does not suffice.
    """
    import_torch()
    # the folders are opened first, so that a place that cannot be written costs no training
    with measured() as cost, tracker("train") as run, whole_folder(history) as told, whole_folder(model) as made:
        run.log_params({"train": params.values()})
        with deterministic(seed=params.seed, threads=params.threads):
            opened = Dataset(dataset, validation)
            refuse_forbidden(opened.card.governance, today=date.today(), where=str(dataset))
            if params.erased is not None:
                refuse_erased(opened.samples, params.erased)
            task: Task = plugins.load("tasks", params.task)
            heritage = inherited(params, task.names(opened.card.classes, params.task_options))
            material, network = _untrained(params, task, dataset=opened, heritage=heritage)
            if heritage is not None:
                heritage.into(network)
            outcome = _followed_fit(network, task, params=params, material=material, run=run)
        parent = heritage.parent if heritage is not None else None
        material = _settled(material, outcome, task)
        summary = _write_model(made, outcome, params=params, task=task, material=material, parent=parent)
        write_history(told, outcome, task=task, material=material)
        for path in sorted(told.iterdir()):
            run.log_file(path, "history")
        run.log_metrics(numbers(outcome), step=outcome.best.epoch.number)
        cost().write(told / "cost.json")
        run.record().write(told / "tracking.json")
        return summary


def _untrained(
    params: TrainParams, task: Task, *, dataset: Dataset, heritage: Inheritance | None
) -> "tuple[Material, nn.Module]":
    """Both splits in memory and the card, and the network from torch's generator as it stands.

    Inputs are normalised as the parent's were, where there is one.
    """
    import torch

    where = str(dataset.folder)
    if not dataset.samples:
        raise DataFault("no usable sample", where=where, fix="look at what validate_data took out")
    reader = reader_of(dataset.card.kind, image=params.image, window=params.window)
    samples = {split: dataset.split(split) for split in ("train", "val")}
    card = _first_card(params, task, dataset=dataset, reader=reader)
    if heritage is not None:
        heritage.require_input(card.preprocessing)
    truths = {split: task.truths(dataset, rows, card) for split, rows in samples.items()}
    kept = [task.learns_from(truth) for truth in truths["train"]]
    learned = [truth for truth, keep in zip(truths["train"], kept, strict=True) if keep]
    task.require_learnable(learned, truths["val"], card=card, where=where)
    splits = {
        split: Split(torch.from_numpy(decoded(dataset, rows, reader=reader)), tuple(truths[split]))
        for split, rows in samples.items()
    }
    train = splits["train"].where(kept)
    preprocessing = heritage.card.preprocessing if heritage else reader.fitted(train.values.numpy())
    admit(
        Workload(
            model=params.model,
            options=params.model_options,
            input_shape=preprocessing.shape,
            classes=len(card.classes),
        ),
        batch=min(params.batch_size, len(train)),
    )
    architecture: Architecture = plugins.load("models", params.model)
    network = architecture.build(preprocessing.shape, len(card.classes), dict(params.model_options))
    card = card.model_copy(
        update={
            "preprocessing": preprocessing,
            "output_names": architecture.output_names,
            "parameters": sum(values.numel() for values in network.parameters() if values.requires_grad),
            "constants": task.scale(learned, parent=heritage.card.constants if heritage else None),
        }
    )
    return Material(train, splits["val"], card), network


def _first_card(params: TrainParams, task: Task, *, dataset: Dataset, reader: Reader) -> ModelCard:
    """What is known before train is read: its preprocessing is that of a single sample."""
    return ModelCard(
        task=params.task,
        task_options=parsed(task.options, params.task_options, where="train.task_options").values(),
        architecture=params.model,
        options=params.model_options,
        classes=task.names(dataset.card.classes, params.task_options),
        preprocessing=reader.fitted(decoded(dataset, dataset.samples[:1], reader=reader)),
        parameters=0,
    )


def _settled(material: Material, outcome: Fit, task: Task) -> Material:
    """With the constants that only a trained model tells."""
    card = material.card
    found = task.limits(outcome.best.answers, material.val.truths, card)
    return replace(material, card=card.model_copy(update={"constants": {**card.constants, **found}}))


def _followed_fit(network: "nn.Module", task: Task, *, params: TrainParams, material: Material, run: TrackedRun) -> Fit:
    """The fit, with its progress shown and tracked."""
    with progress("train", params.epochs) as advance:

        def follow(epoch: Epoch) -> None:
            advance(1, f"val {task.metric} {epoch.val_metric:.4f}")
            values = {
                "epoch.train_loss": epoch.train_loss,
                "epoch.val_loss": epoch.val_loss,
                f"epoch.val_{task.metric}": epoch.val_metric,
                "epoch.learning_rate": epoch.learning_rate,
            }
            run.log_metrics(values, step=epoch.number)

        checkpoint = _checkpoint(params, material, network)
        return fit(network, task, params=params, material=material, on_epoch=follow, checkpoint=checkpoint)


def _checkpoint(params: TrainParams, material: Material, network: "nn.Module") -> Path | None:
    """Where this very training keeps its state: same parameters, samples, truths, first weights, torch and CPU."""
    if params.checkpoints is None:
        return None
    import torch

    seen = hashlib.sha256()
    for split in (material.train, material.val):
        seen.update(np.ascontiguousarray(split.values.numpy()).tobytes())
        for truth in split.truths:
            seen.update(np.asarray(truth).tobytes())
    for values in network.state_dict().values():
        seen.update(values.detach().contiguous().numpy().tobytes())
    known = {**params.values(), "checkpoints": None}
    decided = [known, material.card.values(), seen.hexdigest(), cpu_features(), str(torch.__version__)]
    return path_of(params.checkpoints, digest_of(decided))


def _write_model(
    folder: Path,
    outcome: Fit,
    *,
    params: TrainParams,
    task: Task,
    material: Material,
    parent: Parent | None,
) -> TrainingSummary:
    import torch

    best = outcome.best
    material.card.write(folder / CARD_FILE)
    write_weights(folder / WEIGHTS_FILE, best.weights)
    summary = TrainingSummary(
        metric=task.metric,
        metrics=best.metrics,
        checks=(min_metric_check(best.epoch.val_metric, name=task.metric, limit=params.min_metric),),
        train_loss=best.epoch.train_loss,
        val_loss=best.epoch.val_loss,
        epochs=len(outcome.epochs),
        best_epoch=best.epoch.number,
        steps=outcome.steps,
        samples={"train": len(material.train), "val": len(material.val)},
        seed=params.seed,
        threads=params.threads,
        cpu_features=cpu_features(),
        torch_version=str(torch.__version__),
        weights_sha256=sha256_of_file(folder / WEIGHTS_FILE),
        parent=parent,
    )
    summary.write(folder / SUMMARY_FILE)
    return summary
