"""Classification: one of K classes for every sample, be it a picture, a window of sensor readings or a row of a table.

Legend: `N` samples, `K` classes. Outputs and answers are logits, N, K; a truth is a class index. A quotient that is
not defined, such as the precision of a class that was never answered, is null in the metrics.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop.confusion import draw_confusion, side_in
from edgeloop.contract import Contract
from edgeloop.data.dataset import Dataset, Sample
from edgeloop.errors import DataFault, ModelFault
from edgeloop.models import ModelCard
from edgeloop.parity import agreement
from edgeloop.pictures import BLUE, GREY, ORANGE, picture
from edgeloop.precision_recall import draw_precision_recall, precision_at_recalls
from edgeloop.tasks import FEW, Floats, Inputs, Outputs, Task, require_both

if TYPE_CHECKING:
    import torch
    from matplotlib.axes import Axes

BINS = 15
"""Equal-width bins of confidence, as many as in Guo et al., "On Calibration of Modern Neural Networks", 2017."""

MOST_CURVES = 60
"""Classes of which curves are kept: more are lines that nobody tells apart."""

TOP = 3
"""Classes named in an answer."""


class ClassificationOptions(Contract):
    """`train.task_options` of this task."""

    class_weights: Literal["equal", "balanced"] = Field(
        default="equal", description="balanced: a rare class weighs as much in the loss as a common one"
    )


class Classification(Task):
    """See the module."""

    metric = "accuracy"
    worst_by = "log-loss of the actual class"
    certain_of = "probability of the class that the model says"
    kinds = ("image", "window", "table")
    asks = "row"
    options = ClassificationOptions

    def truths(self, dataset: Dataset, samples: Sequence[Sample], card: ModelCard) -> list[int]:
        """Class indices.

        Raises:
            DataFault: A sample has no label, or one that is no class.
        """
        return [_class_index(sample, card, where=str(dataset.folder)) for sample in samples]

    def require_learnable(self, train: Sequence[int], val: Sequence[int], *, card: ModelCard, where: str) -> None:
        """Two classes at least, and of each a sample in train.

        Raises:
            DataFault: It is not so.
        """
        if len(card.classes) < 2:
            raise DataFault(f"{len(card.classes)} class, and learning needs two", where=where, fix=FEW)
        require_both(train, val, where=where)
        known = set(train)
        absent = [name for k, name in enumerate(card.classes) if k not in known]
        if absent:
            named = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
            raise DataFault(f"no usable sample in train of class {named}", where=where, fix=FEW)

    def scale(self, truths: Sequence[int], *, parent: Mapping[str, float] | None = None) -> dict[str, float]:  # noqa: ARG002
        """`share_K`, the share of class K among the samples of train."""
        counts = np.bincount(truths)
        return {f"share_{k}": float(count / len(truths)) for k, count in enumerate(counts)}

    def loss(
        self,
        outputs: "Mapping[str, torch.Tensor]",
        inputs: "torch.Tensor",  # noqa: ARG002
        truths: Sequence[int],
        card: ModelCard,
    ) -> "torch.Tensor":
        """Cross-entropy, the mean over the batch, each class weighted by what `class_weights` says."""
        import torch
        from torch.nn.functional import cross_entropy

        weights = None
        if card.task_options.get("class_weights") == "balanced":
            shares = [card.constants[f"share_{k}"] for k in range(len(card.classes))]
            weights = 1 / (len(shares) * torch.tensor(shares))
        return cross_entropy(_logits(outputs), torch.tensor(truths, dtype=torch.int64), weight=weights)

    def answers(self, outputs: Outputs, inputs: Inputs, card: ModelCard) -> Floats:  # noqa: ARG002
        """The logits as they are."""
        logits: Floats = _logits(outputs)
        return logits

    def agreement(self, reference: Floats, candidate: Floats, card: ModelCard) -> float:  # noqa: ARG002
        """Share of samples with the same class; a value that is no number agrees with nothing."""
        return agreement(reference, candidate)

    def pairs(self, answers: Floats, truths: Sequence[int], card: ModelCard) -> list[tuple[str, str]]:
        """Of every sample."""
        predicted = answers.argmax(axis=1)
        return [(card.classes[a], card.classes[p]) for a, p in zip(truths, predicted, strict=True)]

    def metrics(self, answers: Floats, truths: Sequence[int], card: ModelCard) -> dict[str, Any]:
        """Accuracy, macro F1, log-loss, ECE, the table of classes, the confusion matrix, curves and bins of confidence.

        `confusion` has a row for every actual and a column for every predicted class; `curves` for every class the
        precision at `edgeloop.precision_recall.RECALLS`, its samples against all others by its probability, and none
        where there are more than `MOST_CURVES` classes.

        Raises:
            ModelFault: The outputs are not N finite rows of K, or N is 0.
        """
        targets, classes = np.asarray(truths, dtype=np.int64), card.classes
        log_shares = _log_softmax(_checked(answers, classes, samples=len(targets)))
        predicted = log_shares.argmax(axis=1)
        confusion = np.zeros((len(classes), len(classes)), dtype=np.int64)
        np.add.at(confusion, (targets, predicted), 1)
        per_class = _per_class(confusion, classes)
        scores = [row["f1"] for row in per_class if row["support"]]
        bins = _confidence_bins(np.exp(log_shares.max(axis=1)), predicted == targets)
        return {
            "accuracy": float(np.mean(predicted == targets)),
            "macro_f1": float(np.mean(scores)),
            "log_loss": float(-log_shares[np.arange(len(targets)), targets].mean()),
            "ece": _expected_calibration_error(bins),
            "samples": len(targets),
            "per_class": per_class,
            "confusion": confusion.tolist(),
            "bins": bins,
            "curves": _curves(log_shares, targets) if len(classes) <= MOST_CURVES else [],
        }

    def wrongness(self, answers: Floats, truths: Sequence[int], card: ModelCard) -> NDArray[np.float64]:
        """The log-loss of the actual class."""
        log_shares = _log_softmax(_checked(answers, card.classes, samples=len(truths)))
        lost: NDArray[np.float64] = -log_shares[np.arange(len(truths)), np.asarray(truths, dtype=np.int64)]
        return lost

    def certainty(self, answers: Floats, told: Floats, card: ModelCard) -> Floats:
        """The probability of the class that `told` says."""
        shares = np.exp(_log_softmax(_checked(answers, card.classes, samples=len(answers))))
        sure: Floats = shares[:, int(told.argmax())].astype(np.float32)
        return sure

    def told(self, answer: Floats, truth: int, card: ModelCard) -> str:
        """Such as `8, taken for 3 (0.72)`."""
        predicted = int(answer.argmax())
        share = float(self.certainty(answer[None], answer, card)[0])
        said = "right" if predicted == truth else f"taken for {card.classes[predicted]}"
        return f"{card.classes[truth]}, {said} ({share:.2f})"

    def decode(self, answers: Floats, card: ModelCard) -> list[dict[str, Any]]:
        """For every sample the label, its probability, and the `TOP` likeliest labels, likeliest first.

        Raises:
            ModelFault: The outputs are not N finite rows of K.
        """
        shares = np.exp(_log_softmax(_checked(answers, card.classes, samples=len(answers))))
        ranks = np.argsort(-shares, axis=1, kind="stable")[:, :TOP]
        return [
            _answer([{"label": card.classes[k], "probability": float(row[k])} for k in ranking])
            for row, ranking in zip(shares, ranks, strict=True)
        ]

    def draw(self, metrics: dict[str, Any], folder: Path) -> list[Path]:
        """`confusion.png`, `reliability.png` and `precision_recall.png`, from what `metrics` returned."""
        paths = [folder / "confusion.png", folder / "reliability.png", folder / "precision_recall.png"]
        names = [row["class"] for row in metrics["per_class"]]
        title = f"Confusion: {metrics['accuracy']:.2%} of {metrics['samples']} right"
        with picture(paths[0], width_in=side_in(len(names)) + 0.8, height_in=side_in(len(names))) as figure:
            draw_confusion(figure.subplots(), metrics["confusion"], names=names, title=title)
        with picture(paths[1], width_in=5.6, height_in=5.2) as figure:
            upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
            _draw_reliability(upper, metrics)
            _draw_confidence(lower, metrics)
        if not metrics["curves"]:
            return paths[:2]
        with picture(paths[2], width_in=5.6, height_in=4.6) as figure:
            drawn = [(row["class"], curve) for row, curve in zip(metrics["per_class"], metrics["curves"], strict=True)]
            draw_precision_recall(figure.subplots(), drawn, title="Each class against all others")
        return paths


def _class_index(sample: Sample, card: ModelCard, *, where: str) -> int:
    if sample.label not in card.classes:
        raise DataFault(
            f"sample {sample.id} has the label {sample.label!r}, which is none of the classes",
            where=where,
            fix="label it, or leave it out with validate_data.on_fault: quarantine",
        )
    return card.classes.index(sample.label)


def _logits(outputs: Mapping[str, Any]) -> Any:
    """The only output."""
    (logits,) = outputs.values()
    return logits


def _checked(outputs: NDArray[np.float32], classes: tuple[str, ...], *, samples: int) -> NDArray[np.float64]:
    """The outputs in double precision, after their shape and values were found to be usable."""
    if samples == 0:
        raise ModelFault("no sample to judge it by", where="classification", fix="give at least one sample")
    if outputs.shape != (samples, len(classes)):
        raise ModelFault(
            f"outputs have shape {outputs.shape}, not {(samples, len(classes))}",
            where="classification",
            fix="use the classes that the model was trained with",
        )
    broken = int(np.sum(~np.isfinite(outputs).all(axis=1)))
    if broken:
        raise ModelFault(
            f"outputs are not finite for {broken} of {samples} samples",
            where="classification",
            fix="train with a lower train.learning_rate, or convert the model again",
        )
    return outputs.astype(np.float64)


def _log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    normalised: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return normalised


def _curves(log_shares: NDArray[np.float64], targets: NDArray[np.int64]) -> list[list[float]]:
    """The precision of every class at the levels of recall; empty for one without samples."""
    curves = []
    for k in range(log_shares.shape[1]):
        right = targets == k
        order = np.argsort(-log_shares[:, k], kind="stable")
        curves.append(precision_at_recalls(right[order][None], int(right.sum()))[0].tolist() if right.any() else [])
    return curves


def _answer(top: list[dict[str, Any]]) -> dict[str, Any]:
    return {**top[0], "top": top}


def _quotient(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _per_class(confusion: NDArray[np.int64], classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support of every class, in the order of the classes."""
    right, answered, support = (
        array.tolist() for array in (confusion.diagonal(), confusion.sum(axis=0), confusion.sum(axis=1))
    )
    return [
        {
            "class": name,
            "precision": _quotient(right[k], answered[k]),
            "recall": _quotient(right[k], support[k]),
            "f1": _quotient(2 * right[k], answered[k] + support[k]),
            "support": support[k],
        }
        for k, name in enumerate(classes)
    ]


