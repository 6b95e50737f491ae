"""The confusion matrix as a PNG: rows are actual classes, columns what the model answered."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from edgeloop.pictures import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_COUNTS_SHOWN, _MOST_NAMES_SHOWN = 20, 40


def side_in(classes: int) -> float:
    """Inches that a matrix of so many classes takes."""
    return min(4.0 + 0.22 * classes, 11.0)


def draw_confusion(axes: "Axes", confusion: Sequence[Sequence[int]], *, names: Sequence[str], title: str) -> None:
    """Counts in the cells; the colour is the share of the actual class."""
    counts = np.asarray(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if len(names) <= _MOST_COUNTS_SHOWN:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = "white" if shares[row, column] > 0.5 else INK
                axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    every = -(-len(names) // _MOST_NAMES_SHOWN)
    places, shown = range(0, len(names), every), [shortened(name) for name in names[::every]]
    axes.set_xticks(places, shown, rotation=90 if len(names) * max(map(len, shown)) > 40 else 0)
    axes.set_yticks(places, shown)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set(xlabel="predicted", ylabel="actual")
    axes.set_title(title)
    axes.figure.colorbar(image, ax=axes, label="share of the actual class", shrink=0.85)


def shortened(name: str) -> str:
    """Start and end of a name; a dollar sign would begin a formula."""
    short = name if len(name) <= 18 else f"{name[:9]}…{name[-8:]}"
    return short.replace("$", r"\$")
