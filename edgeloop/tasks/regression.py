"""Regression: a number, and the interval that it lies in with a stated share of certainty.

The network gives three quantiles, learned by the pinball loss (Koenker and Bassett, "Regression Quantiles", 1978): the
lower and the upper end of the interval and the median, which is the answer. They are learned in standard deviations of
train, and are of the target's unit from the answers on.

A truth is the number in the metadata under `target`. Legend: `N` samples.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.data.dataset import Dataset, Sample
from edgeloop.errors import DataFault, ModelFault
from edgeloop.models import ModelCard
from edgeloop.pictures import BLUE, GREY, picture
from edgeloop.tasks import FEW, Floats, Inputs, Outputs, Task, require_both

if TYPE_CHECKING:
    import torch
    from matplotlib.axes import Axes

TARGET = "target"
WIDENING = "widening"
MOST_POINTS = 500
"""Samples that are drawn."""

SAME = 0.05
"""Standard deviations of the target within which two answers are the same for people."""


class RegressionOptions(Contract):
    """`train.task_options` of this task."""

    coverage: float = Field(default=0.9, gt=0, lt=1, description="share of the targets that are to lie in the interval")


class Regression(Task):
    """See the module."""

    metric = "skill"
    worst_by = "absolute error"
    certain_of = "answer"
    kinds = ("table", "window", "image")
    asks = "row"
    options = RegressionOptions

    def names(self, classes: tuple[str, ...], options: Mapping[str, Any]) -> tuple[str, ...]:  # noqa: ARG002
        """The quantiles: `q0.05`, `q0.5` and `q0.95` for a coverage of 0.9."""
        beyond = (1 - float(options.get("coverage", RegressionOptions().coverage))) / 2
        return tuple(f"q{level:.6g}" for level in (beyond, 0.5, 1 - beyond))

    def truths(self, dataset: Dataset, samples: Sequence[Sample], card: ModelCard) -> list[float]:  # noqa: ARG002
        """The targets.

        Raises:
            DataFault: A sample has none, or one that is no finite number.
        """
        return [_target(sample, where=str(dataset.folder)) for sample in samples]

    def require_learnable(self, train: Sequence[float], val: Sequence[float], *, card: ModelCard, where: str) -> None:  # noqa: ARG002
        """Two different targets in train.

        Raises:
            DataFault: It is not so.
        """
        require_both(train, val, where=where)
        if len(set(train)) < 2:
            raise DataFault("all targets of train are the same", where=where, fix=FEW)

    def scale(self, truths: Sequence[float], *, parent: Mapping[str, float] | None = None) -> dict[str, float]:
        """Mean, standard deviation and median of the targets of train; the first two are a parent's."""
        targets = np.asarray(truths, dtype=np.float64)
        own = {"mean": float(targets.mean()), "std": float(targets.std()) or 1.0}
        kept = {name: (parent or own)[name] for name in own}
        return {**kept, "median": float(np.median(targets))}

    def limits(self, answers: Floats, truths: Sequence[float], card: ModelCard) -> dict[str, float]:
        """How far the interval has to be widened on val to hold the stated share of targets; less than 0 narrows it.

        Split conformal prediction (Romano et al., "Conformalized Quantile Regression", 2019).
        """
        targets = np.asarray(truths, dtype=np.float64)
        outside = np.sort(np.maximum(answers[:, 0] - targets, targets - answers[:, 2]))
        rank = math.ceil((len(outside) + 1) * _coverage(card)) - 1
        return {WIDENING: float(outside[min(rank, len(outside) - 1)]) + card.constants.get(WIDENING, 0.0)}

    def loss(
        self,
        outputs: "Mapping[str, torch.Tensor]",
        inputs: "torch.Tensor",  # noqa: ARG002
        truths: Sequence[float],
        card: ModelCard,
    ) -> "torch.Tensor":
        """The pinball loss, the mean over samples and quantiles, in standard deviations of train."""
        import torch

        (quantiles,) = outputs.values()
        targets = (np.asarray(truths, dtype=np.float64) - card.constants["mean"]) / card.constants["std"]
        wanted = torch.from_numpy(targets).to(quantiles.dtype)[:, None]
        short = wanted - quantiles
        levels = torch.tensor(_levels(card), dtype=quantiles.dtype)
        return torch.maximum(levels * short, (levels - 1) * short).mean()

    def answers(self, outputs: Outputs, inputs: Inputs, card: ModelCard) -> Floats:  # noqa: ARG002
        """N, 3: lower end, median, upper end, in the target's unit; in order, for learned quantiles may cross."""
        (quantiles,) = outputs.values()
        plain = np.sort(quantiles.astype(np.float64) * card.constants["std"] + card.constants["mean"], axis=1)
        widening = card.constants.get(WIDENING, 0.0)
        lower = np.minimum(plain[:, 0] - widening, plain[:, 1])
        upper = np.maximum(plain[:, 2] + widening, plain[:, 1])
        return np.column_stack([lower, plain[:, 1], upper]).astype(np.float32)

    def metrics(self, answers: Floats, truths: Sequence[float], card: ModelCard) -> dict[str, Any]:
        """MAE and RMSE in the target's unit; `skill`, the share of the MAE of always answering train's median that is
        saved; the pinball loss; how many targets lie in the interval, and how wide it is.

        Raises:
            ModelFault: There is no sample, or the answers are not N, 3 finite numbers.
        """
        targets = _checked(answers, truths)
        lower, median, upper = answers.astype(np.float64).T
        mae, known = float(np.abs(median - targets).mean()), float(np.abs(card.constants["median"] - targets).mean())
        short = targets[:, None] - answers
        levels = np.array(_levels(card))
        chosen = np.linspace(0, len(targets) - 1, min(MOST_POINTS, len(targets))).astype(np.int64)
        return {
            "skill": 1 - mae / known if known else float(mae == 0),
            "mae": mae,
            "rmse": float(np.sqrt(np.square(median - targets).mean())),
            "pinball": float(np.maximum(levels * short, (levels - 1) * short).mean()),
            "coverage": float(np.mean((lower <= targets) & (targets <= upper))),
            "wanted_coverage": _coverage(card),
            "width": float((upper - lower).mean()),
            "samples": len(targets),
            "points": [[float(targets[k]), *map(float, answers[k])] for k in chosen],
        }

    def agreement(self, reference: Floats, candidate: Floats, card: ModelCard) -> float:
        """Share of medians that differ by at most `SAME` standard deviations of train."""
        if not len(reference):
            return 1.0
        apart = np.abs(reference[:, 1].astype(np.float64) - candidate[:, 1])
        return float(np.mean(apart <= SAME * card.constants["std"]))

    def pairs(self, answers: Floats, truths: Sequence[float], card: ModelCard) -> list[tuple[str, str]]:  # noqa: ARG002
        """None: there are no classes."""
        return []

    def decode(self, answers: Floats, card: ModelCard) -> list[dict[str, Any]]:
        """The value, its interval, and the share of targets that are to lie in it.

        Raises:
            ModelFault: An answer is not finite.
        """
        _checked(answers, [0.0] * len(answers))
        coverage = _coverage(card)
        return [
            {"value": float(value), "lower": float(lower), "upper": float(upper), "coverage": coverage}
            for lower, value, upper in answers
        ]

    def wrongness(self, answers: Floats, truths: Sequence[float], card: ModelCard) -> NDArray[np.float64]:  # noqa: ARG002
        """The absolute errors of the medians, in the target's unit."""
        return np.abs(answers[:, 1].astype(np.float64) - _checked(answers, truths))

    def certainty(self, answers: Floats, told: Floats, card: ModelCard) -> Floats:  # noqa: ARG002
        """The medians."""
        return answers[:, 1]

    def told(self, answer: Floats, truth: float, card: ModelCard) -> str:  # noqa: ARG002
        """Such as `3.2, answered 4.1 (3.6 to 4.9)`."""
        lower, median, upper = (float(value) for value in answer)
        return f"{truth:.4g}, answered {median:.4g} ({lower:.4g} to {upper:.4g})"

    def draw(self, metrics: dict[str, Any], folder: Path) -> list[Path]:
        """`regression.png` in `folder`."""
        path = folder / "regression.png"
        with picture(path, width_in=5.6, height_in=5.2) as figure:
            _draw_points(figure.subplots(), metrics)
        return [path]


