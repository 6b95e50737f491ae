"""What a picture file declares about itself, read without decoding it and, as a rule, without reading all of it."""

from dataclasses import dataclass
from pathlib import Path

from edgeloop.data.observation import MAX_FILE_BYTES
from edgeloop.data.preprocessing import decoding, opened
from edgeloop.errors import DataFault

_FIRST_BYTES = 64 << 10
_ORIENTATION_TAG, _UPRIGHT, _ORIENTATIONS = 0x0112, 1, range(1, 9)


@dataclass(frozen=True)
class Header:
    """A picture's header.

    Args:
        width: Pixels of the rows as they are stored.
        height: Rows.
        orientation: How a viewer turns it, as EXIF counts: 1 not at all, 6 and 8 by a quarter.
    """

    width: int
    height: int
    orientation: int

    @property
    def is_turned(self) -> bool:
        """Whether a viewer shows it otherwise than it is stored; models see it as it is stored."""
        return self.orientation != _UPRIGHT


def header_of(path: Path) -> Header:
    """The header of a picture file.

    Raises:
        DataFault: It cannot be read, is no picture, or declares to be too large; `what` names nothing of this machine.
        MissingExtra: Pillow is not installed.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_FIRST_BYTES)
            try:
                return _header(content, path.name)
            except DataFault:  # some formats end with their header, and some readers want the whole file
                content += file.read(MAX_FILE_BYTES - len(content))
    except OSError as error:
        what = f"cannot be read ({error.strerror or type(error).__name__})"
        raise DataFault(what, where=path.name, fix="check the file") from error
    return _header(content, path.name)


def _header(content: bytes, where: str) -> Header:
    with decoding(where), opened(content) as picture:
        exif = picture.info.get("exif")
        return Header(picture.width, picture.height, _orientation(exif) if isinstance(exif, bytes) else _UPRIGHT)


def _orientation(exif: bytes) -> int:
    from PIL import Image

    found = Image.Exif()
    found.load(exif)
    orientation = found.get(_ORIENTATION_TAG, _UPRIGHT)
    return orientation if orientation in _ORIENTATIONS else _UPRIGHT
