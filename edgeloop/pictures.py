"""The one look of all pictures, and the one way they become files.

A picture depends on what is drawn alone: no user's style, no date and no version is in its bytes.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edgeloop.files import whole_file
from edgeloop.plugins import missing_extra

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY, INK = "#2563a8", "#d9762b", "#c3c9d1", "#27313d"

DOTS_PER_INCH = 130

_LOOK = {
    "figure.facecolor": "white",
    "font.size": 10.0,
    "text.color": INK,
    "axes.titlesize": 11.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": "#8a94a1",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e9ed",
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


@contextmanager
def picture(path: Path, *, width_in: float, height_in: float) -> Iterator["Figure"]:
    """A figure to draw on, that is written to `path` as PNG when the block ends without an error.

    Raises:
        MissingExtra: matplotlib is not installed.
        NotWritable, DiskFull: The place cannot be written.
    """
    try:
        import matplotlib.style
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise missing_extra(error, "report") from error
    with matplotlib.style.context(["default", _LOOK]):
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        yield figure
        with whole_file(path) as partial, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)  # a script that the font lacks
            figure.savefig(partial, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
