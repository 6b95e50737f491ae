"""`train.trials`: several trainings on the same samples, and the choice among them on val.

The best has the highest metric; among equals the fewest trained values, then the first place in the list. A trial
that diverges is a row with its reason; only when all do there is no model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgeloop.errors import ParamsFault
from edgeloop.lineage.subject import TrialRecord
from edgeloop.tracking import TrackedRun
from edgeloop.training import TrainParams
from edgeloop.training.cost import PartCost, measured
from edgeloop.training.course import Ground, Trained, admit_recipe, trained
from edgeloop.training.history import numbers
from edgeloop.training.loop import Divergence, Epoch

Follow = Callable[[Epoch, str, TrackedRun], None]
"""Told of every epoch, of what it is an epoch, empty where there is nothing else, and of the run to log it to."""


@dataclass(frozen=True)
class Outcome:
    """The model that goes on, and what else was tried."""

    best: Trained
    rows: tuple[TrialRecord, ...]
    """Of every trial, in order; none where nothing was to try."""
    costs: tuple[PartCost, ...]


def tried(params: TrainParams, ground: Ground, *, run: TrackedRun, follow: Follow) -> Outcome:
    """Trains every recipe of `params`, each admitted before the first begins.

    Raises:
        Divergence: The only training diverged, or every trial.
        ParamsFault, EnvironmentFault, ModelFault: As `trained`.
    """
    if not params.trials:
        (recipe,) = params.recipes
        admit_recipe(recipe, ground, where="train")
        return Outcome(trained(recipe, ground, on_epoch=lambda epoch: follow(epoch, "", run)), (), ())
    recipes = params.recipes
    for number, recipe in enumerate(recipes, start=1):
        admit_recipe(recipe, ground, where=f"trial {number} of train.trials")
    best: Trained | None = None
    chosen, rows, costs = 0, [], []
    for number, recipe in enumerate(recipes, start=1):
        name = f"trial {number} of {len(recipes)}"
        with measured() as cost:
            found = _tried(recipe, ground, name=name, run=run, follow=follow)
        costs.append(PartCost.of(f"trial {number}", cost()))
        rows.append(_row(found, dict(params.trials[number - 1])))
        if isinstance(found, Trained) and (best is None or _rank(found) > _rank(best)):
            best, chosen = found, number
    if best is None:
        raise ParamsFault(
            f"all {len(rows)} trials diverged; of the first: {rows[0].fault}",
            where="train.trials",
            fix="lower train.learning_rate",
        )
    told = tuple(row.model_copy(update={"chosen": number == chosen}) for number, row in enumerate(rows, start=1))
    return Outcome(best, told, tuple(costs))


def _tried(recipe: TrainParams, ground: Ground, *, name: str, run: TrackedRun, follow: Follow) -> Trained | Divergence:
    """One trial in a tracked run of its own, which is failed where the training diverged."""
    try:
        with run.nested(name) as nested:
            nested.log_params({"train": recipe.values()})
            found = trained(recipe, ground, on_epoch=lambda epoch: follow(epoch, name, nested))
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
