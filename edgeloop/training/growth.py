"""`train.learning_curve`: what the chosen recipe reaches with less of train, so what more samples may be worth.

The parts are nested and stratified: every sample has its place in one order, drawn by the recipe's seed, in which the
samples of every class, or set of classes in a picture, are spread evenly and each is there early; a part is the
beginning of that order. All of train is the model that goes on, and not trained again.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil

import numpy as np

from edgeloop.data.dataset import Sample, classes_in
from edgeloop.errors import ParamsFault
from edgeloop.tracking import TrackedRun
from edgeloop.training.cost import PartCost, measured
from edgeloop.training.course import Ground, Trained, trained
from edgeloop.training.loop import Material
from edgeloop.training.summary import GrowthPoint
from edgeloop.training.trials import Follow


def grown(
    shares: Sequence[float], best: Trained, ground: Ground, *, run: TrackedRun, follow: Follow
) -> tuple[tuple[GrowthPoint, ...], tuple[PartCost, ...]]:
    """A point for every share of train, the whole of it last, and what the trainings cost.

    Args:
        shares: Rising; none give no point.
        best: The model that goes on.
        ground: What it was trained on.
        run: Tracks the metric over the number of samples.
        follow: Told of every epoch.
    """
    if not shares:
        return (), ()
    points, costs = [], []
    whole = ground.material
    for share in [share for share in shares if share < 1]:
        name = f"{share:g} of train"
        part = replace(ground, material=part_of(whole, share, seed=best.recipe.seed))
        with measured() as cost:
            points.append(_point(share, best, part, name=name, run=run, follow=follow))
        costs.append(PartCost.of(name, cost()))
    last = best.fit.best.epoch
    points.append(GrowthPoint(share=1, samples=len(whole.train), metric=last.val_metric, val_loss=last.val_loss))
    for point in points:
        if point.metric is not None:
            run.log_metrics({f"learning_curve.val_{ground.task.metric}": point.metric}, step=point.samples)
    return tuple(points), tuple(costs)


def part_of(material: Material, share: float, *, seed: int) -> Material:
    """The material with the first `share` of train, in the order of the module; one sample at least."""
    count = ceil(Fraction(str(share)) * len(material.train))
    among = set(spread_order(material.samples, seed=seed)[:count])
    kept = [row in among for row in range(len(material.train))]
    samples = tuple(sample for sample, keep in zip(material.samples, kept, strict=True) if keep)
    return replace(material, train=material.train.where(kept), samples=samples)


def spread_order(samples: Sequence[Sample], *, seed: int) -> list[int]:
    """The places of the samples in the order of the module: the k-th of n of a class stands at k / n."""
    drawn = np.random.default_rng(seed).permutation(len(samples)).tolist()
    strata: dict[tuple[str, ...], list[int]] = {}
    for row in drawn:
        strata.setdefault(classes_in(samples[row]), []).append(row)
    place = {row: k / len(rows) for rows in strata.values() for k, row in enumerate(rows)}
    return sorted(drawn, key=lambda row: place[row])


def _point(share: float, best: Trained, part: Ground, *, name: str, run: TrackedRun, follow: Follow) -> GrowthPoint:
    """One training; whatever keeps so few samples from being learned from is the point's reason."""
    samples = len(part.material.train)
    try:
        with run.nested(name) as nested:
            nested.log_params({"train": best.recipe.values(), "share": share, "samples": samples})
            found = trained(best.recipe, part, on_epoch=lambda epoch: follow(epoch, name, nested))
    except ParamsFault as fault:
        return GrowthPoint(share=share, samples=samples, fault=fault.what)
    epoch = found.fit.best.epoch
    return GrowthPoint(share=share, samples=samples, metric=epoch.val_metric, val_loss=epoch.val_loss)
