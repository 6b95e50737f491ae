"""`train.trials`: several trainings on the same samples, and the choice among them on val.

The best has the highest metric; among equals the fewest trained values, then the first place in the list. A trial
that diverges is a row with its reason; only when all do there is no model. Where training begins with a parent, only
the trials of the parent's network are trained: so a model that was chosen among several is trained further as it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edgeloop.errors import ParamsFault
from edgeloop.lineage.subject import TrialRecord
from edgeloop.tracking import TrackedRun
from edgeloop.training import TrainParams
from edgeloop.training.cost import PartCost, measured
from edgeloop.training.course import Ground, Trained, admit_recipe, trained
from edgeloop.training.guards import Divergence
from edgeloop.training.history import numbers
from edgeloop.training.loop import Epoch

Follow = Callable[[Epoch, str, TrackedRun], None]
"""Told of every epoch, of what it is an epoch, empty where there is nothing else, and of the run to log it to."""


_FOREIGN = "the parent is another network"


@dataclass(frozen=True)
class Outcome:
    """The model that goes on, and what else was tried."""

    best: Trained
    rows: tuple[TrialRecord, ...]
    """Of every trial, in order; none where nothing was to try."""
    costs: tuple[PartCost, ...]


@dataclass(frozen=True)
class _Trial:
    """One entry of `train.trials`."""

    number: int
    """From 1."""
    overrides: dict[str, Any]
    recipe: TrainParams


def tried(params: TrainParams, ground: Ground, *, run: TrackedRun, follow: Follow) -> Outcome:
    """Trains every recipe of `params`, each admitted before the first begins.

    Raises:
        Divergence: The only training diverged.
        ParamsFault: Every trial diverged, none is of the parent's network, or as `trained`.
        EnvironmentFault, ModelFault: As `trained`.
    """
    if not params.trials:
        (recipe,) = params.recipes
        admit_recipe(recipe, ground, where="train")
        return Outcome(trained(recipe, ground, on_epoch=lambda epoch: follow(epoch, "", run)), (), ())
    pairs = zip(params.trials, params.recipes, strict=True)
    trials = [_Trial(number, overrides, recipe) for number, (overrides, recipe) in enumerate(pairs, start=1)]
    fitting = _fitting(trials, ground)
    for trial in fitting:
        admit_recipe(trial.recipe, ground, where=f"trial {trial.number} of train.trials")
    rows = {trial.number: TrialRecord(overrides=trial.overrides, epochs=0, steps=0, fault=_FOREIGN) for trial in trials}
    best: tuple[int, Trained] | None = None
    costs = []
    for trial in fitting:
        with measured() as cost:
            found = _tried(trial, ground, count=len(trials), run=run, follow=follow)
        costs.append(PartCost.of(f"trial {trial.number}", cost()))
        rows[trial.number] = _row(found, trial.overrides)
        if isinstance(found, Trained) and (best is None or _rank(found) > _rank(best[1])):
            best = trial.number, found
    if best is None:
        raise ParamsFault(
            f"all {len(fitting)} trials diverged; of the first: {rows[fitting[0].number].fault}",
            where="train.trials",
            fix="lower train.learning_rate",
        )
    rows[best[0]] = rows[best[0]].model_copy(update={"chosen": True})
    return Outcome(best[1], tuple(rows.values()), tuple(costs))


def _fitting(trials: Sequence[_Trial], ground: Ground) -> list[_Trial]:
    """The trials of the parent's network; all of them where there is no parent."""
    heritage = ground.heritage
    fitting = [trial for trial in trials if heritage is None or heritage.fits(trial.recipe)]
    if not fitting:
        raise ParamsFault(
            "no trial has the model and the model_options of the parent",
            where="train.trials",
            fix="add a trial that has them, or train without init_from",
        )
    return fitting


def _tried(trial: _Trial, ground: Ground, *, count: int, run: TrackedRun, follow: Follow) -> Trained | Divergence:
    """One trial of so many in a tracked run of its own, which is failed where the training diverged."""
    name = f"trial {trial.number} of {count}"
    try:
        with run.nested(name) as nested:
            nested.log_params({"train": trial.recipe.values()})
            found = trained(trial.recipe, ground, on_epoch=lambda epoch: follow(epoch, name, nested))
            nested.log_metrics(numbers(found.fit), step=found.fit.best.epoch.number)
            return found
    except Divergence as fault:
        return fault


def _rank(found: Trained) -> tuple[float, int]:
    """Higher is better; the first of equals stays."""
    return found.fit.best.epoch.val_metric, -found.material.card.parameters


def _row(found: Trained | Divergence, overrides: dict[str, Any]) -> TrialRecord:
    if isinstance(found, Divergence):
        return TrialRecord(overrides=overrides, epochs=found.epochs, steps=found.steps, fault=found.what)
    best = found.fit.best.epoch
    return TrialRecord(
        overrides=overrides,
        metric=best.val_metric,
        val_loss=best.val_loss,
        parameters=found.material.card.parameters,
        epochs=len(found.fit.epochs),
        best_epoch=best.number,
        steps=found.fit.steps,
    )
