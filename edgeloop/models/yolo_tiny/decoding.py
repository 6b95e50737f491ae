"""From raw heads to boxes, with numpy on a device and with torch in a loss: both know the names used here.

A cell's first four numbers are the logarithms of the distances from its centre to the left, upper, right and lower side
of the box, in strides; so no box is inside out, and one step of an int8 scale is the same share of a small and of a
large box. The others are the logits of the classes.

Legend: `N` batch, `K` classes, `M` cells of all heads, `h`, `w` cells of one head.
"""

from collections.abc import Sequence
from typing import Any

MAX_EXPONENT = 8.0
"""Of a distance: 2,981 strides, farther than any picture goes; a wild weight gives no infinite box."""


def decoded(heads: Sequence[Any], *, strides: Sequence[int], xp: Any) -> tuple[Any, Any]:
    """Boxes and logits of all heads, see `edgeloop.models.Detector.decode`; float32 in, float32 out."""
    parts = [_of_head(head, stride=stride, xp=xp) for head, stride in zip(heads, strides, strict=True)]
    boxes, logits = (xp.concatenate(found, axis=1) for found in zip(*parts, strict=True))
    return boxes, logits


def _of_head(head: Any, *, stride: int, xp: Any) -> tuple[Any, Any]:
    """N, h·w, 4 and N, h·w, K."""
    batch, numbers, height, width = head.shape
    cells = head.reshape(batch, numbers, height * width)
    ones = xp.ones_like(head[0, 0])
    # counted in the head's own type and on its device; halves are exact
    centres = xp.stack([xp.cumsum(ones, axis=axis).reshape(-1) - 0.5 for axis in (1, 0)])
    distances = xp.exp(xp.clip(cells[:, :4], None, MAX_EXPONENT))
    corners = xp.concatenate([centres - distances[:, :2], centres + distances[:, 2:]], axis=1) * stride
    return xp.swapaxes(corners, 1, 2), xp.swapaxes(cells[:, 4:], 1, 2)
