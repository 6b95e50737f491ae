"""The statistics of one picture: what each is, of every kind of file, and what hostile files do."""

import colorsys
import io
import math
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from edgeloop.data.picture_features import (
    MAX_SCANS,
    SATURATION_PIXELS,
    PictureFeatures,
    dhash,
    entropy,
    picture_features,
    saturation,
    sharpness,
)
from edgeloop.data.preprocessing import ImageInput, decode
from edgeloop.errors import DataFault


def encoded(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def found(picture: Image.Image, kind: str = "PNG", **options) -> PictureFeatures:
    return picture_features(encoded(picture, kind, **options), where="x")


@pytest.fixture
def colours() -> Image.Image:
    """40 x 24 pixels of smooth colour with a little noise."""
    rows, columns = np.mgrid[0:24, 0:40]
    pixels = np.dstack([columns * 6, rows * 10, 255 - columns * 3 - rows * 4])
    noise = np.random.default_rng(0).integers(0, 9, pixels.shape)
    return Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))


def test_entropy_is_that_of_the_histogram():
    counts = np.array([1, 2, 3, 500, 77])
    shares = counts / counts.sum()
    assert entropy(counts) == pytest.approx(-(shares * np.log2(shares)).sum(), abs=1e-11)


@pytest.mark.parametrize("values", [1, 2, 16, 256])
def test_equal_shares_have_the_entropy_of_their_number(values):
    assert entropy(np.full(values, 1000)) == pytest.approx(math.log2(values), abs=1e-11)


def test_saturation_is_that_of_hsv(colours):
    pixels = np.asarray(colours).reshape(-1, 3) / 255
    assert saturation(colours) == pytest.approx(np.mean([colorsys.rgb_to_hsv(*pixel)[1] for pixel in pixels]), abs=1e-5)


@pytest.mark.parametrize(
    ("colour", "expected"), [((255, 0, 0), 1), ((0, 0, 0), 0), ((9, 9, 9), 0), ((200, 100, 100), 0.5)]
)
def test_saturation_of_one_colour(colour, expected):
    assert found(Image.new("RGB", (9, 9), colour)).saturation == pytest.approx(expected, abs=1e-5)


def test_a_grey_picture_has_no_saturation(colours):
    assert found(colours.convert("L")).saturation == 0


def test_saturation_of_a_large_picture_is_that_of_every_kth_pixel():
    pixels = np.random.default_rng(0).integers(0, 256, (300, 500, 3), dtype=np.uint8)
    step = 4  # 75 x 125 pixels; a step of 3 would leave 100 x 166
    assert SATURATION_PIXELS < 100 * 166
    kept = Image.fromarray(np.ascontiguousarray(pixels[2::step, 2::step]))
    assert found(Image.fromarray(pixels)).saturation == saturation(kept)


def test_a_strip_of_many_pixels_has_a_saturation():
    assert found(Image.new("RGB", (30_000, 1), (255, 0, 0))).saturation == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (300, 500), (1000, 200)])
def test_sharpness_does_not_hang_on_the_strips(shape):
    grey = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    padded = np.pad(grey.astype(int), 1, mode="edge")
    laplacian = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:] - 4 * padded[1:-1, 1:-1]
    assert sharpness(grey) == pytest.approx(laplacian.var())


def hashed(grey: np.ndarray) -> int:
    """The hash of a picture of 9 x 8 cells, by the book."""
    bits = "".join("1" if row[i] < row[i + 1] else "0" for row in grey.astype(int) for i in range(8))
    return int(bits, 2)


@pytest.mark.parametrize("scale", [1, 3, 7])
def test_the_hash_tells_where_it_grows_brighter_to_the_right(scale):
    cells = np.random.default_rng(0).integers(0, 256, (8, 9), dtype=np.uint8)
    assert int(dhash(Image.fromarray(cells.repeat(scale, 0).repeat(scale, 1))), 16) == hashed(cells)


def test_the_hash_of_a_large_picture_is_that_of_its_cells_but_for_close_ones():
    cells = np.random.default_rng(1).integers(0, 256, (8, 9), dtype=np.uint8)
    large = Image.fromarray(cells.repeat(100, 0).repeat(100, 1))
    assert (int(dhash(large), 16) ^ hashed(cells)).bit_count() <= 2


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (8, 8), (9, 8), (127, 129), (4000, 3)])
def test_every_size_has_a_hash_of_sixteen_digits(size):
    picture = Image.linear_gradient("L").rotate(90).resize(size)
    assert len(dhash(picture)) == 16


def test_a_picture_without_steps_has_no_bit():
    assert found(Image.new("L", (50, 50), 128)).dhash == "0" * 16


def test_a_picture_that_is_saved_again_keeps_most_bits(colours):
    one, other = found(colours.resize((200, 120))), found(colours.resize((200, 120)), "JPEG", quality=75)
    assert (int(one.dhash, 16) ^ int(other.dhash, 16)).bit_count() <= 4


@pytest.mark.parametrize(("grey", "dark", "bright"), [(15, 1, 0), (16, 0, 0), (239, 0, 0), (240, 0, 1)])
def test_shares_of_dark_and_bright_pixels(grey, dark, bright):
    row = found(Image.new("L", (9, 9), grey))
    assert (row.dark_share, row.bright_share) == (dark, bright)


