"""Corruptions of pictures: noise, blur, and too little or too much light.

Noise and blur are those of Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations", 2019, at their severities 1, 3 and 5: of ImageNet-C for pictures of at least SMALL_PX, of CIFAR-10-C for
smaller ones, which have fewer pixels to lose. Their brightness adds to the V of HSV, which no camera does; light is
changed here as an exposure does it, in stops: a stop is twice or half of the light, in linear values behind the sRGB
curve (IEC 61966-2-1), and what leaves the range of 8 bits is lost.

Legend: a picture is uint8 of shape H, W or H, W, 3, at its own size.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from edgeloop.data.preprocessing import decoding, opened
from edgeloop.evaluation.corruption import Array, Corruption

SMALL_PX = 64
"""A shorter side below this makes a picture a small one."""

NOISE = {"large": (0.08, 0.18, 0.38), "small": (0.04, 0.08, 0.10)}
"""Standard deviation of the normal noise, of a full scale of 1."""

BLUR = {"large": (1 / 224, 3 / 224, 6 / 224), "small": (0.4, 0.7, 1.0)}
"""Standard deviation of the Gaussian: large in shorter sides (theirs are pixels of 224), small in pixels."""

STOPS = (1, 2, 3)

_GREY = frozenset({"1", "L", "LA", "I", "I;16", "F"})


def read(content: bytes, where: str) -> Array:
    """The picture in an image file, grey or in colour as it is there.

    Raises:
        DataFault: It is none; `where` is named.
    """
    with decoding(where), opened(content) as picture:
        return np.asarray(picture.convert("L" if picture.mode in _GREY else "RGB"))


def written(picture: Array) -> bytes:
    """As PGM or PPM (netpbm's P5 and P6): a short head, and the bytes as they are."""
    kind = "P6" if picture.ndim == 3 else "P5"
    return f"{kind} {picture.shape[1]} {picture.shape[0]} 255\n".encode() + picture.tobytes()


def noise(picture: Array, strength: int, random: np.random.Generator) -> Array:
    """Normal noise on every value, cut at black and white."""
    deviation = NOISE[_size(picture)][strength - 1]
    drawn = random.standard_normal(picture.shape, dtype=np.float32)
    return _rounded(picture + np.float32(255 * deviation) * drawn)


def blur(picture: Array, strength: int, random: np.random.Generator) -> Array:  # noqa: ARG001
    """Pillow's Gaussian, which is three box blurs after one another (Gwosdek et al., 2011); edges are carried on."""
    from PIL import Image, ImageFilter

    size = _size(picture)
    deviation = BLUR[size][strength - 1] * (min(picture.shape[:2]) if size == "large" else 1)
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(deviation)))


def underexposure(picture: Array, strength: int, random: np.random.Generator) -> Array:  # noqa: ARG001
    """Less light by so many stops."""
    return _exposed(picture, -STOPS[strength - 1])


def overexposure(picture: Array, strength: int, random: np.random.Generator) -> Array:  # noqa: ARG001
    """More light by so many stops."""
    return _exposed(picture, STOPS[strength - 1])


CORRUPTIONS = {
    "noise": Corruption(
        noise, f"normal noise, deviation 0.08, 0.18, 0.38 of full scale (below {SMALL_PX} px 0.04, 0.08, 0.10)"
    ),
    "blur": Corruption(
        blur,
        f"Gaussian, deviation 1, 3, 6 px of a shorter side of 224 px (below {SMALL_PX} px 0.4, 0.7, 1 px as it is)",
    ),
    "underexposure": Corruption(underexposure, "1, 2, 3 stops less light"),
    "overexposure": Corruption(overexposure, "1, 2, 3 stops more light"),
}


def _size(picture: Array) -> str:
    return "small" if min(picture.shape[:2]) < SMALL_PX else "large"


def _rounded(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    whole: NDArray[np.uint8] = np.rint(np.clip(values, 0, 255)).astype(np.uint8)
    return whole


def _exposed(picture: Array, stops: int) -> Array:
    changed: Array = _exposures()[stops][picture]
    return changed


@cache
def _exposures() -> dict[int, NDArray[np.uint8]]:
    """For every number of stops what each of the 256 values becomes."""
    coded = np.arange(256) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    tables = {}
    for stops in (*STOPS, *(-one for one in STOPS)):
        light = np.clip(linear * 2.0**stops, 0, 1)
        tables[stops] = _rounded(255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))
    return tables
