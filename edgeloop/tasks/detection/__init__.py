"""Object detection: boxes of K classes in a picture.

`alignment` is the loss, `suppression` makes an answer of what the heads say, `precision` measures as COCO does,
`counting` says what is mistaken for what from a score on.

A truth is rows of x1, y1, x2, y2, class; an answer rows of x1, y1, x2, y2, score, class, best first. Both are in pixels
of the network's input, whatever the size of the picture: resizing moves no overlap.

Legend: `N` pictures, `K` classes.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgeloop import plugins
from edgeloop.confusion import draw_confusion, side_in
from edgeloop.data.dataset import Dataset, Sample, columns_of
from edgeloop.data.feature_table import FEATURES_FILE
from edgeloop.errors import DataFault, ModelFault
from edgeloop.models import Detector, ModelCard
from edgeloop.pictures import picture
from edgeloop.precision_recall import draw_precision_recall
from edgeloop.tasks import FEW, Floats, Inputs, Mark, Options, Outputs, Task, require_both
from edgeloop.tasks.detection.counting import best_threshold, matched, pairs_of, rates_at, sure
from edgeloop.tasks.detection.precision import Curve, curve_of
from edgeloop.tasks.detection.suppression import MOST_BOXES, suppressed

if TYPE_CHECKING:
    import torch

THRESHOLD = "score_threshold"
USUAL_THRESHOLD = 0.25
"""Before training has found a better one."""

BACKGROUND = "background"
LEAST_SHARE = 0.3
"""Of an object's area: less of it in sight is no object any more."""


