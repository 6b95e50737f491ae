"""Sky and hills."""

import numpy as np

from edgeloop.data.scenes.camera import Camera
from edgeloop.data.scenes.canvas import FULL, Canvas
from edgeloop.data.scenes.colours import WHITE, Colour, mixed
from edgeloop.data.scenes.dice import Dice
from edgeloop.data.scenes.looks import Look
from edgeloop.data.scenes.noise import PERIOD, swell

_OWN_LIGHT = 255
_HILLS_LIGHT = 40


def draw_sky(canvas: Canvas, camera: Camera, look: Look, dice: Dice) -> None:
    """From the top's colour to the horizon's, with clouds that flatten towards it."""
    rows = np.arange(camera.horizon_px)
    share = (rows * FULL // camera.horizon_px)[:, None]
    top, low = (np.array(colour)[:, None, None] for colour in (look.sky_top, look.sky_low))
    sky = (top + ((low - top) * share >> 6)).astype(np.int16)
    first_row, first_column = dice.between(0, PERIOD - 1), dice.between(0, PERIOD - 1)
    columns = (first_column + np.arange(camera.side_px) // 2) % PERIOD
    clouds = np.maximum(swell()[(first_row + rows * 3) % PERIOD][:, columns] + 10, 0) * look.clouds >> 7
    bright: Colour = mixed(look.sky_low, WHITE, 40) if look.sky_low[0] > 120 else look.sky_low
    goal = np.array(bright, dtype=np.int16)[:, None, None] - sky
    canvas.pixels[:3, : camera.horizon_px] = sky + (goal * np.minimum(clouds, FULL) >> 6)
    canvas.pixels[3, : camera.horizon_px] = _OWN_LIGHT


def draw_hills(canvas: Canvas, camera: Camera, look: Look, dice: Dice) -> None:
    """One or two ranges whose feet are the horizon."""
    land = dice.pick(((104, 112, 92), (140, 116, 96), (110, 104, 112)))
    for share, height in ((46, dice.between(6, 22)), (30, dice.between(2, 9))):
        surface = swell()[dice.between(0, PERIOD - 1), dice.between(0, PERIOD - 1) :]
        ridge = (surface[: camera.side_px].astype(np.int64) + 128) * height * camera.side_px // 25_600
        rows = np.arange(camera.horizon_px)[:, None]
        covered = rows >= camera.horizon_px - ridge[None, :]
        fading = min(share + look.air.share(90_000) // 2, FULL)
        colour = (*mixed(land, look.sky_low, fading), _HILLS_LIGHT)
        for channel, value in enumerate(colour):
            canvas.pixels[channel, : camera.horizon_px][covered] = value
