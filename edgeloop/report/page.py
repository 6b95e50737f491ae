"""The page, put together from its sections and the template."""

import re
from pathlib import Path

from edgeloop.files import write_text
from edgeloop.plugins import missing_extra
from edgeloop.report.blocks import Section
from edgeloop.report.inputs import ReportInputs
from edgeloop.report.reading import Contents, read
from edgeloop.report.sections.benchmark import benchmark
from edgeloop.report.sections.data import data
from edgeloop.report.sections.evaluation import evaluation
from edgeloop.report.sections.headline import headline
from edgeloop.report.sections.lineage import lineage
from edgeloop.report.sections.repeat import repeat
from edgeloop.report.sections.selection import selection
from edgeloop.report.sections.steps import steps
from edgeloop.report.sections.terms import terms
from edgeloop.report.sections.training import training
from edgeloop.report.sections.variants import variants
from edgeloop.report.state import stopped_step, until, without_leftovers

TEMPLATES = Path(__file__).parent / "templates"

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
"""What no page may hold: control characters, half surrogates, and those that turn the direction of a text around."""


def render(inputs: ReportInputs, target: Path) -> Path:
    """Writes the page about the files in `inputs` to `target`; the same files give the same bytes.

    Missing and unreadable files are shown as such.

    Returns:
        `target`.

    Raises:
        MissingExtra: jinja2 is not installed.
        NotWritable, DiskFull, EnvironmentFault: The place cannot be written.
    """
    write_text(target, page(inputs))
    return target


def page(inputs: ReportInputs) -> str:
    """The page as HTML.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ModuleNotFoundError as error:
        raise missing_extra(error, "report") from error
    found = read(inputs)
    stopped = stopped_step(inputs, found)
    contents = without_leftovers(until(found, stopped))
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("page.html").render(
        head=headline(contents, inputs, stopped), sections=_sections(contents, inputs, stopped)
    )
    return _UNPRINTABLE.sub("\ufffd", text)


def _sections(contents: Contents, inputs: ReportInputs, stopped: str | None) -> list[Section]:
    """The sections in reading order."""
    return [
        steps(contents, stopped),
        data(contents),
        training(contents),
        variants(contents),
        benchmark(contents),
        selection(contents),
        evaluation(contents),
        lineage(contents),
        repeat(contents, inputs, stopped),
        terms(),
    ]
