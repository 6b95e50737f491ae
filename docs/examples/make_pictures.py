"""Draws a small picture dataset, a class a folder: `python docs/examples/make_pictures.py FOLDER`."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIDE_PX = 24
PICTURES = 60


def main(folder: Path) -> None:
    """Discs, boxes and triangles of any size and shade, on noise."""
    draw = {
        "disc": lambda canvas, box, shade: canvas.ellipse(box, fill=shade),
        "box": lambda canvas, box, shade: canvas.rectangle(box, fill=shade),
        "triangle": lambda canvas, box, shade: canvas.polygon(
            [(box[0], box[3]), (box[2], box[3]), ((box[0] + box[2]) / 2, box[1])], fill=shade
        ),
    }
    random = np.random.default_rng(0)
    for name, shape in draw.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(PICTURES):
            picture = Image.fromarray(random.integers(0, 60, (SIDE_PX, SIDE_PX), dtype=np.uint8))
            side = int(random.integers(8, 16))
            x, y = (int(value) for value in random.integers(1, SIDE_PX - side - 1, 2))
            shape(ImageDraw.Draw(picture), (x, y, x + side, y + side), int(random.integers(120, 255)))
            picture.save(folder / name / f"{number:03d}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
