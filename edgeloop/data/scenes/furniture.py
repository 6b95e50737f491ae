"""What stands beside a road: lamp posts, masts, rails, barriers, billboards, and what looks like a sign and is none."""

import numpy as np

from edgeloop.data.scenes.canvas import Paint
from edgeloop.data.scenes.colours import BLACK, LOUD, SIGN_BLUE, SIGN_RED, STEEL, WHITE, WOOD, Colour, shaded
from edgeloop.data.scenes.dice import Dice
from edgeloop.data.scenes.shapes import disc, ellipse, polygon, rectangle, rounded, stroke
from edgeloop.data.scenes.things import Face, Thing, Upright, wall

LAMP = Paint((255, 232, 178), glow=255)


def post(*, x: int, z: int, height: int, width: int = 76, colour: Colour = STEEL) -> Thing:
    """A bare post, lighter on one side."""
    plane = Upright(x, 0, z)
    shaft, gleam = rectangle(0, height // 2, width, height), rectangle(-width // 4, height // 2, width // 3, height)
    return Thing(
        z, (*plane.faces([shaft], Paint(shaded(colour, 78))), *plane.faces([gleam], Paint(shaded(colour, 115))))
    )


def lamp_post(*, x: int, z: int, height: int, colour: Colour = STEEL) -> Thing:
    """A street lamp whose arm reaches over the road."""
    arm = -1500 if x > 0 else 1500
    plane = Upright(x, 0, z)
    shaft = polygon((-95, 0), (95, 0), (55, height), (-55, height))
    metal = Paint(shaded(colour, 84))
    head = rectangle(arm, height + 330, 620, 110)
    return Thing(z, (
        *plane.faces([shaft, stroke((0, height - 40), (arm * 2 // 3, height + 330), 80),
                      stroke((arm * 2 // 3, height + 330), (arm, height + 360), 80)], metal),
        *plane.faces([head], Paint(shaded(colour, 60))),
        *plane.faces([rectangle(arm, height + 265, 520, 70)], LAMP),
    ))  # fmt: skip


def pylon(*, x: int, z: int, spacing: int) -> Thing:
    """A wooden mast and three wires to the next one, `spacing` further on."""
    plane = Upright(x, 0, z)
    wood = Paint(shaded(WOOD, 85), texture=14)
    wires = []
    for aside in (-700, 0, 700):
        ends = [
            (x + aside, 7700, z),
            (x + aside, 7700, z + spacing),
            (x + aside, 7740, z + spacing),
            (x + aside, 7740, z),
        ]
        wires.append(Face(np.array(ends, dtype=np.int64), Paint((50, 50, 54), opacity=40)))
    return Thing(z, (*wires, *plane.faces([rectangle(0, 4000, 210, 8000), rectangle(0, 7600, 1700, 130)], wood)))


def rail(*, x: int, near: int, length: int) -> Thing:
    """A crash barrier along the road."""
    posts = [
        Face(Upright(x, 0, z).place(rectangle(0, 300, 110, 600)), Paint(shaded(STEEL, 70)))
        for z in range(near + length, near, -4000)
    ]
    beam = wall(x, z=(near, near + length), y=(430, 740), paint=Paint(STEEL, texture=6))
    groove = wall(x, z=(near, near + length), y=(550, 620), paint=Paint(shaded(STEEL, 70)))
    return Thing(near, (*posts, beam, groove))


def barrier(dice: Dice, *, x: int, z: int) -> Thing:
    """A board in red and white stripes on two feet."""
    width, height = dice.between(1500, 2400), 1050
    plane = Upright(x, 0, z, turn=dice.between(-3, 3))
    feet = [rectangle(side * width * 2 // 5, 450, 80, 900) for side in (-1, 1)]
    faces = plane.faces(feet, Paint(shaded(STEEL, 70))) + plane.faces(
        [rectangle(0, height, width, 260)], Paint(WHITE, glow=60)
    )
    step = width // 7
    for stripe in range(0, 7, 2):
        left = -width // 2 + stripe * step
        slanted = polygon((left, 920), (left + step * 3 // 4, 920), (left + step, 1180), (left + step // 4, 1180))
        faces += plane.faces([slanted], Paint(SIGN_RED, glow=60))
    return Thing(z, tuple(faces))


def cone(*, x: int, z: int) -> Thing:
    """A traffic cone: a red triangle with a white band."""
    plane = Upright(x, 0, z)
    return Thing(z, (
        *plane.faces([rectangle(0, 25, 420, 50)], Paint((150, 40, 24))),
        *plane.faces([polygon((-170, 50), (170, 50), (30, 740), (-30, 740))], Paint((226, 72, 32), glow=40)),
        *plane.faces([polygon((-110, 280), (110, 280), (75, 460), (-75, 460))], Paint(WHITE, glow=60)),
    ))  # fmt: skip


def billboard(dice: Dice, *, x: int, z: int) -> Thing:
    """An advertisement on two legs: a loud ground, a shape, and bars for words."""
    width, height = dice.pick(((4200, 2800), (2600, 1800), (1300, 1900)))
    low = dice.between(1600, 3000)
    plane = Upright(x, low + height // 2, z, turn=dice.between(-3, 3))
    ground, ink = dice.pick(LOUD), dice.pick((WHITE, (250, 214, 60), BLACK))
    legs = [rectangle(side * width // 3, -(low + height) // 2, 130, low) for side in (-1, 1)]
    glow = dice.pick((30, 90, 170))
    shape = dice.pick((
        disc(-width // 4, height // 8, height // 4),
        ellipse(-width // 4, 0, width // 6, height // 3),
        polygon((-width * 2 // 5, -height // 4), (-width // 10, -height // 4), (-width // 4, height // 3)),
    ))  # fmt: skip
    words = [
        rectangle(width // 5, height * place // 100, width * dice.between(25, 45) // 100, height // 11)
        for place in (28, 8, -12)
    ]
    return Thing(z, (
        *plane.faces(legs, Paint(shaded(STEEL, 62))),
        *plane.faces([rectangle(0, 0, width + 140, height + 140)], Paint((70, 72, 76))),
        *plane.faces([rectangle(0, 0, width, height)], Paint(ground, glow=glow, texture=6)),
        *plane.faces([shape, *words], Paint(ink, glow=glow)),
    ))  # fmt: skip


def round_shop_sign(dice: Dice, *, x: int, y: int, z: int) -> Thing:
    """A blue or red disc on a bracket at a wall, with a trade's mark that no road sign has."""
    plane = Upright(x, y, z, turn=dice.between(-2, 2))
    radius, ground = dice.between(260, 420), dice.pick((SIGN_BLUE, (26, 96, 190), (196, 28, 36), (208, 40, 34)))
    mark = dice.pick((
        [rectangle(0, 0, radius, radius * 2 // 5)],
        [disc(0, radius // 5, radius // 3, corners=12), rectangle(0, -radius * 2 // 5, radius * 4 // 5, radius // 6)],
        [ellipse(0, 0, radius * 3 // 5, radius // 4), rectangle(0, -radius // 2, radius // 2, radius // 8)],
    ))  # fmt: skip
    outward = 1 if x > 0 else -1
    glow = dice.pick((40, 200))
    return Thing(z, (
        *plane.faces([stroke((0, radius), (outward * 900, radius), 50)], Paint((50, 50, 54))),
        *plane.faces([disc(0, 0, radius)], Paint(ground, glow=glow)),
        *plane.faces(mark, Paint(dice.pick(((250, 206, 70), WHITE, (250, 160, 40))), glow=glow)),
    ))  # fmt: skip


def name_plate(dice: Dice, *, x: int, y: int, z: int) -> Thing:
    """A street's name: a low blue plate with two rows of letters."""
    plane = Upright(x, y, z)
    letters = [rectangle(column * 90 - 240, row, dice.between(40, 70), 60) for row in (55, -60) for column in range(6)]
    return Thing(z, (
        *plane.faces([rectangle(0, 0, 720, 330)], Paint(WHITE, glow=40)),
        *plane.faces([rectangle(0, 0, 680, 290)], Paint((24, 66, 150), glow=40)),
        *plane.faces(letters, Paint(WHITE, glow=40)),
    ))  # fmt: skip


def red_lamp(dice: Dice, *, x: int, y: int, z: int) -> Thing:
    """A round red lamp or lantern that hangs at a wall or a wire."""
    plane = Upright(x, y, z)
    radius = dice.between(150, 280)
    return Thing(z, (
        *plane.faces([rectangle(0, radius + 150, 24, 300)], Paint(BLACK)),
        *plane.faces([disc(0, 0, radius)], Paint((190, 22, 28), glow=235)),
        *plane.faces([disc(0, 0, radius * 3 // 5, corners=12)], Paint((255, 70, 56), glow=255)),
    ))  # fmt: skip


def target_sign(dice: Dice, *, x: int, z: int) -> Thing:
    """A filling station's or shop's round mark on a high pole: rings in red and white, filled to the middle."""
    height = dice.between(4200, 6500)
    plane = Upright(x, height, z)
    radius = dice.between(480, 800)
    glow = dice.pick((60, 215))
    heart = dice.pick(((236, 180, 30), (20, 120, 84)))
    return Thing(z, (
        *plane.faces([rectangle(0, -height // 2, 200, height)], Paint(shaded(STEEL, 80))),
        *plane.faces([disc(0, 0, radius)], Paint((206, 30, 36), glow=glow)),
        *plane.faces([disc(0, 0, radius * 7 // 10)], Paint(WHITE, glow=glow)),
        *plane.faces([disc(0, 0, radius * 5 // 10)], Paint(heart, glow=glow)),
        *plane.faces([rounded(rectangle(0, -radius - 350, radius * 2, 420), 60)], Paint(WHITE, glow=glow)),
        *plane.faces([rectangle(0, -radius - 350, radius * 3 // 2, 130)], Paint((206, 30, 36), glow=glow)),
    ))  # fmt: skip


def pennants(dice: Dice, *, z: int) -> Thing:
    """A string of triangular flags over the road."""
    plane = Upright(0, dice.between(5200, 6200), z)
    colours = ((200, 30, 36), (206, 40, 40), (20, 120, 70), WHITE, (30, 90, 180))
    faces = plane.faces([rectangle(0, 0, 14_000, 40)], Paint((60, 60, 60)))
    for left in range(-6400, 6000, 1050):
        flag = polygon((left, 0), (left + 620, 0), (left + 310, -720))
        faces += plane.faces([flag], Paint(dice.pick(colours), glow=10))
    return Thing(z, tuple(faces))


def waste_bin(dice: Dice, *, x: int, z: int) -> Thing:
    """A dark or green bin as high as a traffic light is long."""
    plane = Upright(x, 0, z)
    colour = dice.pick(((30, 30, 34), (36, 74, 50), (40, 60, 110), (210, 160, 40)))
    lid = polygon((-360, 980), (360, 980), (320, 1120), (-320, 1120))
    return Thing(z, (*plane.faces([rectangle(0, 500, 620, 960)], Paint(colour)),
                     *plane.faces([lid], Paint(shaded(colour, 70)))))  # fmt: skip


def cabinet(dice: Dice, *, x: int, z: int) -> Thing:
    """A machine or an advertisement that stands on the ground, in the colours of signs and with round marks."""
    plane = Upright(x, 0, z)
    case = dice.pick(((34, 34, 38), (196, 28, 36), (30, 90, 180)))
    marks = [disc(0, 1480, 230, corners=16), rectangle(0, 1000, 480, 160), disc(0, 560, 150, corners=12)]
    return Thing(z, (
        *plane.faces([rounded(rectangle(0, 950, 800, 1900), 60)], Paint(case, glow=30)),
        *plane.faces(marks, Paint(dice.pick((WHITE, (240, 200, 60), (200, 60, 60))), glow=120)),
    ))  # fmt: skip
