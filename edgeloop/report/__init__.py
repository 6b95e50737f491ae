"""One page about one run: self-contained HTML, no script, nothing loaded from anywhere.

    inputs.py       where the outputs of the steps lie
    reading.py      their contents as values; what is missing or unreadable is a value too
    sections/       one file a section of the page: from contents to what is shown
    drawings/       one file a picture, as SVG
    templates/      the HTML and the style
    page.py         puts them together

What was not measured is said to be so, with the reason. Everything that comes from a file is escaped.
"""

from edgeloop.report.inputs import ReportInputs, of_artifacts
from edgeloop.report.page import render

__all__ = ["ReportInputs", "of_artifacts", "render"]
