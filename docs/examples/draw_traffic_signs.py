"""Draws the contact sheets of docs/traffic_signs.md: `python docs/examples/draw_traffic_signs.py [FOLDER]`."""

import sys
from collections.abc import Iterable, Sequence
from itertools import count, islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from edgeloop.data.scenes import CLASSES, Scene, draw_scene
from edgeloop.data.scenes.canvas import Canvas, Paint
from edgeloop.data.scenes.colours import GREY
from edgeloop.data.scenes.crops import cut_out
from edgeloop.data.scenes.looks import CONDITIONS, condition_of
from edgeloop.data.scenes.signs import Design, designs

SEED = 0
SCENE_PX, TILE_PX, DESIGN_PX, CROP_PX = 320, 240, 64, 64
COLOURS = 255
COLUMNS = 4
BOX_COLOUR = (60, 255, 60)


def main(folder: Path) -> None:
    """A sheet a condition, one with the truth, one of all designs, one of crops."""
    folder.mkdir(parents=True, exist_ok=True)
    for condition in CONDITIONS:
        numbers = islice((n for n in count() if condition_of(SEED, n) == condition), 8)
        _paletted(_scene_sheet(_scenes(numbers))).save(folder / f"traffic_signs_{condition}.png", optimize=True)
    _truth_sheet(list(_scenes(range(40, 48)))).save(folder / "traffic_signs_truth.png", optimize=True)
    rows = [_sheet([_design_tile(design) for design in designs()[label]], columns=16) for label in CLASSES]
    _paletted(_sheet(rows, columns=1)).save(folder / "traffic_signs_designs.png", optimize=True)
    crops = _sheet(list(islice(_crop_tiles(), 96)), columns=16)
    _paletted(crops).save(folder / "traffic_signs_crops.png", optimize=True)


def _scenes(numbers: Iterable[int]) -> Iterable[Scene]:
    return (draw_scene(SEED, number, side_px=SCENE_PX) for number in numbers)


def _scene_sheet(scenes: Iterable[Scene]) -> Image.Image:
    pictures = [Image.fromarray(scene.pixels) for scene in scenes]
    return _sheet([p.resize((TILE_PX, TILE_PX), Image.Resampling.BOX) for p in pictures], columns=COLUMNS)


def _truth_sheet(scenes: Sequence[Scene]) -> Image.Image:
    """Scenes with their boxes, in a colour that the palette has for them alone."""
    sheet = _paletted(_scene_sheet(scenes))
    sheet.putpalette([*(sheet.getpalette() or [])[: 3 * COLOURS], *BOX_COLOUR])
    pen = ImageDraw.Draw(sheet)
    for place, scene in enumerate(scenes):
        x, y = place % COLUMNS * TILE_PX, place // COLUMNS * TILE_PX
        for sign in scene.signs:
            edges = (sign.left, sign.top, sign.left + sign.width, sign.top + sign.height)
            left, top, right, bottom = (edge * TILE_PX // SCENE_PX for edge in edges)
            pen.rectangle((x + left - 1, y + top - 1, x + right, y + bottom), outline=COLOURS)
            pen.text((x + min(left, TILE_PX - 6 * len(sign.label)), y + bottom + 1), sign.label, fill=COLOURS)
    return sheet


def _design_tile(design: Design) -> Image.Image:
    canvas = Canvas(DESIGN_PX, texture_at=(0, 0))
    canvas.pixels[:3] = np.array(GREY)[:, None, None]
    middle, scale = DESIGN_PX * 8, DESIGN_PX * 15
    outlines = [middle + layer.outline * (1, -1) * scale // 1000 for layer in design.layers]
    canvas.fill_all(outlines, [Paint(layer.colour) for layer in design.layers], [0] * len(outlines))
    return Image.fromarray(canvas.pixels[:3].transpose(1, 2, 0).astype(np.uint8))


def _crop_tiles() -> Iterable[Image.Image]:
    for scene in _scenes(count(100)):
        for _, pixels in cut_out(scene, SEED):
            yield Image.fromarray(pixels).resize((CROP_PX, CROP_PX), Image.Resampling.BILINEAR)


def _sheet(tiles: Sequence[Image.Image], *, columns: int) -> Image.Image:
    width, height = tiles[0].size
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), GREY)
    for place, tile in enumerate(tiles):
        sheet.paste(tile, (place % columns * width, place // columns * height))
    return sheet


def _paletted(sheet: Image.Image) -> Image.Image:
    return sheet.quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/pictures"))
