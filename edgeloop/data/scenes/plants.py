"""Trees, palms, cypresses and bushes; leaves are discs of uneven shade."""

from edgeloop.data.scenes.canvas import Paint
from edgeloop.data.scenes.colours import LEAVES, WOOD, Colour, shaded
from edgeloop.data.scenes.dice import Dice
from edgeloop.data.scenes.shapes import ellipse, polygon, stroke
from edgeloop.data.scenes.things import Face, Thing, Upright

_BARK = Paint(WOOD, texture=20)

_FRONDS = (
    (-2100, 500, -900), (2100, 500, -900), (-1700, 1100, 300), (1700, 1100, 300),
    (-1200, 200, -1500), (1200, 200, -1500), (-500, 1300, 1500), (600, 1300, 1400),
)  # fmt: skip
"""How far each frond of a palm reaches, how its middle rises, and where its tip hangs, in millimetres."""


def tree(dice: Dice, *, x: int, z: int) -> Thing:
    """A trunk and a crown."""
    plane = Upright(x, 0, z)
    trunk, crown = dice.between(2200, 3200), dice.between(1300, 2300)
    width = dice.between(220, 380)
    shaft = polygon((-width, 0), (width, 0), (width * 2 // 3, trunk + crown), (-width * 2 // 3, trunk + crown))
    faces = plane.faces([shaft], _BARK)
    return Thing(z, (*faces, *leaves(dice, plane, middle=(0, trunk + crown), radius=crown)))


def leaves(dice: Dice, plane: Upright, *, middle: tuple[int, int], radius: int) -> list[Face]:
    """A heap of leaves: dark ones below, lighter ones above."""
    colour: Colour = dice.pick(LEAVES)
    faces = []
    for percent, low, high in (
        (66, -50, 10),
        (80, -40, 20),
        (80, -20, 30),
        (94, -10, 40),
        (94, -10, 50),
        (110, 10, 55),
    ):
        x = middle[0] + radius * dice.between(-60, 60) // 100
        y = middle[1] + radius * dice.between(low, high) // 100
        size = radius * dice.between(45, 75) // 100
        outline = ellipse(x, y, size, size * dice.between(70, 100) // 100, corners=16)
        faces += plane.faces([outline], Paint(shaded(colour, percent + dice.between(-5, 5)), texture=44))
    return faces


def palm(dice: Dice, *, x: int, z: int) -> Thing:
    """A high trunk and hanging fronds."""
    plane = Upright(x, 0, z)
    high, lean = dice.between(5000, 8500), dice.between(-300, 300)
    shaft = polygon((-230, 0), (230, 0), (lean + 160, high), (lean - 160, high))
    faces = plane.faces([shaft], Paint((122, 100, 76), texture=26))
    for reach, rise, fall in _FRONDS:
        away = reach * dice.between(85, 120) // 100
        top = lean + away // 2, high + rise
        tip = lean + away, high + fall
        frond = polygon((lean, high - 60), (top[0], top[1] - 330), tip, (top[0], top[1] + 130))
        faces += plane.faces([frond], Paint(shaded((84, 112, 58), dice.between(65, 112)), texture=30))
    return Thing(z, tuple(faces))


def cypress(dice: Dice, *, x: int, z: int) -> Thing:
    """A dark spindle."""
    plane = Upright(x, 0, z)
    high, wide = dice.between(4500, 8000), dice.between(600, 1000)
    spindle = polygon((-120, 0), (120, 0), (wide, high // 4), (wide * 2 // 3, high * 2 // 3), (0, high),
                      (-wide * 2 // 3, high * 2 // 3), (-wide, high // 4))  # fmt: skip
    lit = polygon((0, high // 8), (wide * 4 // 5, high // 4), (wide // 2, high * 2 // 3), (0, high - 300))
    shade = shaded((52, 78, 48), dice.between(85, 115))
    return Thing(z, (*plane.faces([spindle], Paint(shade, texture=40)),
                     *plane.faces([lit], Paint(shaded(shade, 118), texture=40))))  # fmt: skip


def bush(dice: Dice, *, x: int, z: int) -> Thing:
    """Leaves on the ground, broader than high."""
    plane = Upright(x, 0, z)
    colour, size = dice.pick(LEAVES), dice.between(400, 1000)
    faces = []
    for percent, along, high in ((70, -60, 30), (80, 50, 35), (95, 0, 60), (108, 20, 75)):
        outline = ellipse(size * along // 100, size * high // 100, size * 7 // 10, size // 2, corners=12)
        faces += plane.faces([outline], Paint(shaded(colour, percent), texture=44))
    return Thing(z, tuple(faces))


def bough(dice: Dice, *, x: int, y: int, z: int, radius: int, trunk_x: int) -> Thing:
    """A branch whose leaves hang about x, y, and the trunk that it grows from at `trunk_x`."""
    plane = Upright(x, 0, z)
    aside = trunk_x - x
    wood = [stroke((aside, 0), (aside, y + radius), 360), stroke((aside, y - radius), (0, y), 120)]
    crown = leaves(dice, plane, middle=(aside, y + 2 * radius), radius=radius * 2)
    return Thing(z, (*plane.faces(wood, _BARK), *crown, *leaves(dice, plane, middle=(0, y), radius=radius)))
