"""The five classes of signs and their designs.

A design is layers, one over the other, in units of a thousandth of the sign's longest side, centred on 0, 0, y upwards.
The first layer is the outline, which is what a box is put around.

Source of the families: Convention on Road Signs and Signals, Vienna 1968, annex 1, which Moroccan signs follow.
"""

from dataclasses import dataclass, replace
from functools import cache

from edgeloop.data.scenes import pictograms
from edgeloop.data.scenes.colours import BLACK, GREY, SIGN_BLUE, SIGN_RED, SIGN_YELLOW, WHITE, Colour
from edgeloop.data.scenes.pictograms import Pictogram, mirrored, moved, way
from edgeloop.data.scenes.shapes import Outline, disc, polygon, rectangle, rounded, stroke, text

CLASSES = ("obligation", "recommendation", "warning", "light", "prohibition")

ROUND = 500
"""Half of a sign's longest side."""

_DARK = (34, 34, 38)
_OFF = {"red": (72, 22, 22), "amber": (74, 58, 20), "green": (18, 62, 42)}
_LIT = {"red": (255, 60, 44), "amber": (255, 186, 50), "green": (70, 255, 170)}


@dataclass(frozen=True, slots=True)
class Layer:
    """An outline in one colour; what shines is a lamp, the rest of a sign throws light back."""

    outline: Outline
    colour: Colour
    shines: bool = False


@dataclass(frozen=True, slots=True)
class Design:
    """One sign of a class.

    Args:
        label: Of `CLASSES`.
        name: What it says.
        layers: From back to front.
        height: Thousandths of the longest side.
    """

    label: str
    name: str
    layers: tuple[Layer, ...]
    height: int = 1000


@cache
def designs() -> dict[str, tuple[Design, ...]]:
    """All designs of each class, in the order of `CLASSES`."""
    families = (_obligations(), _recommendations(), _warnings(), _lights(), _prohibitions())
    return dict(zip(CLASSES, families, strict=True))


def _painted(pictogram: Pictogram, colour: Colour) -> tuple[Layer, ...]:
    return tuple(Layer(outline, colour) for outline in pictogram)


def _obligations() -> tuple[Design, ...]:
    turn = way((-130, -230), (-130, 10), (-60, 80), (130, 80))
    fork = (*way((-60, -260), (-60, 200)), *way((-60, -120), (0, -20), (150, -20), width=80))
    contents: dict[str, Pictogram] = {
        "straight": way((0, -260), (0, 210), width=110),
        "right": way((-230, 0), (200, 0), width=110),
        "left": mirrored(way((-230, 0), (200, 0), width=110)),
        "turn right": turn,
        "turn left": mirrored(turn),
        "straight or right": fork,
        "straight or left": mirrored(fork),
        "keep right": way((-160, 160), (150, -150), width=110),
        "keep left": mirrored(way((-160, 160), (150, -150), width=110)),
        "roundabout": moved(pictograms.roundabout(), percent=115),
        "bicycles": moved(pictograms.bicycle(), percent=115),
        "pedestrians": moved(pictograms.walker(), percent=115),
        "at least 30": text("30", height=400, width=66),
        "at least 60": text("60", height=400, width=66),
    }
    plate = (Layer(disc(0, 0, ROUND), WHITE), Layer(disc(0, 0, 465), SIGN_BLUE))
    return tuple(Design("obligation", name, (*plate, *_painted(p, WHITE))) for name, p in contents.items())


def _recommendations() -> tuple[Design, ...]:
    return (
        _panel("parking", 1000, _painted(text("P", height=640, width=120), WHITE)),
        _panel("hospital", 1000, _painted(text("H", height=560, width=110), WHITE)),
        _panel("information", 1000, _painted(text("i", height=700, width=120), WHITE)),
        _panel("one way", 1000, _painted(way((0, -330), (0, 250), width=150), WHITE)),
        _panel("one way across", 1000, _painted(way((-340, 0), (290, 0), width=130), WHITE), height=420),
        _panel("pedestrian crossing", 1000, _on_triangle(moved(pictograms.walker(), y=-90, percent=82))),
        _panel("bicycles cross", 1000, _on_triangle(moved(pictograms.bicycle(), y=-130, percent=82))),
        _panel("no through road", 1000, _no_through_road()),
        _panel("advised 70", 1000, _painted(text("70", height=440, width=76), WHITE)),
        _panel("advised 50", 1000, _painted(text("50", height=440, width=76), WHITE)),
        _panel("bus stop", 800, (*_plate(rectangle(0, 110, 560, 440), WHITE), *_painted(_coach(), BLACK))),
        _panel("motorway", 800, _painted(_motorway(), WHITE)),
        _panel("priority over oncoming", 1000, _priority()),
        _panel("filling station", 700, (*_plate(rectangle(0, 90, 500, 500), WHITE), *_painted(_pump(), BLACK))),
    )


