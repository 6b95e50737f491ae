"""The plan as one HTML page that loads nothing from anywhere."""

from importlib import resources
from pathlib import Path

from edgeloop.files import write_text
from edgeloop.planning import Plan
from edgeloop.planning.drawing import memory_drawn, times_drawn
from edgeloop.planning.table import COLUMNS, READING, facts_of, rows_of
from edgeloop.plugins import missing_extra
from edgeloop.report.blocks import Block, Cell, Column, Fact, Facts, Figure, Row, Section, Table
from edgeloop.report.numerals import significant


def write_page(plan: Plan, target: Path) -> None:
    """Writes the page about `plan`.

    Raises:
        MissingExtra: jinja2 is not installed.
        NotWritable, DiskFull, EnvironmentFault: The place cannot be written.
    """
    write_text(target, page(plan))


def page(plan: Plan) -> str:
    """The page as HTML.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ModuleNotFoundError as error:
        raise missing_extra(error, "report") from error
    folders = [str(resources.files("edgeloop.planning")), str(resources.files("edgeloop.report") / "templates")]
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    facts = facts_of(plan)
    sections = [
        Section("plan", "Plan", (Facts(tuple(Fact(label, value) for label, value in facts.items())),)),
        Section("memory", "Memory", (Figure(memory_drawn(plan), "Memory over the batch"),)),
        Section("time", "Time", _time(plan)),
        Section("layers", "Layers", (_layers(plan),)),
    ]
    return environment.get_template("page.html.j2").render(
        title=plan.workload.model,
        sentence=f"Largest batch {facts['largest batch']}; {plan.times_source}.",
        sections=sections,
    )


def _time(plan: Plan) -> tuple[Block, ...]:
    drawn = times_drawn(plan)
    heads = ("threads", "seconds", "CPU seconds")
    rows = tuple(
        Row(tuple(map(Cell, (str(t.threads), significant(t.wall_s), significant(t.cpu_s))))) for t in plan.times
    )
    title = f"An epoch of {plan.samples:,} samples, {plan.judged_samples:,} judged"
    reading = "" if plan.reading_s is None else f"; reading takes {significant(plan.reading_s)} s {READING}"
    columns = tuple(Column(head, numeric=place > 0) for place, head in enumerate(heads))
    table = Table(title, columns, rows, note=plan.times_source + reading)
    return (Figure(drawn, "Time over the threads"), table) if drawn is not None else (table,)


def _layers(plan: Plan) -> Table:
    columns = tuple(Column(label, numeric=place > 1) for place, label in enumerate(COLUMNS))
    return Table("", columns, tuple(Row(tuple(map(Cell, row))) for row in rows_of(plan)))
