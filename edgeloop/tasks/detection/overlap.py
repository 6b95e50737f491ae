"""Intersection over union of boxes, with numpy.

Legend: `A`, `B` boxes as x1, y1, x2, y2.
"""

import numpy as np
from numpy.typing import NDArray


def overlaps(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.float64]:
    """IoU of every box of one with every box of the other: A, 4 and B, 4 to A, B; 0 where neither has an area."""
    first, second = one.astype(np.float64)[:, None], other.astype(np.float64)[None]
    sides = np.minimum(first[..., 2:4], second[..., 2:4]) - np.maximum(first[..., :2], second[..., :2])
    shared = np.maximum(sides, 0).prod(axis=-1)
    areas = (first[..., 2:4] - first[..., :2]).prod(axis=-1) + (second[..., 2:4] - second[..., :2]).prod(axis=-1)
    union = areas - shared
    shares: NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return shares
