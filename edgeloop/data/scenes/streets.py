"""Which road it is and what stands beside it, signs apart."""

from collections.abc import Callable, Iterator

from edgeloop.data.scenes import buildings, furniture, plants, vehicles
from edgeloop.data.scenes.colours import CARS, Colour
from edgeloop.data.scenes.dice import Dice
from edgeloop.data.scenes.ground import Street
from edgeloop.data.scenes.things import Thing

PLACES = ("town", "town", "town", "suburb", "suburb", "country", "country")

_LANE_MM = 3300
_VANS: tuple[Colour, ...] = (
    (232, 232, 230),
    (236, 232, 222),
    (30, 88, 176),
    (196, 36, 36),
    (224, 176, 40),
    (120, 128, 134),
)


def street_of(dice: Dice) -> Street:
    """A road with the camera on its right half."""
    place = dice.pick(PLACES)
    right = dice.between(1400, 2500)
    lanes = dice.pick((1, 2, 2, 2, 3)) if place == "town" else 2
    left = right - lanes * _LANE_MM - 900
    marked = tuple(right - 300 - _LANE_MM * lane for lane in range(1, lanes))
    margin = dice.between(2600, 5200) if place == "town" else dice.between(5000, 10_000)
    other = dice.between(2600, 5200) if place == "town" else dice.between(5000, 10_000)
    zebra = dice.between(6000, 22_000) if place != "country" and dice.chance(35) else 0
    return Street(place, left, right, left - other, right + margin, marked, zebra)


def houses(street: Street, dice: Dice) -> list[Thing]:
    """What forms the street's walls, farthest first."""
    if street.place == "country":
        found = [_far_house(street, dice) for _ in range(dice.between(0, 3))]
    else:
        found = [*_row(street.left_wall, street.place, dice), *_row(street.right_wall, street.place, dice)]
    if dice.chance(12):
        found.append(
            buildings.tower(dice, x=dice.side() * dice.between(14_000, 30_000), near=dice.between(60_000, 110_000))
        )
    return sorted(found, key=lambda thing: -thing.depth_mm)


def _far_house(street: Street, dice: Dice) -> Thing:
    x = (
        street.right_wall + dice.between(2000, 16_000)
        if dice.chance(50)
        else street.left_wall - dice.between(2000, 16_000)
    )
    return buildings.gabled(dice, x=x, near=dice.between(25_000, 80_000))


def _row(x: int, place: str, dice: Dice) -> Iterator[Thing]:
    """Houses one behind the other, with gaps."""
    start = dice.between(1000, 9000) if place == "town" else dice.between(5000, 14_000)
    while start < 120_000:
        length = dice.between(9000, 20_000)
        if place == "town":
            yield buildings.house(dice, x=x, near=start, length=length, floors=dice.between(2, 5))
            start += length + (dice.between(3000, 9000) if dice.chance(30) else 0)
        elif dice.chance(35):
            yield buildings.gabled(dice, x=x, near=start)
            start += dice.between(11_000, 18_000)
        elif dice.chance(50):
            yield buildings.house(dice, x=x, near=start, length=length, floors=dice.between(1, 2))
            start += length + dice.between(4000, 14_000)
        else:
            yield buildings.garden_wall(dice, x=x, near=start, length=length)
            start += length + dice.between(0, 9000)


def lamps(street: Street, dice: Dice) -> list[tuple[int, int, int]]:
    """Where street lamps stand: x, z and height."""
    if street.place == "country" and dice.chance(80):
        return []
    side = street.right + 600 if dice.chance(50) else street.left - 600
    first, step, height = dice.between(7000, 16_000), dice.between(16_000, 26_000), dice.between(5500, 8000)
    return [(side, first + step * place, height) for place in range(4)]


def greenery(street: Street, dice: Dice) -> list[Thing]:
    """Trees and bushes."""
    kind = dice.pick((plants.tree, plants.tree, plants.palm, plants.cypress))
    margin = {"town": 1700, "suburb": 2600, "country": 4500}[street.place]
    found = []
    for _ in range(
        {"town": dice.between(0, 4), "suburb": dice.between(3, 7), "country": dice.between(2, 7)}[street.place]
    ):
        plant = dice.pick((kind, kind, kind, plants.bush))
        further = margin + (dice.between(0, 600) if street.place == "town" else dice.between(0, 9000))
        x = street.right + further if dice.chance(50) else street.left - further
        found.append(plant(dice, x=x, z=dice.between(7000, 70_000)))
    if street.place == "country" and dice.chance(50):
        x, step = dice.side() * dice.between(8000, 12_000), dice.between(24_000, 32_000)
        found += [furniture.pylon(x=x, z=9000 + step * place, spacing=step) for place in range(4)]
    return found


