"""Signs cut out of a scene, for those who only want to tell the classes apart."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.scenes.dice import Dice
from edgeloop.data.scenes.scene import Scene, Sign

_CROP_STREAM = 3


def cut_out(scene: Scene, seed: int) -> Iterator[tuple[Sign, NDArray[np.uint8]]]:
    """Every sign of the scene with a margin of 8 to 24 percent of its longest side on each side.

    A margin differs from side to side, as a detector's boxes do, and ends at the picture's edge.
    """
    dice = Dice(seed, scene.number, _CROP_STREAM)
    height, width, _ = scene.pixels.shape
    for sign in scene.signs:
        longest = max(sign.width, sign.height)
        left, top, right, bottom = (1 + longest * dice.between(8, 24) // 100 for _ in range(4))
        rows = slice(max(sign.top - top, 0), min(sign.top + sign.height + bottom, height))
        columns = slice(max(sign.left - left, 0), min(sign.left + sign.width + right, width))
        yield sign, scene.pixels[rows, columns]
