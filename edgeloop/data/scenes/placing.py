"""Where signs stand: so far away that they get the wanted size, beside the road or over it, some half hidden."""

from dataclasses import dataclass

import numpy as np

from edgeloop.data.scenes import furniture, plants, vehicles
from edgeloop.data.scenes.camera import Camera
from edgeloop.data.scenes.canvas import SUBPIXELS, Paint
from edgeloop.data.scenes.colours import STEEL, Colour, mixed, shaded
from edgeloop.data.scenes.dice import Dice
from edgeloop.data.scenes.ground import Street
from edgeloop.data.scenes.shapes import polygon, stroke
from edgeloop.data.scenes.signs import CLASSES, Design, designs
from edgeloop.data.scenes.things import Face, Thing, Upright

COUNTS = (0, *(1,) * 4, *(2,) * 5, *(3,) * 4, *(4,) * 2)
"""How many signs are wanted in a scene; some find no room."""

SIZES_PERMILLE = ((53, 72),) * 9 + ((72, 100),) * 7 + ((100, 150),) * 6 + ((150, 200),) * 3 + ((200, 248),) * 3
"""Ranges of a sign's longest side in thousandths of the picture's side, each as likely."""

OCCLUDED_PERCENT = 27
"""Of the signs, how many get something before them; some of it hides next to nothing, some all."""

_SMALLEST_LIGHT_PERMILLE, _LARGEST_PERMILLE = 78, 260
_TRIES = 24

Bounds = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Placed:
    """A sign, the post that it hangs on and what hides part of it."""

    design: Design
    plate: Thing
    around: tuple[Thing, ...]


def place_signs(camera: Camera, street: Street, dice: Dice) -> list[Placed]:
    """Signs that lie in the picture and do not hide each other."""
    placed: list[Placed] = []
    taken: list[Bounds] = []
    for _ in range(dice.pick(COUNTS)):
        design = dice.pick(designs()[dice.pick(CLASSES)])
        permille = dice.between(*dice.pick(SIZES_PERMILLE))
        for _ in range(_TRIES):
            spot = _spot(camera, street, design, permille, dice)
            bounds = _bounds(camera, design, spot)
            if _fits(camera, bounds) and not any(_touch(bounds, other) for other in taken):
                taken.append(bounds)
                placed.append(_built(camera, street, design, spot, dice))
                break
    return placed


@dataclass(frozen=True, slots=True)
class _Spot:
    plane: Upright
    side_mm: int
    overhead: bool


