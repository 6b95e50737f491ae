"""One scene from its seed and number: planned, drawn, judged for what shows of each sign, and finished."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.scenes import backdrop, finishing, furniture, streets
from edgeloop.data.scenes.camera import Camera
from edgeloop.data.scenes.canvas import Canvas, Paint
from edgeloop.data.scenes.colours import mixed
from edgeloop.data.scenes.dice import Dice
from edgeloop.data.scenes.ground import Street, draw_ground
from edgeloop.data.scenes.looks import Look, condition_of, look_of
from edgeloop.data.scenes.noise import PERIOD
from edgeloop.data.scenes.placing import Placed, place_signs
from edgeloop.data.scenes.things import Thing

VISIBLE_PERCENT = 35
"""A sign of which less shows is not drawn."""

_SMALLEST_SIDE, _SMALLEST_WIDTH = 21, 50
"""Nor is one whose visible part is smaller than the picture's side divided by these, along and across."""

_SCENE_STREAM = 2


@dataclass(frozen=True, slots=True)
class Sign:
    """What shows of a sign, in whole pixels.

    Args:
        label: Its class.
        design: What it says.
        left: First column.
        top: First row.
        width: Columns.
        height: Rows.
        visible_percent: How much of its part inside the picture nothing hides.
    """

    label: str
    design: str
    left: int
    top: int
    width: int
    height: int
    visible_percent: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture `[side, side, 3]` and the truth about it."""

    number: int
    condition: str
    place: str
    pixels: NDArray[np.uint8]
    signs: tuple[Sign, ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    camera: Camera
    street: Street
    look: Look
    condition: str
    houses: tuple[Thing, ...]
    things: tuple[Thing, ...]
    lamps: tuple[tuple[int, int, int], ...]
    signs: tuple[Placed, ...]


def draw_scene(seed: int, number: int, *, side_px: int) -> Scene:
    """Scene `number` of a seed: the same bytes on every machine.

    Args:
        seed: 0 or more.
        number: 0 or more; scenes do not depend on each other.
        side_px: Width and height, a multiple of 4 up to `noise.LARGEST_SIDE`.
    """
    dice = Dice(seed, number, _SCENE_STREAM)
    plan = _planned(condition_of(seed, number), dice, side_px=side_px)
    state = dice.between(0, 1 << 30)
    canvas, signs = _drawn(plan, state)
    while len(shown := [sign for sign in signs if _shows(sign, side_px)]) < len(signs):
        kept = tuple(placed for placed, sign in zip(plan.signs, signs, strict=True) if _shows(sign, side_px))
        plan = replace(plan, signs=kept)
        canvas, signs = _drawn(plan, state)
    pixels = _finished(canvas.pixels, plan, Dice(state, 1))
    return Scene(number, plan.condition, plan.street.place, pixels, tuple(shown))


def _shows(sign: Sign, side_px: int) -> bool:
    return (
        sign.visible_percent >= VISIBLE_PERCENT
        and min(max(sign.width, sign.height) * _SMALLEST_SIDE, min(sign.width, sign.height) * _SMALLEST_WIDTH)
        >= side_px
    )


def _planned(condition: str, dice: Dice, *, side_px: int) -> _Plan:
    street = streets.street_of(dice)
    camera = Camera(
        side_px=side_px,
        focal_px=side_px * dice.between(95, 135) // 100,
        centre_px=side_px * dice.between(28, 66) // 100,
        horizon_px=side_px * dice.between(46, 57) // 100,
        height_mm=dice.between(1200, 1600),
        bend=dice.pick((0, 0, 1)) * dice.between(-9000, 9000),
    )
    lamps = streets.lamps(street, dice)
    things = [
        *streets.greenery(street, dice),
        *streets.traffic(street, dice),
        *streets.lookalikes(street, dice),
        *(furniture.lamp_post(x=x, z=z, height=height) for x, z, height in lamps),
    ]
    return _Plan(
        camera=camera,
        street=street,
        look=look_of(condition, dice),
        condition=condition,
        houses=tuple(streets.houses(street, dice)),
        things=tuple(things),
        lamps=tuple(lamps),
        signs=tuple(place_signs(camera, street, dice)),
    )


def _drawn(plan: _Plan, state: int) -> tuple[Canvas, list[Sign]]:
    """The picture before light and weather, and what shows of each sign of the plan."""
    dice = Dice(state, 0)
    canvas = Canvas(plan.camera.side_px, texture_at=(dice.between(0, PERIOD - 1), dice.between(0, PERIOD - 1)))
    backdrop.draw_sky(canvas, plan.camera, plan.look, dice)
    backdrop.draw_hills(canvas, plan.camera, plan.look, dice)
    draw_ground(canvas, plan.camera, plan.street, plan.look, dice)
    _draw(canvas, plan, plan.houses)
    if plan.condition == "rain":
        finishing.mirror_in_road(canvas.pixels, plan.camera)
    plates = [replace(placed.plate, sign=number) for number, placed in enumerate(plan.signs, 1)]
    around = [thing for placed in plan.signs for thing in placed.around]
    _draw(canvas, plan, sorted((*plan.things, *around, *plates), key=lambda thing: -thing.depth_mm))
    alone = Canvas(plan.camera.side_px, texture_at=(0, 0))
    outlines = [plan.camera.project(plate.faces[0].corners) for plate in plates]
    alone.fill_all(outlines, [Paint((0, 0, 0))] * len(plates), [plate.sign for plate in plates])
    whole = np.bincount(alone.owners.ravel(), minlength=len(plates) + 1)
    return canvas, [_seen(canvas, placed, number, int(whole[number])) for number, placed in enumerate(plan.signs, 1)]


def _draw(canvas: Canvas, plan: _Plan, things: Sequence[Thing]) -> None:
    """Draws things in the given order, faded by the air before them."""
    faces = [(face, thing) for thing in things for face in thing.faces]
    if not faces:
        return
    points = plan.camera.project(np.concatenate([face.corners for face, _ in faces]))
    ends = np.cumsum([len(face.corners) for face, _ in faces])
    outlines = np.split(points, ends[:-1])
    paints = [_faded(face.paint, plan.look, thing.depth_mm) for face, thing in faces]
    canvas.fill_all(outlines, paints, [thing.sign for _, thing in faces])


def _faded(paint: Paint, look: Look, depth_mm: int) -> Paint:
    share = look.air.share(depth_mm) * (320 - paint.glow) // 320
    return Paint(
        mixed(paint.colour, look.air.colour, share), paint.glow, paint.texture * (64 - share) >> 6, paint.opacity
    )


def _seen(canvas: Canvas, placed: Placed, number: int, whole: int) -> Sign:
    rows, columns = np.nonzero(canvas.owners == number)
    if not len(rows):
        return Sign(placed.design.label, placed.design.name, 0, 0, 0, 0, 0)
    left, top, right, bottom = int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())
    percent = min(100 * len(rows) // max(whole, 1), 100)
    return Sign(placed.design.label, placed.design.name, left, top, right - left + 1, bottom - top + 1, percent)


def _finished(drawn: NDArray[np.int16], plan: _Plan, dice: Dice) -> NDArray[np.uint8]:
    """Light first, then weather, then lens and sensor."""
    if plan.condition == "night":
        picture = finishing.lit_by_night(drawn, plan.camera, _pools(plan), dice)
        return finishing.grained(picture, dice, strength=dice.between(6, 14))
    picture = finishing.lit_by_day(drawn, plan.look.tint)
    if plan.condition == "rain":
        picture = finishing.rained_on(picture, dice)
    elif plan.condition == "blur":
        picture = finishing.shaken(picture, dice)
    elif plan.condition == "glare":
        picture = finishing.dazzled(picture, plan.camera, dice)
    return finishing.grained(picture, dice, strength=dice.between(2, 7))


def _pools(plan: _Plan) -> list[tuple[int, int, int]]:
    """Where street lamps light the ground: x, y and radius in pixels."""
    camera = plan.camera
    spots = np.array([(x - (1500 if x > 0 else -1500), 0, z) for x, z, _ in plan.lamps], dtype=np.int64).reshape(-1, 3)
    feet = camera.project(spots) >> 4
    return [(x, y, camera.length_px(4500, z) + 1) for (x, y), (_, z, _) in zip(feet.tolist(), plan.lamps, strict=True)]
