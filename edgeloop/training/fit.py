"""train: a model from the accepted samples, the same bytes for the same parameters, data, threads and CPU features.

Two folders come out. The model's folder is what code, parameters, seed and data decide:

    model.json           ModelCard
    weights.safetensors  of the epoch that was best on val
    training.json        TrainingSummary

The history's folder is for people and dashboards: history.csv, confusion.csv, metrics.json, pictures as PNG, and,
decided by a clock or a server, cost.json (Cost) and tracking.json (TrackingRecord).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from edgeloop import plugins
from edgeloop.canonical import sha256_of_file
from edgeloop.data.dataset import Dataset
from edgeloop.data.governance import refuse_erased, refuse_forbidden
from edgeloop.files import whole_folder
from edgeloop.lineage.subject import Parent, TrialRecord
from edgeloop.models import CARD_FILE, WEIGHTS_FILE, write_weights
from edgeloop.progress import progress
from edgeloop.tasks import Task
from edgeloop.tracking import TrackedRun, Tracker, tracked_run
from edgeloop.training import TrainParams
from edgeloop.training.augmentation import strengths_of
from edgeloop.training.cost import COST_FILE, Cost, measured
from edgeloop.training.course import Ground, Trained
from edgeloop.training.determinism import deterministic, features_of, import_torch, require_device
from edgeloop.training.growth import grown
from edgeloop.training.history import curve_values, numbers, write_history
from edgeloop.training.inheritance import inherited
from edgeloop.training.loop import Epoch
from edgeloop.training.material import read_material, settled
from edgeloop.training.summary import SUMMARY_FILE, TrainingSummary, min_metric_check
from edgeloop.training.trials import Follow, tried


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
        EnvironmentFault: The memory or the number of threads does not suffice, or there is no GPU.
    """
    import_torch()
    require_device(params.device)
    # the folders are opened first, so that a place that cannot be written costs no training
    with measured() as cost, tracker("train") as run, whole_folder(history) as told, whole_folder(model) as made:
        run.log_params({"train": params.values()})
        with deterministic(seed=params.seed, threads=params.threads):
            ground = _ground(params, dataset=dataset, validation=validation)
            with _followed(params, ground.task, cost=cost) as follow:
                found = tried(params, ground, run=run, follow=follow)
                curve, curve_costs = grown(params.learning_curve, found.best, ground, run=run, follow=follow)
        best = replace(found.best, material=settled(found.best.material, found.best.fit, ground.task))
        parent = ground.heritage.parent if ground.heritage is not None else None
        summary = _summary(made, best, task=ground.task, parent=parent)
        summary = summary.model_copy(update={"trials": found.rows, "learning_curve": curve})
        summary.write(made / SUMMARY_FILE)
        write_history(told, best.fit, task=ground.task, material=best.material, curve=curve)
        whole_cost = cost().model_copy(update={"parts": (*found.costs, *curve_costs)})
        whole_cost.write(told / COST_FILE)
        _log(run, told, best, whole_cost, trials=found.rows)
        run.record().write(told / "tracking.json")
        return summary


def _ground(params: TrainParams, *, dataset: Path, validation: Path) -> Ground:
    """The task, the samples in memory, and the parent where there is one."""
    opened = Dataset(dataset, validation)
    refuse_forbidden(opened.card.governance, today=date.today(), where=str(dataset))
    if params.erased is not None:
        refuse_erased(opened.samples, params.erased)
    task: Task = plugins.load("tasks", params.task)
    heritage = inherited(params, task.names(opened.card.classes, params.task_options))
    return Ground(task, read_material(params, task, dataset=opened, heritage=heritage), heritage)


@contextmanager
def _followed(params: TrainParams, task: Task, *, cost: Callable[[], Cost]) -> Iterator[Follow]:
    """A function that is told of every epoch, shows the progress and logs it."""
    with progress("train", _epochs(params)) as advance:

        def follow(epoch: Epoch, name: str, run: TrackedRun) -> None:
            advance(1, f"{name}{': ' if name else ''}val {task.metric} {epoch.val_metric:.4f}")
            run.log_metrics({**curve_values(epoch, task), **cost().metrics()}, step=epoch.number)

        yield follow


def _epochs(params: TrainParams) -> int:
    """Of all trainings at most; the learning curve's as many as those of the longest trial."""
    epochs = [recipe.epochs for recipe in params.recipes]
    return sum(epochs) + max(epochs) * sum(share < 1 for share in params.learning_curve)


def _log(run: TrackedRun, told: Path, best: Trained, cost: Cost, *, trials: Sequence[TrialRecord]) -> None:
    """Everything of the model that goes on; its curve stands in the trial's own run where there are several."""
    for path in sorted(told.iterdir()):
        run.log_file(path, "history")
    run.log_metrics({**numbers(best.fit), **cost.metrics()}, step=best.fit.best.epoch.number)
    for number, row in enumerate(trials, start=1):
        if row.chosen:
            run.log_params({"chosen_trial": number})


def _augmented(trained: Trained) -> tuple[int, ...]:
    """Samples of train by the entry of `train.augment` that is theirs."""
    recipe, material = trained.recipe, trained.material
    strengths = strengths_of(recipe.augment, material.samples, count=len(material.train))
    return tuple(int((strengths.entry == k).sum()) for k in range(len(recipe.augment))) if strengths else ()


def _summary(folder: Path, trained: Trained, *, task: Task, parent: Parent | None) -> TrainingSummary:
    """Writes card and weights, and says what the training came to."""
    import torch

    params, outcome, material = trained.recipe, trained.fit, trained.material
    best = outcome.best
    material.card.write(folder / CARD_FILE)
    write_weights(folder / WEIGHTS_FILE, best.weights)
    return TrainingSummary(
        metric=task.metric,
        metrics=best.metrics,
        checks=(min_metric_check(best.epoch.val_metric, name=task.metric, limit=params.min_metric),),
        train_loss=best.epoch.train_loss,
        val_loss=best.epoch.val_loss,
        epochs=len(outcome.epochs),
        best_epoch=best.epoch.number,
        steps=outcome.steps,
        samples={"train": len(material.train), "val": len(material.val)},
        augmented=_augmented(trained),
        seed=params.seed,
        threads=params.threads,
        cpu_features=features_of(params.device),
        torch_version=str(torch.__version__),
        weights_sha256=sha256_of_file(folder / WEIGHTS_FILE),
        parent=parent,
    )