def _spot(camera: Camera, street: Street, design: Design, permille: int, dice: Dice) -> _Spot:
    """Somewhere beside the road or, for a light, over it."""
    light = design.label == "light"
    if light:
        permille = max(permille, _SMALLEST_LIGHT_PERMILLE)
    side_mm = _side_mm(street, light=light, dice=dice)
    z = max(camera.focal_px * side_mm * 1000 // (camera.side_px * permille), 2200)
    overhead = light and dice.chance(30)
    half = side_mm * design.height // 2000
    if overhead:
        x, low = dice.between(max(street.left, -2500) + 600, street.right - 300), dice.between(4600, 5300)
    else:
        beyond = (
            dice.between(350, 1100)
            if z < 7000
            else dice.between(400, min(street.right_wall - street.right - 500, 2600))
        )
        x = street.right + beyond if dice.chance(72) else street.left - beyond
        low = dice.between(1700, 2500)
    turn, lean = (0, 0) if dice.chance(25) else (dice.between(-5, 5), dice.pick((0, 0, 0, -1, 1)))
    return _Spot(Upright(x, low + half, z, turn=turn, lean=lean), side_mm, overhead)


def _side_mm(street: Street, *, light: bool, dice: Dice) -> int:
    if light:
        return dice.between(850, 1150)
    return dice.between(800, 1200) if street.place == "country" else dice.between(550, 850)


def _bounds(camera: Camera, design: Design, spot: _Spot) -> Bounds:
    """Left, top, right and bottom of the sign in the picture, in pixels."""
    points = camera.project(spot.plane.place(design.layers[0].outline * spot.side_mm // 1000)) // SUBPIXELS
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return left, top, right, bottom


def _fits(camera: Camera, bounds: Bounds) -> bool:
    """It is not larger than wanted, and at most a quarter of it lies outside the picture."""
    left, top, right, bottom = bounds
    if max(right - left, bottom - top) * 1000 >= _LARGEST_PERMILLE * camera.side_px:
        return False
    loose_x, loose_y = (right - left) // 4, (bottom - top) // 4
    return (
        left >= -loose_x
        and right <= camera.side_px + loose_x
        and top >= -loose_y
        and bottom <= camera.side_px + loose_y
    )


def _touch(one: Bounds, other: Bounds) -> bool:
    return one[0] <= other[2] + 2 and other[0] <= one[2] + 2 and one[1] <= other[3] + 2 and other[1] <= one[3] + 2


def _built(camera: Camera, street: Street, design: Design, spot: _Spot, dice: Dice) -> Placed:
    around = [_mast(spot, street) if spot.overhead else _post(design, spot)]
    if dice.chance(OCCLUDED_PERCENT):
        around += _occluder(camera, street, spot, dice)
    return Placed(design, _plate(design, spot, dice), tuple(around))


def _plate(design: Design, spot: _Spot, dice: Dice) -> Thing:
    """The sign itself: older ones are paler and throw back less light."""
    age, shade = dice.between(0, 16), dice.between(84, 104)
    returned = dice.between(105, 190) if design.label != "light" else 24
    faces = []
    for layer in design.layers:
        corners = spot.plane.place(layer.outline * spot.side_mm // 1000)
        if layer.shines:
            faces.append(Face(corners, Paint(layer.colour, glow=255)))
        else:
            colour: Colour = shaded(mixed(layer.colour, (170, 168, 162), age), shade)
            faces.append(Face(corners, Paint(colour, glow=returned)))
    return Thing(spot.plane.z, tuple(faces))


def _post(design: Design, spot: _Spot) -> Thing:
    height = spot.plane.y + (spot.side_mm // 3 if design.label != "light" else -spot.side_mm * design.height // 2200)
    width = 110 if design.label == "light" else 76
    return furniture.post(x=spot.plane.x, z=spot.plane.z + 30, height=height, width=width)


def _mast(spot: _Spot, street: Street) -> Thing:
    """A post at the kerb and an arm over the road."""
    plane = Upright(spot.plane.x, 0, spot.plane.z + 30)
    kerb, high = street.right + 500 - spot.plane.x, spot.plane.y + 250
    pieces = [polygon((kerb - 110, 0), (kerb + 110, 0), (kerb + 70, high + 200), (kerb - 70, high + 200)),
              stroke((0, high), (kerb, high + 120), 120)]  # fmt: skip
    return Thing(spot.plane.z + 30, tuple(plane.faces(pieces, Paint(shaded(STEEL, 72)))))


def _occluder(camera: Camera, street: Street, spot: _Spot, dice: Dice) -> list[Thing]:
    """Something nearer that hides part of the sign: a post, a bough or a lorry."""
    kinds = [_post_before, _bough_before, _bough_before]
    if spot.plane.x > street.right and spot.plane.z > 9000:
        kinds.append(_lorry_before)
    return dice.pick(kinds)(camera, street, spot, dice)


def _sight_line(camera: Camera, spot: _Spot, z: int, *, right: int = 0, up: int = 0) -> tuple[int, int]:
    """Where the line from the camera to a point beside the sign's middle passes at distance `z`: x and y."""
    near, far = camera.aside(np.array([z, spot.plane.z])).tolist()
    x = (spot.plane.x + right + far) * z // spot.plane.z - near
    y = camera.height_mm + (spot.plane.y + up - camera.height_mm) * z // spot.plane.z
    return x, y


def _post_before(camera: Camera, street: Street, spot: _Spot, dice: Dice) -> list[Thing]:
    edge = street.right if spot.plane.x > 0 else -street.left
    nearest = spot.plane.z * (edge + 200) // max(abs(spot.plane.x), 1)
    if not 0 < nearest < spot.plane.z * 92 // 100 or nearest < 2000:
        return _bough_before(camera, street, spot, dice)
    z = dice.between(max(nearest, spot.plane.z // 2), spot.plane.z * 94 // 100)
    x, _ = _sight_line(camera, spot, z, right=spot.side_mm * dice.between(-36, 36) // 100)
    colour = dice.pick((STEEL, (96, 100, 96), (70, 92, 80), (150, 140, 120)))
    if dice.chance(50):
        return [furniture.lamp_post(x=x, z=z, height=dice.between(5500, 7500), colour=colour)]
    return [furniture.post(x=x, z=z, height=dice.between(4200, 6000), width=dice.between(110, 190), colour=colour)]


def _bough_before(camera: Camera, street: Street, spot: _Spot, dice: Dice) -> list[Thing]:
    z = spot.plane.z * dice.between(84, 96) // 100
    outward = 1 if spot.plane.x > 0 else -1
    away = spot.side_mm * dice.between(25, 52) // 100
    x, y = _sight_line(camera, spot, z, right=outward * away, up=spot.side_mm * dice.between(-10, 48) // 100)
    radius = spot.side_mm * dice.between(28, 44) // 100
    trunk = max(abs(x) + dice.between(600, 1100), street.right + 400)
    return [plants.bough(dice, x=x, y=y, z=z, radius=radius, trunk_x=outward * trunk)]


def _lorry_before(camera: Camera, street: Street, spot: _Spot, dice: Dice) -> list[Thing]:
    """A lorry in the camera's own lane whose right edge crosses the sign."""
    z = max(spot.plane.z * dice.between(50, 80) // 100, 6000)
    x, _ = _sight_line(camera, spot, z, right=spot.side_mm * dice.between(-40, 20) // 100)
    middle = x - 1080
    if not -700 <= middle <= street.right - 500:
        return _post_before(camera, street, spot, dice)
    colour = dice.pick(((232, 232, 230), (30, 88, 176), (214, 206, 190), (150, 40, 40)))
    return [vehicles.van(dice, x=middle, z=z, height=dice.between(2400, 3500), colour=colour)]