def traffic(street: Street, dice: Dice) -> list[Thing]:
    """Vehicles on both halves and at the kerb, and people beside the road."""
    found: list[Thing] = []
    ahead, oncoming = 9000, 6000
    for _ in range(dice.between(0, 3)):
        ahead += dice.between(0, 16_000)
        found.append(_vehicle(dice, x=dice.between(-350, 350), z=ahead, oncoming=False))
        ahead += 9000
    for _ in range(dice.between(0, 3) if street.lanes else 0):
        oncoming += dice.between(0, 20_000)
        found.append(
            vehicles.car(dice, x=street.lanes[0] - _LANE_MM // 2 + dice.between(-250, 250), z=oncoming, oncoming=True)
        )
        oncoming += 8000
    if street.place == "town" and street.right > 2100:
        found += [
            _vehicle(dice, x=street.right - 750, z=z, oncoming=False) for z in (24_000, 31_000) if dice.chance(50)
        ]
    if street.place != "country":
        found += [_walker(street, dice) for _ in range(dice.between(0, 4))]
    return found


def _vehicle(dice: Dice, *, x: int, z: int, oncoming: bool) -> Thing:
    if dice.chance(20):
        return vehicles.van(dice, x=x, z=z, height=dice.between(2000, 3000), colour=dice.pick((*_VANS, *CARS[:3])))
    return vehicles.car(dice, x=x, z=z, oncoming=oncoming)


def _walker(street: Street, dice: Dice) -> Thing:
    x = street.right + dice.between(500, 2200) if dice.chance(60) else street.left - dice.between(500, 2200)
    return vehicles.person(dice, x=x, z=dice.between(6000, 30_000))


def lookalikes(street: Street, dice: Dice) -> list[Thing]:
    """Things in the colours and shapes of signs that are none."""
    kinds = (_shop_disc, _shop_disc, _red_lamp, _name_plate, _billboard, _target, _barrier, _cones, _cabinet, _bin)
    found = [thing for _ in range(dice.between(2, 5)) for thing in dice.pick(kinds)(street, dice)]
    if street.place == "town" and dice.chance(10):
        found.append(furniture.pennants(dice, z=dice.between(14_000, 40_000)))
    if street.place == "country" and dice.chance(40):
        found.append(furniture.rail(x=street.right + 900, near=dice.between(3000, 12_000), length=24_000))
    return found


Placing = Callable[[Street, Dice], list[Thing]]


def _at_wall(street: Street, dice: Dice) -> int:
    return street.right_wall - 500 if dice.chance(60) else street.left_wall + 500


def _on_verge(street: Street, dice: Dice) -> int:
    return street.right + dice.between(500, 1900) if dice.chance(65) else street.left - dice.between(500, 1900)


def _beyond_verge(street: Street, dice: Dice) -> int:
    return street.right + dice.between(3200, 8000) if dice.chance(60) else street.left - dice.between(3200, 8000)


def _shop_disc(street: Street, dice: Dice) -> list[Thing]:
    x, z = _at_wall(street, dice), dice.between(8000, 24_000)
    if street.place == "country":
        return _billboard(street, dice)
    return [furniture.round_shop_sign(dice, x=x, y=dice.between(2600, 3600), z=z)]


def _red_lamp(street: Street, dice: Dice) -> list[Thing]:
    x, z = _at_wall(street, dice), dice.between(7000, 20_000)
    return [furniture.red_lamp(dice, x=x, y=dice.between(2400, 3600), z=z)] if street.place != "country" else []


def _name_plate(street: Street, dice: Dice) -> list[Thing]:
    x, z = _on_verge(street, dice), dice.between(6000, 16_000)
    return [furniture.post(x=x, z=z + 20, height=2500), furniture.name_plate(dice, x=x, y=2350, z=z)]


def _billboard(street: Street, dice: Dice) -> list[Thing]:
    return [furniture.billboard(dice, x=_beyond_verge(street, dice), z=dice.between(12_000, 45_000))]


def _target(street: Street, dice: Dice) -> list[Thing]:
    return [furniture.target_sign(dice, x=_beyond_verge(street, dice), z=dice.between(12_000, 40_000))]


def _barrier(street: Street, dice: Dice) -> list[Thing]:
    return [furniture.barrier(dice, x=_on_verge(street, dice), z=dice.between(6000, 22_000))]


def _cones(street: Street, dice: Dice) -> list[Thing]:
    x, first = street.right - dice.between(0, 400), dice.between(6000, 18_000)
    return [furniture.cone(x=x, z=first + 2200 * place) for place in range(dice.between(2, 4))]


def _cabinet(street: Street, dice: Dice) -> list[Thing]:
    return [furniture.cabinet(dice, x=_on_verge(street, dice), z=dice.between(7000, 20_000))]


def _bin(street: Street, dice: Dice) -> list[Thing]:
    return [furniture.waste_bin(dice, x=_on_verge(street, dice), z=dice.between(6000, 18_000))]
