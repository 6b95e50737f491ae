"""How the bytes of an image become the input of a model; the same code in training, benchmark and `predict`.

Shapes: `C` channels, `H` height, `W` width, all in pixels.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.errors import DataFault, EdgeloopError
from edgeloop.plugins import missing_extra

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 64_000_000
"""An image that declares more pixels is refused before it is decoded (decompression bombs)."""

MAX_SIDE_PIXELS = 32_768
"""A picture that declares a longer side is refused before it is decoded."""

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "WEBP", "TIFF", "JPEG2000")
"""What is read, the common ones first. Pillow knows more, among them EPS, which it gives to an interpreter."""

CHANNELS = {"L": 1, "RGB": 3}


class ImageInput(Contract):
    """The picture that a model takes: its size and colour mode."""

    height: int = Field(default=32, ge=1, le=4096, description="pixels")
    width: int = Field(default=32, ge=1, le=4096, description="pixels")
    mode: Literal["L", "RGB"] = Field(default="L", description="L grey, RGB colour")

    @property
    def shape(self) -> tuple[int, int, int]:
        """C, H, W."""
        return CHANNELS[self.mode], self.height, self.width


class Preprocessing(Contract):
    """Decode, convert to `mode`, resize (bilinear), divide by 255, subtract mean, divide by std."""

    image: ImageInput
    mean: tuple[float, ...] = Field(description="one value a channel, of pixels in 0..1")
    std: tuple[float, ...] = Field(description="one value a channel, of pixels in 0..1")

    @property
    def shape(self) -> tuple[int, int, int]:
        """C, H, W."""
        return self.image.shape

    @property
    def taken(self) -> Contract:
        """What the model takes, apart from what was fitted."""
        return self.image

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
    with decoding(where), opened(content) as picture:
        converted = picture.convert(image.mode)
        if converted.size != (image.width, image.height):
            from PIL import Image

            converted = converted.resize((image.width, image.height), Image.Resampling.BILINEAR)
    pixels = np.asarray(converted, dtype=np.float32).reshape(image.height, image.width, -1) / np.float32(255)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


@contextmanager
def opened(content: bytes) -> Iterator["Image.Image"]:
    """The picture in an image file, not decoded yet.

    Raises:
        DataFault: It declares more than `MAX_PIXELS` or a side longer than `MAX_SIDE_PIXELS`.
        MissingExtra: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise missing_extra(error, "data") from error
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            raise _Refused(f"declares {picture.width} x {picture.height} pixels, more than {MAX_PIXELS:,} in all")
        if max(picture.size) > MAX_SIDE_PIXELS:
            raise _Refused(f"declares {picture.width} x {picture.height} pixels, a side above {MAX_SIDE_PIXELS:,}")
        yield picture


@contextmanager
def decoding(where: str) -> Iterator[None]:
    """Turns whatever a decoder raises into one fault that names `where` and nothing of this machine.

    Raises:
        DataFault: The picture is no image, is broken, or is too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a picture can be read or it cannot
            yield
    except _Refused as refusal:
        raise DataFault(str(refusal), where=where, fix="remove it or make it smaller") from refusal
    except EdgeloopError:
        raise
    except Exception as error:  # on rubbish the decoders raise nearly anything
        raise DataFault(_reason(error), where=where, fix="remove or replace it") from error


class _Refused(Exception):
    """Declared to be too large."""


def _reason(error: Exception) -> str:
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):  # its text holds a memory address
        return "cannot be read as an image (no known format)"
    if isinstance(error, Image.DecompressionBombError):
        return f"declares more than {MAX_PIXELS:,} pixels"
    return f"cannot be read as an image ({str(error) or type(error).__name__})"
