"""What is drawn inside signs, made of convex outlines, y upwards, within about 300 units of 0, 0."""

from edgeloop.data.scenes.shapes import Outline, Point, arc, arrow, disc, ellipse, line, polygon, rectangle, stroke

Pictogram = tuple[Outline, ...]


def moved(pictogram: Pictogram, *, x: int = 0, y: int = 0, percent: int = 100) -> Pictogram:
    """The same, scaled and elsewhere."""
    return tuple(outline * percent // 100 + (x, y) for outline in pictogram)


def mirrored(pictogram: Pictogram) -> Pictogram:
    """Left for right."""
    return tuple(outline * (-1, 1) for outline in pictogram)


def way(*points: Point, width: int = 90) -> Pictogram:
    """An arrow along `points`."""
    return tuple(arrow(points, width, width * 3 // 2))


def bar(width: int, height: int, y: int = 0) -> Pictogram:
    """A bar across."""
    return (rectangle(0, y, width, height),)


def walker() -> Pictogram:
    """A walking figure."""
    limbs = [
        stroke((0, 120), (-10, -40), 100),
        stroke((-10, -50), (-90, -260), 55), stroke((0, -50), (90, -250), 55),
        stroke((-10, 100), (-120, 0), 42), stroke((10, 100), (110, -10), 42),
    ]  # fmt: skip
    return (disc(10, 235, 62, corners=12), *limbs)


def children() -> Pictogram:
    """Two figures, one smaller."""
    return (*moved(walker(), x=-95, y=15, percent=78), *moved(walker(), x=110, y=-35, percent=62))


def bicycle() -> Pictogram:
    """Two wheels as rings of strokes, and a frame."""
    wheels = [piece for x in (-160, 160) for piece in line([*arc(x, -80, 110, first=0, last=48)][::2], 30)]
    frame = line([(-160, -80), (-70, 80), (110, 80), (20, -80), (-160, -80)], 28)
    steering = line([(160, -80), (90, 150), (160, 150)], 28)
    return (*wheels, *frame, *steering, stroke((-120, 110), (-30, 110), 30))


def car_front() -> Pictogram:
    """A car from the front."""
    cabin = polygon((-110, 20), (110, 20), (75, 130), (-75, 130))
    return cabin, rectangle(0, -35, 290, 120), rectangle(-105, -115, 60, 70), rectangle(105, -115, 60, 70)


def lorry() -> Pictogram:
    """A lorry from its side."""
    box, cabin = rectangle(-70, 50, 290, 190), polygon((95, -50), (230, -50), (230, 40), (180, 110), (95, 110))
    return box, cabin, disc(-140, -75, 55, corners=12), disc(150, -75, 55, corners=12)


def animal() -> Pictogram:
    """A camel from its side."""
    legs = [stroke((x, 0), (x + lean, -210), 38) for x, lean in ((-150, -20), (-100, 10), (70, -10), (120, 15))]
    neck = line([(130, 30), (200, 40), (215, 170)], 48)
    return (ellipse(0, 30, 180, 75), ellipse(0, 105, 70, 70, corners=12), *legs, *neck, ellipse(250, 185, 62, 30))


def roundabout() -> Pictogram:
    """Three arrows in a circle."""
    return tuple(
        piece
        for first in (2, 18, 34)
        for piece in arrow(arc(0, 0, 205, first=first + 12, last=first), 72, 105)
    )  # fmt: skip


def lamps() -> Pictogram:
    """Three discs one over the other: the pictogram of a traffic light ahead."""
    return tuple(disc(0, y, 62, corners=12) for y in (140, 0, -140))


def bend(*, twice: bool) -> Pictogram:
    """A bend to the right, or to the right and back."""
    if twice:
        return way((-50, -220), (-50, -60), (60, 20), (60, 190), width=70)
    return way((-60, -220), (-60, 0), (-20, 60), (110, 120), width=70)


def crossing() -> Pictogram:
    """Two roads that cross."""
    return stroke((-130, -150), (130, 150), 80), stroke((-130, 150), (130, -150), 80)


def narrowing() -> Pictogram:
    """Two edges that come together."""
    return tuple(
        piece
        for side in (-1, 1)
        for piece in line([(side * 120, -220), (side * 120, -90), (side * 55, 20), (side * 55, 170)], 56)
    )


def hump() -> Pictogram:
    """A hump in the road."""
    return polygon((-200, -120), (200, -120), (120, -40), (60, 20), (-60, 20), (-120, -40)), rectangle(0, -150, 440, 60)


def coach() -> Pictogram:
    """A bus from its side."""
    return rectangle(0, 20, 400, 200), disc(-110, -100, 50, corners=12), disc(110, -100, 50, corners=12)
