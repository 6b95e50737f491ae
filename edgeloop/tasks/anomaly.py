"""Anomaly detection: what an autoencoder that has seen normal samples only rebuilds badly is no normal sample.

An answer is the score of a sample, the mean square of what the network rebuilds wrongly of its normalised input. A
truth says whether the sample is anomalous: its label is another one than `normal`. Train is learned from without its
anomalies; val and test are judged with them.

Legend: `N` samples.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop.confusion import draw_confusion, side_in
from edgeloop.contract import Contract
from edgeloop.data.dataset import Dataset, Sample
from edgeloop.errors import DataFault, ModelFault
from edgeloop.models import ModelCard
from edgeloop.pictures import BLUE, GREY, ORANGE, picture
from edgeloop.tasks import FEW, Floats, Inputs, Outputs, Task, require_both

if TYPE_CHECKING:
    import torch
    from matplotlib.axes import Axes

NAMES = ("normal", "anomalous")
THRESHOLD = "score_threshold"
FALSE_POSITIVES = 0.1
"""Share of normal samples up to which the partial area is taken, as in the DCASE challenges on machine sounds."""

CURVE_POINTS = 101
BINS = 30


class AnomalyOptions(Contract):
    """`train.task_options` of this task."""

    normal: str = Field(default="healthy", min_length=1, description="the label of normal samples")
    false_alarms: float = Field(
        default=0.05, gt=0, lt=1, description="share of the normal samples of val that lie above the threshold"
    )


class Anomaly(Task):
    """See the module."""

    metric = "auc"
    worst_by = "how far the score lies on the wrong side of the threshold, as a logarithm of their ratio"
    certain_of = "score"
    kinds = ("window", "image", "table")
    asks = "input"
    options = AnomalyOptions

    def names(self, classes: tuple[str, ...], options: Mapping[str, Any]) -> tuple[str, ...]:  # noqa: ARG002
        """Normal and anomalous, whatever the classes are."""
        return NAMES

    def truths(self, dataset: Dataset, samples: Sequence[Sample], card: ModelCard) -> list[bool]:
        """Whether each sample is anomalous.

        Raises:
            DataFault: A sample has no label, or no class is the normal one.
        """
        normal = card.task_options["normal"]
        where = str(dataset.folder)
        if normal not in dataset.card.classes:
            known = ", ".join(dataset.card.classes)
            raise DataFault(
                f"no class is {normal!r}", where=where, fix=f"set train.task_options.normal to one of: {known}"
            )
        for sample in samples:
            if not sample.label:
                raise DataFault(
                    f"sample {sample.id} has no label", where=where, fix="label it, or let validate_data take it out"
                )
        return [sample.label != normal for sample in samples]

    def learns_from(self, truth: bool) -> bool:
        """Normal samples only."""
        return not truth

    def require_learnable(self, train: Sequence[bool], val: Sequence[bool], *, card: ModelCard, where: str) -> None:  # noqa: ARG002
        """Normal samples in train, and both in val.

        Raises:
            DataFault: It is not so.
        """
        require_both(train, val, where=where)
        if len(set(val)) < 2:
            raise DataFault("val needs normal and anomalous samples", where=where, fix=FEW)

    def limits(self, answers: Floats, truths: Sequence[bool], card: ModelCard) -> dict[str, float]:
        """The score above which a sample is told to be anomalous: the share of false alarms on val decides."""
        normal = answers[~np.asarray(truths, dtype=bool)]
        share = 1 - float(card.task_options.get("false_alarms", 0.05))
        return {THRESHOLD: float(np.quantile(normal.astype(np.float64), share))}

    def loss(
        self,
        outputs: "Mapping[str, torch.Tensor]",
        inputs: "torch.Tensor",
        truths: Sequence[bool],
        card: ModelCard,  # noqa: ARG002
    ) -> "torch.Tensor":
        """The mean score of the normal samples; 0 of none."""
        import torch

        (rebuilt,) = outputs.values()
        scores = (rebuilt - inputs).square().flatten(1).mean(dim=1)
        normal = torch.tensor([not truth for truth in truths])
        return (scores * normal).sum() / max(1, int(normal.sum()))

    def answers(self, outputs: Outputs, inputs: Inputs, card: ModelCard) -> Floats:  # noqa: ARG002
        """The scores, N."""
        (rebuilt,) = outputs.values()
        wrong = (rebuilt.astype(np.float64) - inputs()).reshape(len(rebuilt), -1)
        scores: Floats = np.square(wrong).mean(axis=1).astype(np.float32)
        return scores

    def metrics(self, answers: Floats, truths: Sequence[bool], card: ModelCard) -> dict[str, Any]:
        """The area under the curve of true against false positives, its beginning, and the counts at the threshold.

        `pauc` is the area up to `FALSE_POSITIVES`, scaled so that 0.5 is chance and 1 is perfect (McClish, "Analyzing a
        Portion of the ROC Curve", 1989).

        Raises:
            ModelFault: There is no sample, or a score is not finite.
            DataFault: All samples are normal, or all anomalous.
        """
        anomalous = _checked(answers, truths)
        false, true = _curve(answers, anomalous)
        threshold = card.constants.get(THRESHOLD)
        if threshold is None:
            threshold = self.limits(answers, truths, card)[THRESHOLD]
        told = answers > threshold
        confusion = [[int(np.sum((anomalous == a) & (told == t))) for t in (False, True)] for a in (False, True)]
        levels = np.linspace(0, 1, CURVE_POINTS)
        return {
            "auc": _area(false, true, until=1.0),
            "pauc": _scaled(_area(false, true, until=FALSE_POSITIVES)),
            "accuracy": float(np.mean(told == anomalous)),
            "false_alarms": confusion[0][1] / sum(confusion[0]),
            "found": confusion[1][1] / sum(confusion[1]),
            "samples": len(truths),
            "threshold": float(threshold),
            "per_class": [_row(k, confusion) for k in range(2)],
            "confusion": confusion,
            "curve": [[float(level), float(np.interp(level, false, true))] for level in levels],
            "scores": _counted(answers, anomalous),
        }

    def agreement(self, reference: Floats, candidate: Floats, card: ModelCard) -> float:
        """Share of samples that lie on the same side of the threshold."""
        threshold = card.constants.get(THRESHOLD, float(np.median(reference)) if len(reference) else 0.0)
        return float(np.mean((reference > threshold) == (candidate > threshold))) if len(reference) else 1.0

    def pairs(self, answers: Floats, truths: Sequence[bool], card: ModelCard) -> list[tuple[str, str]]:
        """Of every sample."""
        threshold = card.constants.get(THRESHOLD)
        if threshold is None:
            threshold = self.limits(answers, truths, card)[THRESHOLD]
        return [(NAMES[truth], NAMES[bool(score > threshold)]) for truth, score in zip(truths, answers, strict=True)]

    def decode(self, answers: Floats, card: ModelCard) -> list[dict[str, Any]]:
        """Label, score and the threshold; without one on the card no label.

        Raises:
            ModelFault: A score is not finite.
        """
        _require_finite(answers)
        threshold = card.constants.get(THRESHOLD)
        label = [None if threshold is None else NAMES[bool(score > threshold)] for score in answers]
        return [
            {"label": name, "score": float(score), "threshold": threshold}
            for name, score in zip(label, answers, strict=True)
        ]

    def wrongness(self, answers: Floats, truths: Sequence[bool], card: ModelCard) -> NDArray[np.float64]:
        """The logarithm of score over threshold of a normal sample, of threshold over score of an anomalous one."""
        _require_finite(answers)
        threshold = card.constants.get(THRESHOLD) or self.limits(answers, truths, card)[THRESHOLD]
        above = np.log(np.maximum(answers.astype(np.float64), 1e-12) / max(threshold, 1e-12))
        return np.where(np.asarray(truths, dtype=bool), -above, above)

    def certainty(self, answers: Floats, told: Floats, card: ModelCard) -> Floats:  # noqa: ARG002
        """The scores as they are."""
        return answers

    def told(self, answer: Floats, truth: bool, card: ModelCard) -> str:
        """Such as `anomalous, score 0.41 (threshold 0.52)`."""
        threshold = card.constants.get(THRESHOLD)
        beside = "" if threshold is None else f" (threshold {threshold:.3g})"
        return f"{NAMES[truth]}, score {float(answer):.3g}{beside}"

    def draw(self, metrics: dict[str, Any], folder: Path) -> list[Path]:
        """`confusion.png`, `roc.png` and `scores.png` in `folder`."""
        paths = [folder / name for name in ("confusion.png", "roc.png", "scores.png")]
        title = f"{metrics['accuracy']:.2%} of {metrics['samples']} right"
        with picture(paths[0], width_in=side_in(2) + 0.8, height_in=side_in(2)) as figure:
            draw_confusion(figure.subplots(), metrics["confusion"], names=NAMES, title=title)
        with picture(paths[1], width_in=5.2, height_in=4.6) as figure:
            _draw_curve(figure.subplots(), metrics)
        with picture(paths[2], width_in=6.4, height_in=3.6) as figure:
            _draw_scores(figure.subplots(), metrics)
        return paths


def _require_finite(answers: Floats) -> None:
    broken = int(np.sum(~np.isfinite(answers)))
    if broken:
        raise ModelFault(
            f"outputs are not finite for {broken} of {len(answers)} samples",
            where="anomaly",
            fix="train with a lower train.learning_rate, or convert the model again",
        )


def _checked(answers: Floats, truths: Sequence[bool]) -> NDArray[np.bool_]:
    if not len(truths):
        raise ModelFault("no sample to judge it by", where="anomaly", fix="give at least one sample")
    if answers.shape != (len(truths),):
        raise ModelFault(f"answers have shape {answers.shape}", where="anomaly", fix="convert the model again")
    _require_finite(answers)
    anomalous = np.asarray(truths, dtype=bool)
    if anomalous.all() or not anomalous.any():
        raise DataFault("needs normal and anomalous samples", where="anomaly", fix=FEW)
    return anomalous


def _curve(scores: Floats, anomalous: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of normal and anomalous samples at or above every score, from none to all; equal scores are one step."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    true = np.concatenate([[0], np.cumsum(anomalous[order])[ends]]) / anomalous.sum()
    false = np.concatenate([[0], np.cumsum(~anomalous[order])[ends]]) / (~anomalous).sum()
    return false, true


def _area(false: NDArray[np.float64], true: NDArray[np.float64], *, until: float) -> float:
    """Below the curve, up to a share of false positives."""
    stop = int(np.searchsorted(false, until, side="right"))
    x = np.append(false[:stop], until)
    y = np.append(true[:stop], np.interp(until, false, true) if stop < len(false) else true[-1])
    return float(np.trapezoid(y, x))


def _scaled(area: float) -> float:
    chance, best = FALSE_POSITIVES**2 / 2, FALSE_POSITIVES
    return 0.5 * (1 + (area - chance) / (best - chance))


def _row(k: int, confusion: list[list[int]]) -> dict[str, Any]:
    right, told, support = confusion[k][k], confusion[0][k] + confusion[1][k], sum(confusion[k])
    return {
        "class": NAMES[k],
        "precision": right / told if told else None,
        "recall": right / support,
        "f1": 2 * right / (told + support),
        "support": support,
    }


def _counted(scores: Floats, anomalous: NDArray[np.bool_]) -> dict[str, Any]:
    """How many samples of each kind lie in bins of equal ratio."""
    wide = np.maximum(scores.astype(np.float64), 1e-12)
    edges = np.geomspace(wide.min() * 0.999, wide.max() * 1.001, BINS + 1)
    counts = {name: np.histogram(wide[anomalous == k], edges)[0].tolist() for k, name in enumerate(NAMES)}
    return {"edges": edges.tolist(), **counts}


def _draw_curve(axes: "Axes", metrics: dict[str, Any]) -> None:
    false, true = zip(*metrics["curve"], strict=True)
    axes.plot(false, true, color=BLUE, label=f"AUC {metrics['auc']:.3f}")
    axes.axvspan(0, FALSE_POSITIVES, color=GREY, alpha=0.2, label=f"pAUC {metrics['pauc']:.3f}")
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="chance")
    axes.plot([metrics["false_alarms"]], [metrics["found"]], "o", color=ORANGE, label="threshold")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="normal samples told to be anomalous", ylabel="anomalies found")
    axes.set_title("True against false positives")
    axes.legend(loc="lower right")


def _draw_scores(axes: "Axes", metrics: dict[str, Any]) -> None:
    edges = metrics["scores"]["edges"]
    for name, colour in zip(NAMES, (BLUE, ORANGE), strict=True):
        axes.stairs(metrics["scores"][name], edges, fill=True, alpha=0.55, color=colour, label=name)
    axes.axvline(metrics["threshold"], color=GREY, linestyle="--", label="threshold")
    axes.set(xscale="log", xlabel="score", ylabel="samples", title="What is rebuilt wrongly")
    axes.legend()


plugin = Anomaly()
