"""Cars, vans, lorries and people on the road, seen from behind or from the front."""

from edgeloop.data.scenes.canvas import Paint
from edgeloop.data.scenes.colours import BLACK, CARS, CLOTHES, GLASS, RUBBER, WHITE, Colour, mixed, shaded
from edgeloop.data.scenes.dice import Dice
from edgeloop.data.scenes.shapes import Outline, disc, polygon, rectangle, rounded, stroke
from edgeloop.data.scenes.things import Face, Thing, Upright, patch, wall

HEADLIGHT, TAIL_LIGHT = Paint((255, 250, 226), glow=255), Paint((226, 26, 30), glow=240)
_BRAKE = Paint((255, 60, 50), glow=255)


def shadow(*, x: tuple[int, int], z: tuple[int, int]) -> Face:
    """A soft dark patch on the ground."""
    return patch(x=x, z=z, paint=Paint((18, 18, 24), opacity=34))


def car(dice: Dice, *, x: int, z: int, oncoming: bool) -> Thing:
    """A car of about 1.8 by 1.45 by 4.2 m whose nearer end is at `z`."""
    colour = dice.pick(CARS)
    plane = Upright(x, 0, z)
    long = dice.between(3700, 4500)
    dark = Paint(shaded(colour, 74))
    glass = Paint(mixed(GLASS, WHITE, dice.between(0, 14)), glow=8)
    body = rounded(polygon((-890, 300), (890, 300), (890, 800), (820, 930), (-820, 930), (-890, 800)), 90)
    cabin = polygon((-810, 900), (810, 900), (600, 1460), (-600, 1460))
    window = polygon((-690, 930), (690, 930), (530, 1390), (-530, 1390))
    lamps = [rounded(rectangle(side * 730, 720, 270, 150), 50) for side in (-1, 1)]
    faces = [
        shadow(x=(x - 1000, x + 1000), z=(z - 250, z + long)),
        *_flank(x, z, long, half=890, heights=(300, 930), paint=dark),
        *_cabin_flank(x, z, long, dark),
        *plane.faces([rectangle(side * 700, 180, 250, 380) for side in (-1, 1)], Paint(RUBBER)),
        *plane.faces([cabin], Paint(shaded(colour, 88))),
        *plane.faces([window], glass),
        *plane.faces([body], Paint(colour)),
        *plane.faces([rectangle(0, 380, 1640, 150)], Paint(shaded(colour, 45))),
        *plane.faces([rectangle(0, 560, 500, 120)], Paint(WHITE, glow=20)),
        *plane.faces(lamps, HEADLIGHT if oncoming else (_BRAKE if dice.chance(40) else TAIL_LIGHT)),
    ]
    return Thing(z, tuple(faces))


def _flank(x: int, z: int, long: int, *, half: int, heights: tuple[int, int], paint: Paint) -> list[Face]:
    """The side that the camera sees, where it sees one, and two wheels on it."""
    if abs(x) <= half:
        return []
    edge = x - half if x > 0 else x + half
    wheels = [
        Upright(edge, 330, z + along, turn=12 if x > 0 else -12).place(disc(0, 0, 330, corners=12))
        for along in (long // 5, long * 4 // 5)
    ]
    return [wall(edge, z=(z, z + long), y=heights, paint=paint), *(Face(wheel, Paint(RUBBER)) for wheel in wheels)]


def _cabin_flank(x: int, z: int, long: int, paint: Paint) -> list[Face]:
    if abs(x) <= 890:
        return []
    edge = x - 720 if x > 0 else x + 720
    return [
        wall(edge, z=(z, z + long * 2 // 3), y=(900, 1440), paint=paint),
        wall(edge, z=(z + 250, z + long * 3 // 5), y=(960, 1370), paint=Paint(GLASS, glow=8)),
    ]


def van(dice: Dice, *, x: int, z: int, height: int, colour: Colour) -> Thing:
    """A van or lorry from behind, whose nearer end is at `z`."""
    long, half = dice.between(4800, 8500), dice.between(950, 1200)
    plane = Upright(x, 0, z)
    back = rounded(polygon((-half, 420), (half, 420), (half, height), (-half, height)), 90)
    doors = [stroke((0, 500), (0, height - 150), 30), rectangle(0, height - 120, 2 * half - 200, 40)]
    windows = (
        [rectangle(side * half // 2, height - 700, half * 3 // 4, 480) for side in (-1, 1)] if dice.chance(50) else []
    )
    lamps = [rectangle(side * (half - 130), 780, 150, 320) for side in (-1, 1)]
    faces = [
        shadow(x=(x - half - 100, x + half + 100), z=(z - 300, z + long)),
        *_flank(x, z, long, half=half, heights=(420, height), paint=Paint(shaded(colour, 72), texture=4)),
        *plane.faces([rectangle(side * (half - 220), 240, 300, 480) for side in (-1, 1)], Paint(RUBBER)),
        *plane.faces([back], Paint(colour, texture=5)),
        *plane.faces(doors, Paint(shaded(colour, 72))),
        *plane.faces(windows, Paint(GLASS, glow=8)),
        *plane.faces(lamps, TAIL_LIGHT),
        *plane.faces([rectangle(0, 480, 2 * half, 130)], Paint(BLACK)),
        *plane.faces([rectangle(0, 640, 500, 120)], Paint(WHITE, glow=20)),
    ]
    return Thing(z, tuple(faces))


def person(dice: Dice, *, x: int, z: int) -> Thing:
    """Somebody who walks."""
    plane = Upright(x, 0, z)
    coat, trousers = Paint(dice.pick(CLOTHES)), Paint(shaded(dice.pick(CLOTHES), 70))
    step = dice.between(60, 240)
    legs = [stroke((0, 850), (step, 60), 170), stroke((0, 850), (-step, 60), 170)]
    trunk: list[Outline] = [rounded(polygon((-210, 800), (210, 800), (240, 1430), (-240, 1430)), 80)]
    arms = [stroke((side * 240, 1380), (side * 300, 900), 110) for side in (-1, 1)]
    return Thing(z, (
        *plane.faces(legs, trousers), *plane.faces([*arms, *trunk], coat),
        *plane.faces([disc(0, 1610, 130, corners=12)], Paint((150, 106, 80))),
        *plane.faces([disc(0, 1660, 115, corners=12)], Paint((40, 30, 26))),
    ))  # fmt: skip
