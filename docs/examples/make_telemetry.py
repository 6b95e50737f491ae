"""Writes a window of telemetry as a device would report it: `python make_telemetry.py FILE [--light 0.5]`.

500 digits as they are, or darker and out of focus.
"""

import argparse
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from PIL import Image, ImageFilter
from sklearn.datasets import load_digits

from edgeloop.data.features import compared
from edgeloop.data.features.image import COLUMNS, image_features

PICTURES = 500


def write_window(path: Path, *, light: float, blur_px: float) -> None:
    """Features of PICTURES digits, `light` times as bright and blurred by a Gaussian of `blur_px`."""
    rows = []
    for number, pixels in enumerate(load_digits().images[:PICTURES]):
        picture = Image.fromarray((pixels * (255 / 16) * light).astype(np.uint8))
        content = io.BytesIO()
        picture.filter(ImageFilter.GaussianBlur(blur_px)).save(content, "PNG")
        rows.append(image_features(content.getvalue(), where=f"digit {number}"))
    columns = {name: [getattr(row, name) for row in rows] for name in compared(COLUMNS)}
    parquet.write_table(pa.table(columns), path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--light", type=float, default=1.0, help="brightness; below 1 the pictures are blurred too")
    arguments = parser.parse_args()
    arguments.file.parent.mkdir(parents=True, exist_ok=True)
    write_window(arguments.file, light=arguments.light, blur_px=0.8 if arguments.light < 1 else 0.0)
