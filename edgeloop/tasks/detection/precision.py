"""Average precision as COCO measures it (T.-Y. Lin et al., "Microsoft COCO", 2014), for boxes of any size.

A box is right if it overlaps with an object of its class, in its picture, that no better box has claimed. Over all
pictures, boxes in the order of their scores give precision and recall; the average precision is the mean of the
precision at 101 levels of recall, each the best at that recall or above.

Legend: `T` thresholds of overlap, `D` boxes of one class in all pictures, `G` objects of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeloop.precision_recall import precision_at_recalls
from edgeloop.tasks.detection.overlap import overlaps

THRESHOLDS = np.linspace(0.5, 0.95, 10)


@dataclass(frozen=True)
class Curve:
    """One class.

    Args:
        objects: G.
        precision: T, 101: at each level of recall; zeros where that recall is not reached.
        scores: D, descending.
        right: T, D.
    """

    objects: int
    precision: NDArray[np.float64]
    scores: NDArray[np.float64]
    right: NDArray[np.bool_]

    @property
    def average(self) -> NDArray[np.float64]:
        """The average precision at each threshold, T."""
        mean: NDArray[np.float64] = self.precision.mean(axis=1)
        return mean


def curve_of(answers: Sequence[NDArray[np.float32]], truths: Sequence[NDArray[np.float32]], *, label: int) -> Curve:
    """The curve of the class with index `label`.

    Args:
        answers: Of every picture rows of x1, y1, x2, y2, score, class, best first.
        truths: Of every picture rows of x1, y1, x2, y2, class.
        label: Index of the class.
    """
    scores, right, objects = [], [], 0
    for answer, truth in zip(answers, truths, strict=True):
        found, wanted = answer[answer[:, 5] == label], truth[truth[:, 4] == label]
        objects += len(wanted)
        scores.append(found[:, 4].astype(np.float64))
        right.append(_claimed(overlaps(found[:, :4], wanted[:, :4])))
    every, hits = np.concatenate(scores), np.concatenate(right, axis=1)
    order = np.argsort(-every, kind="stable")
    return Curve(objects, precision_at_recalls(hits[:, order], objects), every[order], hits[:, order])


def _claimed(overlap: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which boxes of one picture are right: D, G overlaps to T, D.

    Each box in turn claims the object that it overlaps with most and that is still free; of equals the last.
    """
    right = np.zeros((len(THRESHOLDS), len(overlap)), dtype=bool)
    if not overlap.shape[1]:
        return right
    for row, threshold in enumerate(THRESHOLDS):
        free = np.ones(overlap.shape[1], dtype=bool)
        for box, line in enumerate(overlap):
            open_to = np.where(free, line, -1)
            best = len(line) - 1 - int(np.argmax(open_to[::-1]))
            if open_to[best] >= threshold:
                right[row, box], free[best] = True, False
    return right