class Detection(Task):
    """See the module."""

    metric = "map50"
    class_metric = "ap50"
    worst_by = "boxes that are wrong or missed"
    kinds = ("detection",)
    asks = "heads"
    options = Options

    def truths(self, dataset: Dataset, samples: Sequence[Sample], card: ModelCard) -> list[Floats]:
        """Boxes, none where a picture shows no object.

        Raises:
            DataFault: A picture has no list of boxes, or one of no class or without area.
        """
        columns = columns_of(dataset.folder / FEATURES_FILE, ["id", "width", "height"])
        sizes = {i: (w, h) for i, w, h in zip(columns["id"], columns["width"], columns["height"], strict=True)}
        return [boxes_of(sample, sizes[sample.id], card) for sample in samples]

    def require_learnable(self, train: Sequence[Floats], val: Sequence[Floats], *, card: ModelCard, where: str) -> None:
        """Of every class an object in train, and any object in val.

        Raises:
            DataFault: It is not so.
        """
        require_both(train, val, where=where)
        known = {int(label) for truth in train for label in truth[:, 4]}
        absent = [name for k, name in enumerate(card.classes) if k not in known]
        if absent or not known:
            raise DataFault(f"no object in train of class {', '.join(absent) or 'any'}", where=where, fix=FEW)
        if not any(len(truth) for truth in val):
            raise DataFault("no object in val", where=where, fix=FEW)

    def limits(self, answers: Floats, truths: Sequence[Floats], card: ModelCard) -> dict[str, float]:
        """The score from which a box is told, where precision and recall on val are best together."""
        return {THRESHOLD: best_threshold(_curves(answers, truths, card))}

    def moved(self, truth: Floats, *, down: int, right: int, shape: tuple[int, ...]) -> Floats:
        """Boxes are cut at the edges; what is hardly in sight any more is left out."""
        boxes = truth[:, :4] + np.array([right, down, right, down], dtype=np.float32)
        cut = np.clip(boxes, 0, np.array([shape[2], shape[1]] * 2, dtype=np.float32))
        kept = _area(cut) >= LEAST_SHARE * _area(boxes)
        return np.concatenate([cut, truth[:, 4:]], axis=1)[kept]

    def places(self, truth: Floats) -> Floats:
        """The boxes."""
        return truth[:, :4]

    def mirrored(self, truth: Floats, *, shape: tuple[int, ...]) -> Floats:
        """Boxes of the picture that was turned left to right; `shape` is C, H, W."""
        turned = truth.copy()
        turned[:, [0, 2]] = shape[2] - truth[:, [2, 0]]
        return turned

    def loss(
        self,
        outputs: "Mapping[str, torch.Tensor]",
        inputs: "torch.Tensor",  # noqa: ARG002
        truths: Sequence[Floats],
        card: ModelCard,
    ) -> "torch.Tensor":
        """See `alignment`."""
        import torch

        from edgeloop.tasks.detection.alignment import alignment_loss, centres_of, objects_of

        detector, heads = _detector(card), list(outputs.values())
        boxes, logits = detector.decode(heads, torch)
        centres = centres_of(heads, detector.strides)
        return alignment_loss(boxes, logits, centres, objects_of(truths), finest=min(detector.strides))

    def answers(self, outputs: Outputs, inputs: Inputs, card: ModelCard) -> Floats:  # noqa: ARG002
        """N, MOST_BOXES, 6; cut at the edges of the picture."""
        boxes, logits = _detector(card).decode(list(outputs.values()), np)
        height, width = _size(card)
        boxes = np.clip(boxes, 0, np.array([width, height] * 2, dtype=np.float32))
        return np.stack([suppressed(*one) for one in zip(boxes, logits, strict=True)])

    def metrics(self, answers: Floats, truths: Sequence[Floats], card: ModelCard) -> dict[str, Any]:
        """mAP, the table of classes, the confusion matrix and the curves.

        Precision, recall and F1 are those at the threshold on the card. `confusion` has a row and a column more than
        there are classes: objects that were not found, and boxes of nothing.

        Raises:
            ModelFault: There is no picture, or an answer is not finite.
        """
        _require_usable(answers, samples=len(truths))
        threshold = card.constants.get(THRESHOLD, USUAL_THRESHOLD)
        curves = _curves(answers, truths, card)
        showing = [sum(bool((truth[:, 4] == k).any()) for truth in truths) for k in range(len(card.classes))]
        named = zip(card.classes, curves, showing, strict=True)
        rows = [{**_row(name, curve, threshold), "pictures": shown} for name, curve, shown in named]
        known = [row for row in rows if row["support"]]
        confusion = np.zeros((len(rows) + 1,) * 2, dtype=np.int64)
        for actual, predicted in pairs_of(list(answers), truths, threshold=threshold):
            confusion[actual, predicted] += 1
        return {
            "map50": _mean(known, "ap50"),
            "map50_95": _mean(known, "ap50_95"),
            "precision": _mean(known, "precision"),
            "recall": _mean(known, "recall"),
            "samples": len(truths),
            "objects": sum(len(truth) for truth in truths),
            "threshold": threshold,
            "per_class": rows,
            "confusion_classes": [*card.classes, BACKGROUND],
            "confusion": confusion.tolist(),
            "curves": [curve.precision[0].tolist() if curve.objects else [] for curve in curves],
        }

    def agreement(self, reference: Floats, candidate: Floats, card: ModelCard) -> float:
        """Boxes of the same class and place over all boxes, of those that are told: 2 · both / (one + other)."""
        threshold = card.constants.get(THRESHOLD, USUAL_THRESHOLD)
        same = told = 0
        for one, other in zip(reference, candidate, strict=True):
            first, second = sure(one, threshold), sure(other, threshold)
            told += len(first) + len(second)
            same += sum(first[a, 5] == second[b, 5] for a, b in matched(first, second))
        return 2 * int(same) / told if told else 1.0

    def pairs(self, answers: Floats, truths: Sequence[Floats], card: ModelCard) -> list[tuple[str, str]]:
        """Of every object, and every box of nothing."""
        names = (*card.classes, BACKGROUND)
        threshold = card.constants.get(THRESHOLD, USUAL_THRESHOLD)
        return [(names[a], names[p]) for a, p in pairs_of(list(answers), truths, threshold=threshold)]

    def decode(self, answers: Floats, card: ModelCard) -> list[dict[str, Any]]:
        """For every picture what is found in words, and its boxes, surest first.

        Sides are shares of the picture's width and height.

        Raises:
            ModelFault: An answer is not finite.
        """
        _require_usable(answers, samples=len(answers))
        threshold = card.constants.get(THRESHOLD, USUAL_THRESHOLD)
        told = [[_told(row, card) for row in sure(answer, threshold)] for answer in answers]
        return [{"found": _in_words([box["label"] for box in boxes]), "boxes": boxes} for boxes in told]

    def wrongness(self, answers: Floats, truths: Sequence[Floats], card: ModelCard) -> NDArray[np.float64]:
        """Boxes of nothing or of another class, and objects that were not found."""
        threshold = card.constants.get(THRESHOLD, USUAL_THRESHOLD)
        pairs = [
            pairs_of([answer], [truth], threshold=threshold) for answer, truth in zip(answers, truths, strict=True)
        ]
        return np.array([sum(a != p for a, p in of_one) for of_one in pairs], dtype=np.float64)

    def told(self, answer: Floats, truth: Floats, card: ModelCard) -> str:
        """Such as `2 of 3 objects right, 1 box wrong`."""
        kinds = Counter(mark.kind for mark in self.marks(answer, truth, card))
        wrong = f", {kinds['wrong']} {'box' if kinds['wrong'] == 1 else 'boxes'} wrong" if kinds["wrong"] else ""
        return f"{kinds['right']} of {len(truth)} {'object' if len(truth) == 1 else 'objects'} right{wrong}"

    def marks(self, answer: Floats, truth: Floats, card: ModelCard) -> tuple[Mark, ...]:
        """Boxes that are told, with their scores; objects, those that were not found and those that were."""
        found = sure(answer, card.constants.get(THRESHOLD, USUAL_THRESHOLD))
        owners = dict(matched(found, truth))
        marks = []
        for place, box in enumerate(found):
            actual = truth[owners[place], 4] if place in owners else None
            text = f"{card.classes[int(box[5])]} {box[4]:.2f}"
            if actual is not None and actual != box[5]:
                text += f", is {card.classes[int(actual)]}"
            marks.append(_mark("right" if actual == box[5] else "wrong", text, box, card))
        seen = set(owners.values())
        for place, one in enumerate(truth):
            marks.append(_mark("true" if place in seen else "missed", card.classes[int(one[4])], one, card))
        return tuple(marks)

    def draw(self, metrics: dict[str, Any], folder: Path) -> list[Path]:
        """`confusion.png` and `precision_recall.png` in `folder`."""
        paths = [folder / "confusion.png", folder / "precision_recall.png"]
        names = metrics["confusion_classes"]
        title = f"Objects from a score of {metrics['threshold']:.2f} on"
        with picture(paths[0], width_in=side_in(len(names)) + 0.8, height_in=side_in(len(names))) as figure:
            draw_confusion(figure.subplots(), metrics["confusion"], names=names, title=title)
        with picture(paths[1], width_in=5.6, height_in=4.6) as figure:
            drawn = [(row["class"], curve) for row, curve in zip(metrics["per_class"], metrics["curves"], strict=True)]
            title = f"mAP@0.5 {metrics['map50']:.3f} on {metrics['samples']} pictures"
            draw_precision_recall(figure.subplots(), drawn, title=title)
        return paths


