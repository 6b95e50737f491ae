"""What a detector answers from a score on: which boxes are of which objects, and how often it takes one for another."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeloop.tasks.detection.overlap import overlaps
from edgeloop.tasks.detection.precision import Curve

Floats = NDArray[np.float32]

RIGHT = 0.5
"""Overlap from which a box is of an object."""


def sure(answer: Floats, threshold: float) -> Floats:
    """The rows of an answer whose score is at least the threshold."""
    return answer[(answer[:, 4] >= threshold) & (answer[:, 5] >= 0)]


def matched(found: Floats, wanted: Floats) -> list[tuple[int, int]]:
    """Places of boxes and objects that belong together whatever their classes, best box first, each at most once."""
    overlap = overlaps(found[:, :4], wanted[:, :4])
    pairs = []
    for box in range(len(found)):
        if overlap.shape[1] and (best := int(overlap[box].argmax())) >= 0 and overlap[box, best] >= RIGHT:
            pairs.append((box, best))
            overlap[:, best] = 0
    return pairs


def pairs_of(answers: Sequence[Floats], truths: Sequence[Floats], *, threshold: float) -> list[tuple[int, int]]:
    """Actual and predicted class of every object and of every box that is of none; -1 stands for no object, no box."""
    pairs = []
    for answer, truth in zip(answers, truths, strict=True):
        found = sure(answer, threshold)
        together = matched(found, truth)
        pairs += [(int(truth[one, 4]), int(found[box, 5])) for box, one in together]
        seen, claimed = {one for _, one in together}, {box for box, _ in together}
        pairs += [(int(truth[one, 4]), -1) for one in range(len(truth)) if one not in seen]
        pairs += [(-1, int(found[box, 5])) for box in range(len(found)) if box not in claimed]
    return pairs


def rates_at(curve: Curve, threshold: float) -> tuple[float | None, float | None, float | None]:
    """Precision, recall and F1 at an overlap of 0.5 of the boxes from a score on; None where one is not defined."""
    found = int((curve.scores >= threshold).sum())
    hits = int(curve.right[0, :found].sum())
    precision = hits / found if found else None
    recall = hits / curve.objects if curve.objects else None
    both = found + curve.objects
    return precision, recall, 2 * hits / both if both else None


def best_threshold(curves: Sequence[Curve]) -> float:
    """The score from which the mean F1 of the classes is highest; of equals the highest."""
    known = [curve for curve in curves if curve.objects]
    grid = np.linspace(0.95, 0.05, 91)
    means = [sum(rates_at(curve, score)[2] or 0.0 for curve in known) for score in grid]
    return float(grid[int(np.argmax(means))])
