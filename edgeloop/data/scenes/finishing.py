"""What light, weather and lens do to a drawn picture.

A picture is int32 `[3, S, S]`, 0 to 255, with `S` its side in pixels; a drawn one has a fourth channel, see `canvas`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.scenes.blurring import Pixels, box_mean, soft
from edgeloop.data.scenes.camera import Camera
from edgeloop.data.scenes.colours import Colour
from edgeloop.data.scenes.dice import Dice

_BLOOM_CELL = 4
_REFERENCE = 320
"""The side in pixels that lengths below are given for."""


def lit_by_day(drawn: NDArray[np.int16], tint: Colour) -> Pixels:
    """Daylight of a tint in parts of 64."""
    lit: Pixels = np.minimum(drawn[:3].astype(np.int32) * _colour(tint) >> 6, 255)
    return lit


def lit_by_night(drawn: NDArray[np.int16], camera: Camera, lamps: Sequence[tuple[int, int, int]], dice: Dice) -> Pixels:
    """A dark blue rest of light, the headlights' cone, pools under lamps (x, y, radius in pixels), and halos."""
    picture, own = drawn[:3].astype(np.int32), drawn[3].astype(np.int32)
    light = _headlights(camera, strength=dice.between(70, 130))
    for x, y, radius in lamps:
        _add_pool(light, x, y, radius)
    rest = dice.between(30, 68)
    total = light + _colour((rest, rest + 3, rest + 16))
    picture = picture * np.minimum(np.maximum(total, own), 256) >> 8
    lit: Pixels = np.minimum(picture + _bloom(picture, own), 255)
    return lit


def _colour(colour: Colour) -> Pixels:
    """One colour for all pixels."""
    return np.array(colour, dtype=np.int32)[:, None, None]