def boxes_of(sample: Sample, size: tuple[int, int], card: ModelCard) -> Floats:
    """The truth of a picture of that width and height.

    Raises:
        DataFault: It has no list of boxes, or one of no class or without area.
    """
    if sample.boxes is None:
        raise _unusable(sample, "has no list of boxes")
    height, width = _size(card)
    across, down = width / size[0], height / size[1]
    rows = []
    for label, left, top, wide, high in json.loads(sample.boxes):
        if label not in card.classes:
            raise _unusable(sample, f"shows {label!r}, which is none of the classes")
        if wide <= 0 or high <= 0:
            raise _unusable(sample, "has a box without area")
        corners = (left * across, top * down, (left + wide) * across, (top + high) * down)
        rows.append((*corners, card.classes.index(label)))
    return np.array(rows, dtype=np.float32).reshape(-1, 5)


def _size(card: ModelCard) -> tuple[int, int]:
    """Height and width of the network's input."""
    height, width = tuple(card.preprocessing.shape)[1:]
    return height, width


def _unusable(sample: Sample, what: str) -> DataFault:
    return DataFault(
        f"picture {sample.id} {what}",
        where=sample.uri,
        fix="mark it, or leave it out with validate_data.on_fault: quarantine",
    )


def _detector(card: ModelCard) -> Detector:
    detector: Detector = plugins.load("models", card.architecture)
    return detector


def _curves(answers: Floats, truths: Sequence[Floats], card: ModelCard) -> list[Curve]:
    return [curve_of(list(answers), truths, label=k) for k in range(len(card.classes))]


def _row(name: str, curve: Curve, threshold: float) -> dict[str, Any]:
    precision, recall, f1 = rates_at(curve, threshold)
    there = curve.objects > 0
    return {
        "class": name,
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "support": curve.objects,
        "ap50": float(curve.average[0]) if there else None,
        "ap50_95": float(curve.average.mean()) if there else None,
    }


def _mean(rows: Sequence[dict[str, Any]], name: str) -> float:
    """Over the classes that have objects; what is not defined counts as 0."""
    return float(np.mean([row[name] or 0.0 for row in rows])) if rows else 0.0


def _require_usable(answers: Floats, *, samples: int) -> None:
    if not samples:
        raise ModelFault("no picture to judge it by", where="detection", fix="give at least one picture")
    if answers.shape != (samples, MOST_BOXES, 6):
        raise ModelFault(f"answers have shape {answers.shape}", where="detection", fix="convert the model again")
    broken = int(np.sum(~np.isfinite(answers).all(axis=(1, 2))))
    if broken:
        raise ModelFault(
            f"outputs are not finite for {broken} of {samples} pictures",
            where="detection",
            fix="train with a lower train.learning_rate, or convert the model again",
        )


def _told(row: Floats, card: ModelCard) -> dict[str, Any]:
    return {"label": card.classes[int(row[5])], "score": float(row[4]), **_shares(row, card)}


def _in_words(labels: Sequence[str]) -> str:
    """Such as `2 stop, 1 yield`."""
    return ", ".join(f"{count} {label}" for label, count in sorted(Counter(labels).items())) or "nothing"


def _mark(kind: Literal["true", "right", "wrong", "missed"], text: str, row: Floats, card: ModelCard) -> Mark:
    return Mark(kind=kind, text=text, **_shares(row, card))


def _shares(row: Floats, card: ModelCard) -> dict[str, float]:
    """The box that a row begins with, in shares of the picture."""
    height, width = _size(card)
    left, top, right, bottom = (float(value) for value in row[:4])
    return {
        "left": left / width,
        "top": top / height,
        "width": (right - left) / width,
        "height": (bottom - top) / height,
    }


def _area(boxes: Floats) -> Floats:
    sides: Floats = np.maximum(boxes[:, 2:4] - boxes[:, :2], 0)
    area: Floats = sides.prod(axis=1)
    return area


plugin = Detection()
