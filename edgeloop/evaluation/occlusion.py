"""Occlusion: where in an input a model finds its answer, asked of the very file that was selected.

A patch of the input is covered with the mean of train, and the certainty of the answer is taken again; what it loses is
the importance of the patch (Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014). It needs
no gradients, so it works on int8 and in any runtime. The patches stand on a grid, each covering its cell and half of
the ones around it.

Legend: an input is C, H, W of a picture or C, L of a window, normalised, so that 0 is the mean of train.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgeloop.evaluation.answering import Ask
from edgeloop.tasks import Floats

GRID = {2: 8, 1: 32}
"""Cells along a side, by the number of sides: pictures have two, windows one."""

_BATCH_BYTES = 32 << 20
_MOST_AT_ONCE = 64

Certainty = Callable[[Floats], Floats]
"""How strongly each of many answers says what the answer to the whole input says."""


def importance_of(whole: NDArray[np.float32], *, ask: Ask, certainty: Certainty) -> NDArray[np.float64]:
    """What the certainty loses with each cell covered; less than 0 where it gains. Shape: the grid's.

    Args:
        whole: The input.
        ask: The model.
        certainty: Of answers.
    """
    sides = whole.shape[1:]
    shape = tuple(min(GRID[len(sides)], side) for side in sides)
    at_once = max(1, min(_MOST_AT_ONCE, _BATCH_BYTES // whole.nbytes))
    cells = list(np.ndindex(*shape))
    sure = []
    for start in range(0, len(cells), at_once):
        covered = [_covered(whole, cell, shape) for cell in cells[start : start + at_once]]
        sure.append(certainty(ask(np.stack(covered))).astype(np.float64))
    known = float(certainty(ask(whole[None]))[0])
    lost: NDArray[np.float64] = known - np.concatenate(sure).reshape(shape)
    return lost


def _covered(whole: NDArray[np.float32], cell: tuple[int, ...], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The input with the patch of a cell at 0."""
    patch = tuple(
        slice(max(0, round((place - 0.5) * side / cells)), round((place + 1.5) * side / cells))
        for place, cells, side in zip(cell, shape, whole.shape[1:], strict=True)
    )
    copy = whole.copy()
    copy[(slice(None), *patch)] = 0
    return copy
