"""Precision against recall at 101 levels, as COCO takes it (T.-Y. Lin et al., "Microsoft COCO", 2014), and its PNG."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeloop.confusion import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RECALLS = np.linspace(0, 1, 101)


def precision_at_recalls(right: NDArray[np.bool_], wanted: int) -> NDArray[np.float64]:
    """The best precision at each level of recall or above; zeros where that recall is not reached.

    Args:
        right: Shape T, D: whether each of D answers is right, surest first, in T ways to judge.
        wanted: How many there are to find.

    Returns:
        Shape T, 101; its mean over the levels is the average precision.
    """
    found = np.zeros((len(right), len(RECALLS)))
    if not wanted or not right.shape[1]:
        return found
    hits = right.cumsum(axis=1)
    precision = hits / np.arange(1, right.shape[1] + 1)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    for row, recall in enumerate(hits / wanted):
        places = np.searchsorted(recall, RECALLS, side="left")
        reached = places < len(recall)
        found[row, reached] = best[row, places[reached]]
    return found


def draw_precision_recall(axes: "Axes", curves: Sequence[tuple[str, Sequence[float]]], *, title: str) -> None:
    """A line a class with its average precision; classes of which there is nothing to find have no values."""
    for name, curve in curves:
        if curve:
            axes.plot(RECALLS, curve, linewidth=1.4, label=f"{shortened(name)} {np.mean(curve):.3f}")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    axes.set_title(title)
    if 0 < len(axes.lines) <= 20:
        axes.legend(loc="lower left", fontsize=8, title="average precision")