def _panel(name: str, width: int, content: tuple[Layer, ...], *, height: int = 1000) -> Design:
    edge = rounded(rectangle(0, 0, width, height), 70)
    inner = rounded(rectangle(0, 0, width - 56, height - 56), 50)
    return Design("recommendation", name, (Layer(edge, WHITE), Layer(inner, SIGN_BLUE), *content), height)


def _plate(outline: Outline, colour: Colour) -> tuple[Layer, ...]:
    return (Layer(outline, colour),)


def _on_triangle(pictogram: Pictogram) -> tuple[Layer, ...]:
    return (Layer(polygon((-400, -330), (400, -330), (0, 380)), WHITE), *_painted(pictogram, BLACK))


def _no_through_road() -> tuple[Layer, ...]:
    return Layer(rectangle(0, -90, 150, 560), WHITE), Layer(rectangle(0, 240, 480, 140), SIGN_RED)


def _coach() -> Pictogram:
    return moved(pictograms.coach(), y=120)


def _motorway() -> Pictogram:
    sides = tuple(stroke((x, -330), (x // 2, 330), 90) for x in (-190, 190))
    return (*sides, rectangle(0, 90, 620, 80), rectangle(0, -300, 20, 100), rectangle(0, 320, 20, 80))


def _priority() -> tuple[Layer, ...]:
    up, down = way((170, -330), (170, 260), width=120), way((-170, 330), (-170, -240), width=90)
    return (*_painted(up, WHITE), *_painted(down, SIGN_RED))


def _pump() -> Pictogram:
    return rectangle(-40, 80, 180, 340), *_hose()


def _hose() -> Pictogram:
    return stroke((60, -30), (140, -30), 34), stroke((140, -30), (140, 160), 34), stroke((140, 160), (80, 220), 34)


_SMALL = 62
"""Percent of a pictogram's size that fits into a triangle."""


def _warnings() -> tuple[Design, ...]:
    contents: dict[str, Pictogram] = {
        "danger": moved(text("!", height=420, width=88), y=-70),
        "bend right": moved(pictograms.bend(twice=False), y=-100, percent=80),
        "bend left": moved(mirrored(pictograms.bend(twice=False)), y=-100, percent=80),
        "double bend": moved(pictograms.bend(twice=True), y=-90, percent=85),
        "children": moved(pictograms.children(), y=-110, percent=80),
        "pedestrians": moved(pictograms.walker(), y=-90, percent=72),
        "crossing": moved(pictograms.crossing(), y=-110, percent=80),
        "road narrows": moved(pictograms.narrowing(), y=-90, percent=78),
        "hump": moved(pictograms.hump(), y=-110, percent=88),
        "camels": moved(pictograms.animal(), y=-120, percent=72),
        "bicycles": moved(pictograms.bicycle(), y=-140, percent=_SMALL + 10),
        "roundabout": moved(pictograms.roundabout(), y=-120, percent=72),
    }
    signals = tuple(
        Layer(outline, colour)
        for outline, colour in zip(
            moved(pictograms.lamps(), y=-90, percent=84), (SIGN_RED, SIGN_YELLOW, (30, 140, 70)), strict=True
        )
    )
    plain = {name: _painted(pictogram, BLACK) for name, pictogram in contents.items()}
    works = _painted(moved(pictograms.walker(), y=-90, percent=72), BLACK)
    return (
        *(_triangle(name, WHITE, layers) for name, layers in (*plain.items(), ("traffic lights", signals))),
        _triangle("road works", SIGN_YELLOW, works),
        _triangle("danger at works", SIGN_YELLOW, plain["danger"]),
    )


def _triangle(name: str, ground: Colour, content: tuple[Layer, ...]) -> Design:
    """Point upwards."""
    edge = rounded(polygon((-500, -433), (500, -433), (0, 433)), 110)
    red = rounded(polygon((-478, -420), (478, -420), (0, 408)), 105)
    inner = rounded(polygon((-318, -325), (318, -325), (0, 226)), 50)
    layers = (Layer(edge, WHITE), Layer(red, SIGN_RED), Layer(inner, ground), *content)
    return Design("warning", name, tuple(replace(layer, outline=layer.outline * 109 // 100) for layer in layers), 891)


def _lights() -> tuple[Design, ...]:
    three = ("red", "amber", "green")
    plain = [_signal(f"{on}, dark", three, (on,), _DARK, None) for on in three]
    yellow = [_signal(f"{on}, yellow case", three, (on,), (222, 168, 30), None) for on in ("red", "green")]
    backed = [_signal(f"{on}, backboard", three, (on,), _DARK, WHITE) for on in ("red", "green")]
    return (
        *plain, *yellow, *backed,
        _signal("red and amber", three, ("red", "amber"), _DARK, None),
        _signal("amber, backboard", three, ("amber",), _DARK, GREY),
        _signal("walk", ("red", "green"), ("green",), _DARK, None),
        _signal("do not walk", ("red", "green"), ("red",), _DARK, None),
    )  # fmt: skip


def _signal(name: str, lamps: tuple[str, ...], lit: tuple[str, ...], case: Colour, board: Colour | None) -> Design:
    """Lamps one over the other in a case, before a board if there is one."""
    pitch = 980 // len(lamps) if board is None else 840 // len(lamps)
    pitch = min(pitch, 480)
    width, height = pitch + 40, pitch * len(lamps) + 20
    layers = [] if board is None else _board(width, board)
    layers.append(Layer(rounded(rectangle(0, 0, width, height), 50), case))
    for row, lamp in enumerate(lamps):
        y = pitch * (len(lamps) - 1 - 2 * row) // 2
        layers += _lamp(lamp, y, pitch, shines=lamp in lit)
    return Design("light", name, tuple(layers), 1000 if board else height)


def _board(width: int, edge: Colour) -> list[Layer]:
    outer, inner = rectangle(0, 0, width + 200, 1000), rectangle(0, 0, width + 140, 940)
    return [Layer(rounded(outer, 60), edge), Layer(rounded(inner, 50), BLACK)]


def _lamp(lamp: str, y: int, pitch: int, *, shines: bool) -> list[Layer]:
    radius = pitch * 38 // 100
    hood = Layer(disc(0, y + pitch // 16, radius + pitch // 16), (14, 14, 16))
    if not shines:
        return [hood, Layer(disc(0, y, radius), _OFF[lamp])]
    heart = tuple(min(part + 60, 255) for part in _LIT[lamp])
    return [
        hood,
        Layer(disc(0, y, radius), _LIT[lamp], shines=True),
        Layer(disc(0, y, radius // 2, corners=12), (heart[0], heart[1], heart[2]), shines=True),
    ]


def _prohibitions() -> tuple[Design, ...]:
    speeds = [_ring(f"limit {s}", _painted(text(s, height=420, width=70), BLACK)) for s in ("20", "40", "60", "80")]
    high = [_ring(f"limit {s}", _painted(text(s, height=340, width=58), BLACK)) for s in ("100", "120")]
    turn = way((-110, -220), (-110, 20), (-50, 80), (120, 80), width=80)
    overtaking = (
        *_painted(moved(pictograms.car_front(), x=-140, percent=78), SIGN_RED),
        *_painted(moved(pictograms.car_front(), x=140, percent=78), BLACK),
    )
    no_entry = (
        Layer(disc(0, 0, ROUND), WHITE),
        Layer(disc(0, 0, 480), SIGN_RED),
        Layer(rectangle(0, 0, 720, 170), WHITE),
    )
    return (
        *speeds, *high,
        Design("prohibition", "no entry", no_entry),
        _ring("no vehicles", ()),
        _ring("no overtaking", overtaking),
        _ring("no right turn", (*_painted(turn, BLACK), _slash())),
        _ring("no left turn", (*_painted(mirrored(turn), BLACK), _slash())),
        _ring("no lorries", _painted(pictograms.lorry(), BLACK)),
        _ring("no pedestrians", (*_painted(pictograms.walker(), BLACK), _slash())),
        _ring("no bicycles", _painted(pictograms.bicycle(), BLACK)),
        _ring("no parking", (_slash(),), ground=SIGN_BLUE),
        _ring("no stopping", (_slash(), Layer(_slash().outline * (-1, 1), SIGN_RED)), ground=SIGN_BLUE),
    )  # fmt: skip


def _ring(name: str, content: tuple[Layer, ...], *, ground: Colour = WHITE) -> Design:
    plate = (Layer(disc(0, 0, ROUND), WHITE), Layer(disc(0, 0, 485), SIGN_RED), Layer(disc(0, 0, 365), ground))
    return Design("prohibition", name, (*plate, *content))


def _slash() -> Layer:
    return Layer(stroke((-240, 240), (240, -240), 80), SIGN_RED)
