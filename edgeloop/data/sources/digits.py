"""scikit-learn's bundled handwritten digits: 1,797 grey pictures of 8 x 8 pixels, classes "0" to "9".

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
"""

import gzip
import importlib.util
import io
from collections.abc import Iterator
from pathlib import Path

from edgeloop.data.sources import NoOptions, RawSample
from edgeloop.errors import DataFault
from edgeloop.plugins import missing_extra

_BRIGHTEST = 16


class Digits:
    """Ids `digits/0000` to `digits/1796`, in the order of the original set."""

    kind = "image"
    needs_place = False
    options = NoOptions

    def samples(self, path: Path | None, _options: NoOptions) -> Iterator[RawSample]:
        """All digits as PNG.

        Raises:
            DataFault: A path was given, which this source would ignore.
            MissingExtra: scikit-learn or Pillow is not installed.
        """
        if path is not None:
            raise DataFault(
                "the source digits takes no path", where=str(path), fix="set prepare_data.source to image_folder"
            )
        return _samples()


def _samples() -> Iterator[RawSample]:
    try:
        import numpy as np
        from PIL import Image
    except ModuleNotFoundError as error:
        raise missing_extra(error, "digits") from error
    with gzip.open(_file(), "rt", encoding="ascii") as rows:
        digits = np.loadtxt(rows, delimiter=",")
    pictures = np.rint(digits[:, :-1].reshape(-1, 8, 8) * 255 / _BRIGHTEST).astype(np.uint8)
    for number, (pixels, label) in enumerate(zip(pictures, digits[:, -1], strict=True)):
        png = io.BytesIO()
        # stored, not compressed: deflate's output differs between implementations, and with it the digest
        Image.fromarray(pixels).save(png, "PNG", compress_level=0)
        yield RawSample(id=f"digits/{number:04d}", label=str(int(label)), content=png.getvalue())


def _file() -> Path:
    """Where scikit-learn keeps them. It is not imported: that takes ten times as long as reading them.

    Raises:
        MissingExtra: scikit-learn is not installed.
        DataFault: Its files are in another place than those of the version that this was written for.
    """
    library = importlib.util.find_spec("sklearn")
    if library is None or not library.submodule_search_locations:
        raise missing_extra(ModuleNotFoundError("No module named 'sklearn'", name="sklearn"), "digits")
    path = Path(library.submodule_search_locations[0], "datasets", "data", "digits.csv.gz")
    if not path.is_file():
        raise DataFault("holds no digits", where=str(path), fix="install the scikit-learn of requirements.lock")
    return path


plugin = Digits()