@pytest.mark.parametrize(
    ("mode", "kind", "expected"),
    [
        ("1", "PNG", ("1", 1)),
        ("L", "JPEG", ("L", 1)),
        ("LA", "PNG", ("LA", 2)),
        ("P", "PNG", ("P", 3)),
        ("P", "GIF", ("P", 3)),
        ("RGB", "JPEG", ("RGB", 3)),
        ("RGBA", "PNG", ("RGBA", 4)),
        ("RGBA", "WEBP", ("RGBA", 4)),
        ("CMYK", "JPEG", ("CMYK", 4)),
        ("CMYK", "TIFF", ("CMYK", 4)),
        ("YCbCr", "TIFF", ("YCbCr", 3)),
        ("I;16", "PNG", ("I;16", 1)),
        ("I;16", "TIFF", ("I;16", 1)),
        ("F", "TIFF", ("F", 1)),
    ],
)
def test_every_kind_of_picture_has_the_grey_values_that_training_sees(colours, mode, kind, expected):
    picture = colours.convert("I" if mode == "I;16" else mode).convert(mode)
    if mode == "RGBA":
        picture.putalpha(99)
    content = encoded(picture, kind)
    row = picture_features(content, where="x")
    seen = decode(content, ImageInput(width=40, height=24, mode="L")).astype(np.float64) * 255
    assert (row.mode, row.channels) == expected
    assert (row.mean, row.maximum) == (pytest.approx(seen.mean(), abs=1e-4), round(seen.max()))


def test_sixteen_bits_are_cut_off_as_training_does():
    pixels = np.full((9, 9), 300, dtype=np.uint16)
    assert found(Image.fromarray(pixels)).bright_share == 1


def test_transparency_changes_no_statistic_but_the_channels(colours):
    seen, clear = colours.convert("RGBA"), colours.convert("RGBA")
    clear.putalpha(7)
    assert found(clear).mean == found(seen).mean == found(colours).mean


def test_an_animation_is_its_first_frame():
    frames = [Image.new("L", (9, 9), grey) for grey in (50, 100, 200)]
    row = found(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (row.mean, row.width) == (50, 9)


def test_a_picture_is_not_turned_as_exif_asks(colours):
    exif = Image.Exif()
    exif[0x0112] = 6  # a viewer turns it by a quarter
    content = encoded(colours, "JPEG", exif=exif)
    row = picture_features(content, where="x")
    seen = decode(content, ImageInput(width=40, height=24, mode="L"))
    assert (row.width, row.height) == (40, 24)
    assert row.mean == pytest.approx(seen.mean() * 255, abs=1e-3)


def test_features_are_the_same_at_every_reading(colours):
    content = encoded(colours)
    assert picture_features(content, where="x") == picture_features(content, where="y")


def test_features_are_the_same_on_every_machine():
    pixels = (np.arange(64 * 48 * 3, dtype=np.int64) * 7919 % 251).reshape(48, 64, 3).astype(np.uint8)
    assert found(Image.fromarray(pixels), "PPM") == PINNED


PINNED = PictureFeatures(
    width=64,
    height=48,
    mode="RGB",
    channels=3,
    size_bytes=9229,
    mean=125.3115234375,
    std=35.650287407121816,
    minimum=50,
    maximum=196,
    entropy=7.0674344052574085,
    saturation=0.7540974050125887,
    sharpness=20973.716145833332,
    dark_share=0.0,
    bright_share=0.0,
    dhash="e44a17694f386d9a",
)


# hostile files


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG of one pixel with one more chunk."""
    plain = encoded(Image.new("L", (1, 1)))
    return plain[:33] + chunk(kind, content) + plain[33:]


def tiff(*tags: tuple[int, int, int, int]) -> bytes:
    """The header of a TIFF with these tags: number, type, count, value or offset."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + b"\0\0\0\0"


SIZE = ((256, 4, 1, 9), (257, 4, 1, 9), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (279, 4, 1, 81))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(with_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 26))), id="a text of 64 MiB in 64 KiB"),
        pytest.param(tiff(*SIZE, (273, 4, 0xFFFFFFFF, 8)), id="four billion strips"),
        pytest.param(tiff(*SIZE, (273, 4, 1, 0xFFFFFFF0)), id="a strip far beyond the end"),
        pytest.param(
            tiff((256, 4, 1, 0xFFFFFFFF), (257, 4, 1, 0xFFFFFFFF), *SIZE[2:], (273, 4, 1, 8)), id="2**64 pixels"
        ),
        pytest.param(tiff((256, 4, 1, 0), (257, 4, 1, 9), *SIZE[2:], (273, 4, 1, 8)), id="no width"),
        pytest.param(b"GIF89a\xff\xff\xff\xff\x00\x00\x00;", id="an endless canvas without a frame"),
        pytest.param(b"P5 99999999999 99999999999 255\n", id="a PGM of 1e22 pixels"),
        pytest.param(b"P5 1 -1 255\n", id="a negative height"),
        pytest.param(b"BM" + bytes(12) + struct.pack("<IiiHH", 40, -9, 9, 1, 24) + bytes(24), id="a negative width"),
    ],
)
def test_a_bomb_is_a_data_fault(content):
    with pytest.raises(DataFault):
        picture_features(content, where="x")


def test_a_jpeg_with_endless_scans_is_refused(colours):
    content = encoded(colours, "JPEG", progressive=True)
    scan = content.rindex(b"\xff\xda")
    last = content[scan:-2]
    with pytest.raises(DataFault, match=f"{MAX_SCANS + 1} scans"):
        picture_features(content[:-2] + last * (MAX_SCANS + 1 - content.count(b"\xff\xda")) + b"\xff\xd9", where="x")


def test_a_progressive_jpeg_is_read(colours):
    assert found(colours, "JPEG", progressive=True).width == 40


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"])
def test_a_truncated_file_is_a_data_fault(colours, kind):
    content = encoded(colours, kind)
    with pytest.raises(DataFault, match="cannot be read as an image"):
        picture_features(content[: len(content) // 2], where="x")


def test_of_a_gif_of_many_frames_one_is_decoded():
    frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    content = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff" + frame * 200_000 + b"\x3b"
    assert picture_features(content, where="x").width == 1
