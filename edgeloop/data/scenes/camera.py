"""From the road to the picture: a pinhole camera over a flat road that may bend.

The road's frame is in millimetres: x to the right of the camera, y up from the ground, z ahead. A bend moves what lies
ahead aside by the square of its distance, so a straight description of a road gives a curved one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.scenes.canvas import LINES, SUBPIXELS

Ints = NDArray[np.int64]

NEAREST_MM = 900
"""What lies nearer is drawn as if it lay here."""


@dataclass(frozen=True)
class Camera:
    """Where the picture is taken from.

    Args:
        side_px: Width and height of the picture.
        focal_px: Pixels of what is as wide as it is far.
        centre_px: Column of the point that the road runs to.
        horizon_px: Row of the horizon.
        height_mm: Above the ground.
        bend: Sideways millimetres at 65,536 mm ahead.
    """

    side_px: int
    focal_px: int
    centre_px: int
    horizon_px: int
    height_mm: int
    bend: int

    def project(self, points: Ints) -> Ints:
        """Points `[N, 3]` in the picture `[N, 2]`, in sixteenths of a pixel."""
        ahead = np.maximum(points[:, 2], NEAREST_MM)
        aside = points[:, 0] + self.aside(ahead)
        scale = self.focal_px * SUBPIXELS
        x = self.centre_px * SUBPIXELS + scale * aside // ahead
        y = self.horizon_px * SUBPIXELS + scale * (self.height_mm - points[:, 1]) // ahead
        return np.stack([x, y], axis=1)

    def aside(self, ahead: Ints) -> Ints:
        """How far the bend moves what lies `ahead` mm away."""
        return (ahead * ahead * self.bend) >> 32

    def ground_lines(self) -> tuple[Ints, Ints]:
        """The sample lines below the horizon, and how far ahead the ground lies on each, both `[R]`."""
        first = (self.horizon_px + 1) * SUBPIXELS
        step = SUBPIXELS // LINES
        lines = np.arange(first + step // 2, self.side_px * SUBPIXELS, step)
        depth = self.focal_px * SUBPIXELS * self.height_mm // (lines - self.horizon_px * SUBPIXELS)
        return lines, depth

    def length_px(self, length_mm: int, ahead_mm: int) -> int:
        """Pixels of a length across the view."""
        return self.focal_px * length_mm // ahead_mm