def _headlights(camera: Camera, *, strength: int) -> Pixels:
    side = camera.side_px
    rows, columns = np.arange(side, dtype=np.int32)[:, None], np.arange(side, dtype=np.int32)[None, :]
    below = rows - camera.horizon_px + side // 32
    reach = np.clip(below * 640 // side, 0, 100)
    aside = np.abs(columns - camera.centre_px) * 100 // (side // 3 + np.maximum(below, 0))
    light: Pixels = (strength * reach * np.maximum(100 - aside * aside // 100, 0) // 10_000).astype(np.int32)
    return light


def _add_pool(light: Pixels, x: int, y: int, radius: int) -> None:
    side = len(light)
    left, right = max(x - radius, 0), min(x + radius, side)
    top, bottom = max(y - radius // 3, 0), min(y + radius // 3, side)
    if left >= right or top >= bottom:
        return
    across = np.arange(left, right, dtype=np.int32)[None, :] - x
    along = (np.arange(top, bottom, dtype=np.int32)[:, None] - y) * 3
    light[top:bottom, left:right] += 120 * np.maximum(radius * radius - across**2 - along**2, 0) // (radius * radius)


def _bloom(picture: Pixels, own: Pixels) -> Pixels:
    """Light that spills from lamps over what is around them."""
    side, cell = picture.shape[1], _BLOOM_CELL
    bright = picture * ((own >= 225) & (picture.max(axis=0) > 90))
    cells = bright.reshape(3, side // cell, cell, side // cell, cell).sum(axis=(2, 4), dtype=np.int32) // 6
    halo = soft(soft(cells, 2), 2)
    return soft(halo.repeat(cell, axis=1).repeat(cell, axis=2), 2)


def mirror_in_road(drawn: NDArray[np.int16], camera: Camera) -> None:
    """Lays what is above the horizon over the wet ground below it; this is done to a canvas, while drawing."""
    above, below = drawn[:, : camera.horizon_px][:, ::-1], drawn[:, camera.horizon_px :]
    rows = min(above.shape[1], below.shape[1])
    part = below[:, :rows]
    part += ((above[:, :rows] - part) * 16) >> 6


def rained_on(picture: Pixels, dice: Dice) -> Pixels:
    """Streaks of falling rain, and drops on the glass before the lens."""
    side = picture.shape[1]
    veil = np.zeros((side, side), dtype=np.int32)
    slant = dice.between(-6, 6)
    for _ in range(dice.between(120, 320)):
        length = side * dice.between(3, 9) // 100
        along = np.arange(length)
        rows = dice.between(-length, side - 1) + along
        columns = dice.between(0, side - 1) + (along * slant >> 4)
        inside = (rows >= 0) & (rows < side) & (columns >= 0) & (columns < side)
        veil[rows[inside], columns[inside]] = dice.between(14, 46)
    wet = picture + ((225 - picture) * veil >> 7)
    for _ in range(dice.between(0, 16)):
        _add_drop(wet, dice)
    return wet


def _add_drop(picture: Pixels, dice: Dice) -> None:
    """A drop shows what is around it upside down and out of focus."""
    side = picture.shape[1]
    radius = dice.between(side // 100 + 1, side // 45 + 1)
    x, y = dice.between(radius, side - radius - 1), dice.between(radius, side - radius - 1)
    part = picture[:, y - radius : y + radius + 1, x - radius : x + radius + 1]
    span = np.arange(-radius, radius + 1, dtype=np.int32)
    square = span[:, None] ** 2 + span[None, :] ** 2
    share = np.clip((radius * radius - square) * 96 // (radius * radius), 0, 52)
    part += (soft(part[:, ::-1], radius // 2 + 1) + 14 - part) * share >> 6


def shaken(picture: Pixels, dice: Dice) -> Pixels:
    """A moving or badly focused camera."""
    side = picture.shape[1]
    if dice.chance(60):
        return box_mean(box_mean(picture, dice.between(side // 160, side // 70), axis=2), 1, axis=2)
    return soft(picture, side // 320 + 1 + dice.between(0, side // 320))


def dazzled(picture: Pixels, camera: Camera, dice: Dice) -> Pixels:
    """A low sun ahead: its light spreads over everything, and the lens shows rings of it."""
    side = picture.shape[1]
    x = camera.centre_px + side * dice.between(-28, 28) // 100
    y = camera.horizon_px - side * dice.between(3, 26) // 100
    rows, columns = _away(side, x, y)
    spread = dice.between(900, 3000) * side * side // _REFERENCE**2
    light = 290 * spread // (rows * rows + columns * columns + spread) + dice.between(14, 44)
    narrow = 1200 * side * side // _REFERENCE**2
    gleam = 60 * narrow // (columns * columns + narrow) * np.clip((rows + y - camera.horizon_px) * 8, 0, side) // side
    sunny = picture + ((light + gleam) * _colour((64, 58, 46)) >> 6)
    for place in (-30, 45, 70, 110):
        ring = x + (side // 2 - x) * place // 50, y + (side // 2 - y) * place // 50
        _add_ring(sunny, *ring, radius=side * dice.between(2, 6) // 100)
    result: Pixels = np.minimum(sunny, 255)
    return result


def _away(side: int, x: int, y: int) -> tuple[Pixels, Pixels]:
    """How far down and to the right of x, y each row and column lies."""
    return np.arange(side, dtype=np.int32)[:, None] - y, np.arange(side, dtype=np.int32)[None, :] - x


def _add_ring(picture: Pixels, x: int, y: int, *, radius: int) -> None:
    rows, columns = _away(picture.shape[1], x, y)
    picture += ((rows * rows + columns * columns < radius * radius) * _colour((10, 16, 7))).astype(np.int32)


def grained(picture: Pixels, dice: Dice, *, strength: int) -> NDArray[np.uint8]:
    """The sensor's noise of up to ± `strength`, and the end: bytes."""
    noise = (dice.octets(*picture.shape) - 128) * strength >> 7
    result: NDArray[np.uint8] = np.clip(picture + noise, 0, 255).astype(np.uint8).transpose(1, 2, 0)
    return np.ascontiguousarray(result)
