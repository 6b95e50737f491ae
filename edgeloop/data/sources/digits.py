"""scikit-learn's bundled handwritten digits: 1,797 grey pictures of 8 x 8 pixels, classes "0" to "9".

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
"""

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
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise missing_extra(error, "digits") from error
    digits = load_digits()
    pictures = np.rint(digits.images * 255 / _BRIGHTEST).astype(np.uint8)
    for number, (pixels, label) in enumerate(zip(pictures, digits.target, strict=True)):
        png = io.BytesIO()
        # stored, not compressed: deflate's output differs between implementations, and with it the digest
        Image.fromarray(pixels).save(png, "PNG", compress_level=0)
        yield RawSample(id=f"digits/{number:04d}", label=str(int(label)), content=png.getvalue())


plugin = Digits()
