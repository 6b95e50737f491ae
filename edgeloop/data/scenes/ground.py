"""The road, what is painted on it, and the ground beside it: strips that run ahead between two distances aside."""

from dataclasses import dataclass

import numpy as np

from edgeloop.data.scenes.camera import Camera
from edgeloop.data.scenes.canvas import LINES, SUBPIXELS, Canvas, Paint
from edgeloop.data.scenes.colours import Colour, mixed
from edgeloop.data.scenes.dice import Dice
from edgeloop.data.scenes.looks import Look

_FAR_MM = 400_000
_NOWHERE = -(1 << 40)
_PAINTED = Paint((222, 222, 216), glow=26, texture=22)


@dataclass(frozen=True, slots=True)
class Street:
    """A road's cross-section, in millimetres to the right of the camera.

    Args:
        place: `town`, `suburb` or `country`.
        left: Left edge of the road.
        right: Right edge of the road.
        left_wall: Where the houses or fields of the left side begin.
        right_wall: Of the right side.
        lanes: Where the lines between lanes lie.
        zebra: How far ahead a pedestrian crossing begins, or 0.
    """

    place: str
    left: int
    right: int
    left_wall: int
    right_wall: int
    lanes: tuple[int, ...]
    zebra: int


def draw_ground(canvas: Canvas, camera: Camera, street: Street, look: Look, dice: Dice) -> None:
    """Everything below the horizon, faded by the air."""
    soil, grass = dice.pick(((168, 138, 104), (150, 128, 100), (178, 150, 112))), (104, 122, 70)
    paved = dice.pick(((168, 164, 156), (182, 168, 150), (150, 148, 146)))
    asphalt = dice.pick(((92, 92, 96), (106, 104, 102), (78, 80, 86), (116, 112, 108)))
    beside: Colour = paved if street.place == "town" else mixed(grass, soil, look.soil_share)
    canvas.pixels[:, camera.horizon_px :] = np.array((*beside, 0))[:, None, None]
    if street.place != "town":
        strip(canvas, camera, x=(-150_000, 150_000), paint=Paint(beside, texture=24))
        shoulder = Paint(mixed(soil, asphalt, 24), texture=22)
        strip(canvas, camera, x=(street.left - 1200, street.right + 1200), paint=shoulder)
    strip(canvas, camera, x=(street.left, street.right), paint=Paint(asphalt, texture=11))
    _draw_markings(canvas, camera, street, dice)
    if street.place == "town":
        _draw_kerbs(canvas, camera, street, dice)
    _fade(canvas, camera, look)


def _draw_markings(canvas: Canvas, camera: Camera, street: Street, dice: Dice) -> None:
    dash = dice.pick(((9000, 3500), (6000, 3000), (13_000, 4500), (0, 0)))
    for x in street.lanes:
        strip(canvas, camera, x=(x - 70, x + 70), paint=_PAINTED, dash=dash)
    if street.place == "country" or dice.chance(25):
        for x in (street.left + 250, street.right - 250):
            strip(canvas, camera, x=(x - 65, x + 65), paint=_PAINTED)
    if street.zebra:
        for x in range(street.left + 350, street.right - 500, 1000):
            strip(canvas, camera, x=(x, x + 500), z=(street.zebra, street.zebra + 3500), paint=_PAINTED)
        stop = street.zebra - 1600
        strip(
            canvas,
            camera,
            x=(max(street.lanes, default=street.left), street.right),
            z=(stop, stop + 450),
            paint=_PAINTED,
        )


def _draw_kerbs(canvas: Canvas, camera: Camera, street: Street, dice: Dice) -> None:
    """Grey, or in red and white, which forbids to stop."""
    grey, red = Paint((192, 190, 184)), Paint((178, 50, 46))
    for x in (street.left - 220, street.right):
        strip(canvas, camera, x=(x, x + 220), paint=grey)
        if dice.chance(45):
            strip(canvas, camera, x=(x, x + 220), paint=red, dash=(2000, 1000))


def strip(
    canvas: Canvas,
    camera: Camera,
    *,
    x: tuple[int, int],
    paint: Paint,
    z: tuple[int, int] = (0, _FAR_MM),
    dash: tuple[int, int] = (0, 0),
) -> None:
    """A strip of ground; `dash` is a period and how much of it is painted, 0 for a whole line."""
    lines, depth = camera.ground_lines()
    first = int(np.searchsorted(-depth, -z[1])) // LINES * LINES
    last = -(-int(np.searchsorted(-depth, -z[0], side="right")) // LINES) * LINES
    lines, depth = lines[first:last], depth[first:last]
    if not len(lines):
        return
    centre, scale = camera.centre_px * SUBPIXELS, camera.focal_px * SUBPIXELS
    aside = camera.aside(depth)
    begin = centre + scale * (x[0] + aside) // depth
    end = centre + scale * (x[1] + aside) // depth
    shown = (depth >= z[0]) & (depth <= z[1])
    if dash[0]:
        shown &= depth % dash[0] < dash[1]
    left = min(max(int(begin.min()) // SUBPIXELS, 0), camera.side_px)
    right = min(max(int(end.max()) // SUBPIXELS + 1, 0), camera.side_px)
    if left < right:
        top = int(lines[0]) // SUBPIXELS
        extent = left, top, right, top + len(lines) // LINES
        canvas.fill_spans(begin, np.where(shown, end, _NOWHERE), extent, paint)


def _fade(canvas: Canvas, camera: Camera, look: Look) -> None:
    lines, depth = camera.ground_lines()
    ahead = depth[::LINES]
    share = (64 * ahead // (ahead + look.air.half_mm)).astype(np.int16)
    part = canvas.pixels[:3, int(lines[0]) // SUBPIXELS :]
    part += ((np.array(look.air.colour, dtype=np.int16)[:, None, None] - part) * share[:, None]) >> 6
    canvas.pixels[:, camera.horizon_px] = canvas.pixels[:, camera.horizon_px + 1]
