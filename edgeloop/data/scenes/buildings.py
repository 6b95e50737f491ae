"""Houses beside the road: a wall along it, a wall across it, windows, shops; some with a gable or a tower."""

import numpy as np

from edgeloop.data.scenes.canvas import Paint
from edgeloop.data.scenes.colours import GLASS, LOUD, WALLS, WHITE, Colour, mixed, shaded
from edgeloop.data.scenes.dice import Dice
from edgeloop.data.scenes.shapes import disc, rectangle
from edgeloop.data.scenes.things import Face, Thing, Upright, crooked, front, wall

FLOOR_MM = 3000
_LAMPLIGHT = (255, 206, 130)
_DETAILED_MM = 45_000
"""Nearer than this, windows are drawn."""


def house(dice: Dice, *, x: int, near: int, length: int, floors: int) -> Thing:
    """A flat-roofed house whose wall along the road is at `x`; negative is the left side."""
    far, height = near + length, floors * FLOOR_MM + dice.between(600, 1500)
    side = 1 if x > 0 else -1
    colour = dice.pick(WALLS)
    across = tuple(sorted((x, x + side * 12_000)))
    sunny, shady = Paint(shaded(colour, 98), texture=9), Paint(shaded(colour, dice.between(72, 86)), texture=9)
    faces = [
        front(near, x=(across[0], across[1]), y=(0, height), paint=shady),
        wall(x, z=(near, far), y=(0, height), paint=sunny),
        wall(x, z=(near, far), y=(height - 350, height), paint=Paint(shaded(colour, 82))),
    ]
    if near < _DETAILED_MM:
        faces += _windows(dice, x=x, near=near, far=far, floors=floors, colour=colour)
        faces += _windows_across(dice, x=x, side=side, near=near, floors=floors)
        faces += _shop(dice, x=x, near=near, far=far) if dice.chance(60) else _door(dice, x=x, near=near)
    return Thing(near, tuple(faces))


def _windows(dice: Dice, *, x: int, near: int, far: int, floors: int, colour: Colour) -> list[Face]:
    """A dark band a floor, cut into windows by pillars of the wall's colour."""
    faces = []
    for floor in range(1, floors):
        low = floor * FLOOR_MM + 1000
        faces.append(wall(x, z=(near + 700, far - 700), y=(low, low + 1500), paint=_pane(dice)))
    pitch = dice.pick((2600, 3200, 4000))
    pillar = Paint(shaded(colour, 98), texture=9)
    for start in range(near + 700 + 1300, far - 1000, pitch):
        stop = min(start + pitch - 1300, far - 600)
        faces.append(wall(x, z=(start, stop), y=(FLOOR_MM + 900, floors * FLOOR_MM - 400), paint=pillar))
    return faces


def _windows_across(dice: Dice, *, x: int, side: int, near: int, floors: int) -> list[Face]:
    faces = []
    for floor in range(1, min(floors, 5)):
        for column in range(2):
            if dice.chance(70):
                middle = x + side * (2000 + 3200 * column)
                low = floor * FLOOR_MM + 1000
                faces.append(front(near, x=(middle - 550, middle + 550), y=(low, low + 1400), paint=_pane(dice)))
    return faces


def _pane(dice: Dice) -> Paint:
    if dice.chance(35):
        return Paint(mixed(GLASS, _LAMPLIGHT, 26), glow=dice.between(140, 215))
    return Paint(shaded(GLASS, dice.between(70, 130)), glow=6)


