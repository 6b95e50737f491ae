"""How the bytes of an image become the input of a model; the same code in training, benchmark and `predict`.

Shapes: `C` channels, `H` height, `W` width, all in pixels.
"""

import io
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.errors import DataFault
from edgeloop.plugins import missing_extra

MAX_PIXELS = 64_000_000
"""An image that declares more pixels is refused before it is decoded (decompression bombs)."""

CHANNELS = {"L": 1, "RGB": 3}


class ImageInput(Contract):
    """The picture that a model takes: its size and colour mode."""

    height: int = Field(default=32, ge=1, le=4096, description="pixels")
    width: int = Field(default=32, ge=1, le=4096, description="pixels")
    mode: Literal["L", "RGB"] = Field(default="L", description="L grey, RGB colour")


class Preprocessing(Contract):
    """Decode, convert to `mode`, resize (bilinear), divide by 255, subtract mean, divide by std."""

    image: ImageInput
    mean: tuple[float, ...] = Field(description="one value a channel, of pixels in 0..1")
    std: tuple[float, ...] = Field(description="one value a channel, of pixels in 0..1")

    @property
    def shape(self) -> tuple[int, int, int]:
        """C, H, W."""
        return CHANNELS[self.image.mode], self.image.height, self.image.width

    def apply(self, content: bytes, *, where: str = "image") -> NDArray[np.float32]:
        """The image file `content` as float32 of shape C, H, W.

        Raises:
            DataFault: It is no image, is broken, or declares more than `MAX_PIXELS`; `where` is named.
        """
        pixels = decode(content, self.image, where=where)
        mean = np.asarray(self.mean, dtype=np.float32).reshape(-1, 1, 1)
        std = np.asarray(self.std, dtype=np.float32).reshape(-1, 1, 1)
        return (pixels - mean) / std


def decode(content: bytes, image: ImageInput, *, where: str = "image") -> NDArray[np.float32]:
    """Pixels in 0..1, float32, shape C, H, W.

    Raises:
        DataFault: It is no image, is broken, or declares more than `MAX_PIXELS`.
        MissingExtra: Pillow is not installed.
    """
    try:
        from PIL import Image, UnidentifiedImageError
    except ModuleNotFoundError as error:
        raise missing_extra(error, "data") from error
    try:
        with Image.open(io.BytesIO(content)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise DataFault(
                    f"declares {picture.width} x {picture.height} pixels, more than {MAX_PIXELS}",
                    where=where,
                    fix="remove it or make it smaller",
                )
            converted = picture.convert(image.mode)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataFault(f"cannot be read as an image ({error})", where=where, fix="remove or replace it") from error
    if converted.size != (image.width, image.height):
        converted = converted.resize((image.width, image.height), Image.Resampling.BILINEAR)
    pixels = np.asarray(converted, dtype=np.float32).reshape(image.height, image.width, -1) / np.float32(255)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))
