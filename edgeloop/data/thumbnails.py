"""Samples as small pictures for pages: a picture with its boxes, or the curves of a window."""

import base64
import io
import json
from typing import TYPE_CHECKING

import numpy as np

from edgeloop.data.dataset import Sample
from edgeloop.data.preprocessing import decoding, opened
from edgeloop.data.windows import window_of

if TYPE_CHECKING:
    from PIL.Image import Image

PIXELS = 96
_BOX, _GROUND = "#00e05a", "#ffffff"
_CURVES = ("#2f6690", "#f0a202", "#b3001b")
"""Colours of the first channels of a window; more are not drawn."""


def thumbnail(content: bytes, sample: Sample, *, kind: str) -> str:
    """A picture of at most PIXELS a side as a data: URI.

    Args:
        content: The bytes of the sample.
        sample: Its boxes are drawn.
        kind: Of samples, see `edgeloop.data.features`.

    Raises:
        DataFault: It is no sample of that kind.
        MissingExtra: Pillow is not installed.
    """
    small = _window(content) if kind == "window" else _picture(content, sample)
    file = io.BytesIO()
    small.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _picture(content: bytes, sample: Sample) -> "Image":
    with decoding("thumbnail"), opened(content) as picture:
        width = picture.width
        picture.draft("RGB", (PIXELS, PIXELS))  # a JPEG is decoded at the size that is needed
        small = picture.convert("RGB")
        small.thumbnail((PIXELS, PIXELS))
    _draw_boxes(small, sample, scale=small.width / width)
    return small


def _draw_boxes(picture: "Image", sample: Sample, *, scale: float) -> None:
    from PIL import ImageDraw

    for _, *place in json.loads(sample.boxes or "[]"):
        left, top, width, height = (scale * value for value in place)
        if width > 0 and height > 0:
            ImageDraw.Draw(picture).rectangle((left, top, left + width, top + height), outline=_BOX)


def _window(content: bytes) -> "Image":
    from PIL import Image, ImageDraw

    values = window_of(content)[:, : len(_CURVES)]
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    picture = Image.new("RGB", (PIXELS, PIXELS), _GROUND)
    across = np.linspace(0, PIXELS - 1, len(values))
    for channel, colour in zip(values.T, _CURVES, strict=False):
        upwards = (channel - low) / (high - low or 1) * (PIXELS - 8)
        points = [(x, PIXELS - 4 - y) for x, y in zip(across, upwards, strict=True) if np.isfinite(y)]
        if len(points) > 1:
            ImageDraw.Draw(picture).line(points, fill=colour)
    return picture