def _levels(card: ModelCard) -> tuple[float, ...]:
    """Of the quantiles, ascending."""
    return tuple(float(name.removeprefix("q")) for name in card.classes)


def _coverage(card: ModelCard) -> float:
    """The share of targets that are to lie in the interval."""
    return 1 - 2 * _levels(card)[0]


def _target(sample: Sample, *, where: str) -> float:
    text = json.loads(sample.metadata or "{}").get(TARGET)
    try:
        target = float(text)
    except (TypeError, ValueError):
        target = math.nan
    if not math.isfinite(target):
        raise DataFault(
            f"sample {sample.id} has the target {text!r}, which is no number",
            where=where,
            fix="name the column in prepare_data.options.target, or let validate_data take the sample out",
        )
    return target


def _checked(answers: Floats, truths: Sequence[float]) -> NDArray[np.float64]:
    if not len(truths):
        raise ModelFault("no sample to judge it by", where="regression", fix="give at least one sample")
    if answers.shape != (len(truths), 3):
        raise ModelFault(f"answers have shape {answers.shape}", where="regression", fix="convert the model again")
    broken = int(np.sum(~np.isfinite(answers).all(axis=1)))
    if broken:
        raise ModelFault(
            f"outputs are not finite for {broken} of {len(truths)} samples",
            where="regression",
            fix="train with a lower train.learning_rate, or convert the model again",
        )
    return np.asarray(truths, dtype=np.float64)


def _draw_points(axes: "Axes", metrics: dict[str, Any]) -> None:
    """Answers against targets; a bar is the interval."""
    targets, lower, median, upper = np.array(metrics["points"]).T
    axes.vlines(targets, lower, upper, color=GREY, alpha=0.5, linewidth=1, label="interval")
    axes.plot(targets, median, "o", color=BLUE, markersize=3, label="answer")
    ends = [min(targets.min(), lower.min()), max(targets.max(), upper.max())]
    axes.plot(ends, ends, color=GREY, linestyle="--", label="right")
    axes.set(xlabel="target", ylabel="answer")
    axes.set_title(
        f"MAE {metrics['mae']:.4g}; {metrics['coverage']:.1%} in an interval for {metrics['wanted_coverage']:.0%}"
    )
    axes.legend()


plugin = Regression()
