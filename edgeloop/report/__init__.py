"""One page about one run: self-contained HTML, no script, nothing loaded from anywhere.

    inputs.py       where the outputs of the steps lie
    reading.py      their contents as values; what is missing or unreadable is a value too
    sections/       one file a section of the page: from contents to what is shown
    drawings/       one file a picture, as SVG
    templates/      the HTML and the style
    page.py         puts them together

What was not measured is said to be so, with the reason. Everything that comes from a file is escaped.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeloop.report.inputs import ReportInputs, of_artifacts
    from edgeloop.report.page import render

__all__ = ["ReportInputs", "of_artifacts", "render"]


def __getattr__(name: str) -> object:
    """What is public, imported on first use: who only draws needs nothing of the steps that this page reads."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{'page' if name == 'render' else 'inputs'}"), name)
