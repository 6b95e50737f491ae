"""The conditions that a picture is taken under, their shares, and how each colours sky, air and ground."""

from dataclasses import dataclass

from edgeloop.data.scenes.colours import Colour, mixed
from edgeloop.data.scenes.dice import Dice

DECK = {"day": 6, "night": 5, "rain": 3, "fog": 2, "blur": 2, "glare": 2}
"""How many of any twenty scenes that begin at a multiple of twenty are taken under each condition."""

CONDITIONS = tuple(DECK)

_DECK_SIZE = sum(DECK.values())
_DECK_STREAM = 1


@dataclass(frozen=True, slots=True)
class Air:
    """How far one sees.

    Args:
        colour: What everything fades to.
        half_mm: Where half of a thing's colour is gone.
    """

    colour: Colour
    half_mm: int

    def share(self, depth_mm: int) -> int:
        """Parts of 64 that are air at this depth."""
        return 64 * depth_mm // (depth_mm + self.half_mm)


@dataclass(frozen=True, slots=True)
class Look:
    """Sky, air and light of one scene.

    Args:
        sky_top: At the upper edge.
        sky_low: At the horizon.
        clouds: How strong, 0 to 127.
        air: See `Air`.
        tint: Red, green and blue of the light, in parts of 64.
        soil_share: Parts of 64 by which the ground is dry.
    """

    sky_top: Colour
    sky_low: Colour
    clouds: int
    air: Air
    tint: Colour
    soil_share: int


def condition_of(seed: int, number: int) -> str:
    """The condition of scene `number`: cards dealt from a shuffled deck of twenty."""
    cards = [condition for condition, count in DECK.items() for _ in range(count)]
    return Dice(seed, number // _DECK_SIZE, _DECK_STREAM).shuffled(cards)[number % _DECK_SIZE]


def look_of(condition: str, dice: Dice) -> Look:
    """A look of the condition; days and hours differ."""
    soil = dice.between(10, 60)
    if condition == "night":
        top, low = dice.pick((((8, 10, 22), (24, 26, 42)), ((10, 14, 34), (46, 38, 50)), ((6, 6, 12), (34, 30, 30))))
        return Look(top, low, 14, Air(low, 400_000), (64, 64, 64), soil)
    if condition == "rain":
        low = dice.pick(((150, 156, 164), (134, 140, 150), (168, 170, 172)))
        grey = dice.between(44, 54)
        return Look(
            mixed(low, (70, 78, 90), 34),
            low,
            60,
            Air(low, dice.between(90_000, 160_000)),
            (grey, grey + 1, grey + 3),
            soil,
        )
    if condition == "fog":
        low = dice.pick(((200, 202, 204), (186, 190, 196), (208, 204, 196)))
        return Look(mixed(low, (150, 156, 166), 14), low, 6, Air(low, dice.between(14_000, 34_000)), (62, 62, 63), soil)
    if condition == "glare":
        low = dice.pick(((255, 226, 176), (255, 214, 150), (250, 236, 204)))
        return Look(dice.pick(((120, 160, 208), (150, 170, 196))), low, 30, Air(low, 150_000), (50, 46, 42), soil)
    top, low = dice.pick((
        ((72, 128, 202), (182, 208, 230)), ((92, 146, 212), (206, 220, 230)), ((128, 150, 178), (204, 208, 212)),
        ((60, 112, 190), (226, 214, 196)), ((150, 160, 172), (196, 200, 204)),
    ))  # fmt: skip
    tint = dice.pick(((64, 64, 64), (66, 64, 60), (60, 62, 64), (56, 57, 60), (70, 69, 67), (68, 62, 54)))
    return Look(top, low, dice.between(0, 90), Air(low, dice.between(250_000, 600_000)), tint, soil)