def _confidence_bins(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """`BINS` bins, open below and closed above, as in Guo et al."""
    place = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    bins = []
    for k in range(BINS):
        inside = place == k
        count = int(inside.sum())
        bins.append(
            {
                "lower": k / BINS,
                "upper": (k + 1) / BINS,
                "count": count,
                "confidence": float(confidence[inside].mean()) if count else None,
                "accuracy": float(right[inside].mean()) if count else None,
            }
        )
    return bins


def _expected_calibration_error(bins: list[dict[str, Any]]) -> float:
    """Σ share of the bin · |accuracy − confidence|."""
    filled = [b for b in bins if b["count"]]
    gaps = sum(b["count"] * abs(b["accuracy"] - b["confidence"]) for b in filled)
    return float(gaps / sum(b["count"] for b in filled))


def _draw_reliability(axes: "Axes", metrics: dict[str, Any]) -> None:
    """Accuracy against confidence; a calibrated model follows the diagonal."""
    filled = [b for b in metrics["bins"] if b["count"]]
    middles = [(b["lower"] + b["upper"]) / 2 for b in filled]
    accuracies = [b["accuracy"] for b in filled]
    confidences = [b["confidence"] for b in filled]
    axes.bar(middles, accuracies, width=0.92 / BINS, color=BLUE, label="accuracy of the bin")
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="calibrated")
    axes.plot(confidences, accuracies, "o", color=ORANGE, markersize=5, clip_on=False, label="mean confidence")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="accuracy")
    axes.set_title(f"Reliability: expected calibration error {metrics['ece']:.3f}")
    axes.legend(loc="upper left")


def _draw_confidence(axes: "Axes", metrics: dict[str, Any]) -> None:
    """How many samples each bin holds; on a log scale, because nearly all are in the last."""
    filled = [b for b in metrics["bins"] if b["count"]]
    bars = axes.bar(
        [(b["lower"] + b["upper"]) / 2 for b in filled],
        [b["count"] for b in filled],
        width=0.92 / BINS,
        color=GREY,
    )
    axes.bar_label(bars, fontsize=8, padding=1)
    axes.set(xlabel="confidence", ylabel="samples", yscale="log", ylim=(0.5, 6 * metrics["samples"]))
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", which="both", left=False, labelleft=False)


plugin = Classification()