def _shop(dice: Dice, *, x: int, near: int, far: int) -> list[Face]:
    """A shop window, its awning and its name over it in loud colours."""
    loud = dice.pick(LOUD)
    stop = min(near + dice.between(4000, 9000), far - 400)
    faces = [
        wall(x, z=(near + 400, stop), y=(100, 2400), paint=Paint(mixed(GLASS, _LAMPLIGHT, 20), glow=120)),
        wall(x, z=(near + 300, stop + 100), y=(2500, 3350), paint=Paint(loud, glow=dice.pick((30, 30, 160)))),
    ]
    step = max((stop - near) // 9, 1)
    for letter in range(2, dice.between(5, 7)):
        begin = near + letter * step
        faces.append(wall(x, z=(begin, begin + step * 2 // 3), y=(2700, 3120), paint=Paint(WHITE, glow=60)))
    return faces


def _door(dice: Dice, *, x: int, near: int) -> list[Face]:
    start = near + dice.between(800, 2600)
    paint = Paint(dice.pick(((60, 84, 110), (96, 66, 44), (46, 84, 70), (40, 66, 130))))
    return [wall(x, z=(start, start + 1200), y=(0, 2300), paint=paint)]


def gabled(dice: Dice, *, x: int, near: int) -> Thing:
    """A small house with a red triangular roof towards the camera."""
    side = 1 if x > 0 else -1
    width, height = dice.between(6000, 9000), dice.between(2800, 5600)
    left, right = (x, x + width) if side > 0 else (x - width, x)
    roof = dice.pick(((158, 58, 44), (190, 48, 38), (170, 84, 60), (120, 60, 52)))
    colour = dice.pick(WALLS)
    peak = (left + right) // 2, height + width // 2
    gable = crooked(near, (left, height), (right, height), peak, paint=Paint(shaded(colour, 88), texture=8))
    outer = crooked(
        near,
        (left - 500, height - 100),
        (right + 500, height - 100),
        (peak[0], peak[1] + 500),
        paint=Paint(roof, texture=8),
    )
    middle = (left + right) // 2
    faces = [
        front(near, x=(left, right), y=(0, height), paint=Paint(shaded(colour, 88), texture=8)),
        wall(x, z=(near, near + 7000), y=(0, height), paint=Paint(colour, texture=8)),
        outer,
        gable,
        front(near, x=(left + 900, left + 2100), y=(1000, 2200), paint=_pane(dice)),
        front(near, x=(right - 2100, right - 900), y=(1000, 2200), paint=_pane(dice)),
        front(near, x=(middle - 450, middle + 450), y=(height + 300, height + 1300), paint=_pane(dice)),
    ]
    return Thing(near, tuple(faces))


def tower(dice: Dice, *, x: int, near: int) -> Thing:
    """A square minaret with a lantern on top."""
    colour = dice.pick(((206, 162, 122), (194, 118, 88), (222, 190, 140)))
    high = dice.between(17_000, 24_000)
    plane = Upright(x, 0, near)
    shade = Paint(shaded(colour, 84), texture=8)
    faces = [
        *plane.faces([rectangle(0, high // 2, 4200, high)], shade),
        *plane.faces([rectangle(0, high - 1300, 4500, 900)], Paint((70, 130, 104))),
        *plane.faces([rectangle(0, high + 1700, 2000, 3400)], shade),
        *plane.faces([disc(0, high + 3800, 800, corners=12)], Paint((206, 176, 90))),
        *plane.faces([rectangle(0, high * 3 // 4, 800, 2200)], Paint(GLASS, glow=60)),
    ]
    return Thing(near, tuple(faces))


def garden_wall(dice: Dice, *, x: int, near: int, length: int) -> Thing:
    """A low wall along the road."""
    colour = dice.pick(WALLS)
    height = dice.between(1300, 2300)
    faces = [
        wall(x, z=(near, near + length), y=(0, height), paint=Paint(shaded(colour, 92), texture=10)),
        wall(x, z=(near, near + length), y=(height - 160, height), paint=Paint(shaded(colour, 72))),
    ]
    return Thing(near, tuple(faces))


def bounds(thing: Thing) -> tuple[int, int]:
    """How far ahead the thing begins and ends."""
    ahead = np.concatenate([face.corners[:, 2] for face in thing.faces])
    return int(ahead.min()), int(ahead.max())
