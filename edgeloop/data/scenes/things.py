"""What stands in a scene: flat faces in the road's frame, in millimetres (see `camera`)."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.scenes.canvas import Paint
from edgeloop.data.scenes.shapes import COSINE, SINE, STEPS, Outline, Point

Corners = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Face:
    """A convex face `[N, 3]` and its paint."""

    corners: Corners
    paint: Paint


@dataclass(frozen=True, slots=True)
class Thing:
    """Faces that are drawn together, from back to front.

    Args:
        depth_mm: How far ahead; farther things are drawn first, and fade more in fog.
        faces: In the order of drawing.
        sign: Number of the sign that it is, from 1, or 0.
    """

    depth_mm: int
    faces: tuple[Face, ...]
    sign: int = 0


@dataclass(frozen=True, slots=True)
class Upright:
    """A plane that stands on x, z with its origin y above the ground.

    Args:
        x: Millimetres, as y and z.
        y: Of the origin.
        z: Of the origin.
        turn: Of `STEPS` about the vertical; 0 faces the camera, a positive one turns its right side away.
        lean: Of `STEPS` in the plane, anticlockwise.
    """

    x: int
    y: int
    z: int
    turn: int = 0
    lean: int = 0

    def place(self, outline: Outline) -> Corners:
        """An outline in millimetres as corners in the road's frame."""
        if self.lean:
            cosine, sine = COSINE[self.lean % STEPS], SINE[self.lean % STEPS]
            right, up = outline[:, 0], outline[:, 1]
            outline = np.stack([right * cosine - up * sine, right * sine + up * cosine], axis=1) >> 12
        corners = np.empty((len(outline), 3), dtype=np.int64)
        if self.turn:
            corners[:, 0] = self.x + (outline[:, 0] * COSINE[self.turn % STEPS] >> 12)
            corners[:, 2] = self.z + (outline[:, 0] * SINE[self.turn % STEPS] >> 12)
        else:
            corners[:, 0] = self.x + outline[:, 0]
            corners[:, 2] = self.z
        corners[:, 1] = self.y + outline[:, 1]
        return corners

    def faces(self, outlines: Iterable[Outline], paint: Paint) -> list[Face]:
        """Outlines in one paint."""
        return [Face(self.place(outline), paint) for outline in outlines]


def wall(x: int, *, z: tuple[int, int], y: tuple[int, int], paint: Paint) -> Face:
    """A face along the road at `x`."""
    (near, far), (low, high) = z, y
    return Face(np.array([(x, low, near), (x, low, far), (x, high, far), (x, high, near)], dtype=np.int64), paint)


def front(z: int, *, x: tuple[int, int], y: tuple[int, int], paint: Paint) -> Face:
    """A face across the road at `z`."""
    (left, right), (low, high) = x, y
    corners = [(left, low, z), (right, low, z), (right, high, z), (left, high, z)]
    return Face(np.array(corners, dtype=np.int64), paint)


def patch(*, x: tuple[int, int], z: tuple[int, int], paint: Paint) -> Face:
    """A face on the ground."""
    (left, right), (near, far) = x, z
    return Face(np.array([(left, 0, near), (right, 0, near), (right, 0, far), (left, 0, far)], dtype=np.int64), paint)


def crooked(z: int, *corners: Point, paint: Paint) -> Face:
    """A face across the road at `z` through corners x, y."""
    return Face(np.array([(x, y, z) for x, y in corners], dtype=np.int64), paint)
