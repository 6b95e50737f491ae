"""From boxes and logits of all cells to the few boxes that are an answer.

Of boxes of one class that overlap by more than `SAME`, the best one stays (greedy non-maximum suppression). It runs
outside of the network, so that int8 never sees it.

Legend: `M` cells, `K` classes.
"""

import numpy as np
from numpy.typing import NDArray

from edgeloop.tasks.detection.overlap import overlaps

LEAST_SCORE = 0.001
"""What lies below is no answer; so low, because the measure asks for the whole curve."""

SAME = 0.6
"""Overlap from which two boxes of a class are of one object."""

CANDIDATES = 300
"""Boxes and classes that are looked at, the best first."""

MOST_BOXES = 100
"""Of an answer, as many as COCO's measure looks at."""

NO_CLASS = -1.0


def suppressed(boxes: NDArray[np.floating], logits: NDArray[np.floating]) -> NDArray[np.float32]:
    """The answer for one picture: MOST_BOXES rows of x1, y1, x2, y2, score, class, best first.

    Rows that are left over have score 0 and NO_CLASS. Where a number is not finite, all of the answer is NaN.

    Args:
        boxes: M, 4.
        logits: M, K.
    """
    answer = np.zeros((MOST_BOXES, 6), dtype=np.float32)
    if not (np.isfinite(boxes).all() and np.isfinite(logits).all()):
        answer[:] = np.nan
        return answer
    answer[:, 5] = NO_CLASS
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -60, 60)))
    flat = scores.ravel()
    best = np.argsort(-flat, kind="stable")[:CANDIDATES]
    best = best[flat[best] >= LEAST_SCORE]
    cells, classes = np.divmod(best, scores.shape[1])
    kept = _kept(boxes[cells], classes)[:MOST_BOXES]
    answer[: len(kept), :4] = boxes[cells[kept]]
    answer[: len(kept), 4] = flat[best[kept]]
    answer[: len(kept), 5] = classes[kept]
    return answer


def _kept(boxes: NDArray[np.floating], classes: NDArray[np.int64]) -> list[int]:
    """Places of the boxes that stay; they come best first."""
    same = (overlaps(boxes, boxes) > SAME) & (classes[:, None] == classes[None])
    left = np.ones(len(boxes), dtype=bool)
    kept = []
    for place in range(len(boxes)):
        if left[place]:
            kept.append(place)
            left &= ~same[place]
    return kept
