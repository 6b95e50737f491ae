"""How far the run came: one box a step."""

from edgeloop.report.blocks import Figure, Section
from edgeloop.report.drawings.steps import StepBox, steps_drawn
from edgeloop.report.numerals import count, percent
from edgeloop.report.reading import Absent, Contents
from edgeloop.report.state import STEPS, states
from edgeloop.variants import VariantSet


def steps(contents: Contents, stopped: str | None) -> Section:
    """The section."""
    found = states(contents, stopped)
    boxes = [StepBox(step, found[step], _fact(step, contents)) for step in STEPS]
    note = (
        "Arrows show the order. From train on, every step also reads the dataset and the verdict on it;"
        " register reads everything."
    )
    return Section("steps", "Steps", (Figure(steps_drawn(boxes), "", note),))


def _fact(step: str, contents: Contents) -> str:
    """The one thing to know of a step's outcome, empty where it left none."""
    facts = {
        "prepare_data": _prepared,
        "validate_data": _validated,
        "train": _trained,
        "convert": lambda c: _variants(c.converted),
        "quantize": lambda c: _variants(c.quantized),
        "benchmark": _measured,
        "select": _selected,
        "evaluate": _evaluated,
        "register": _registered,
    }
    return facts[step](contents)


def _prepared(contents: Contents) -> str:
    card = contents.dataset
    return "" if isinstance(card, Absent) else f"{count(sum(card.counts.values()))} samples"


def _validated(contents: Contents) -> str:
    verdict = contents.verdict
    if isinstance(verdict, Absent):
        return ""
    return f"verdict: {verdict.status}" + (f", {count(verdict.quarantined)} out" if verdict.quarantined else "")


def _trained(contents: Contents) -> str:
    summary = contents.summary
    if isinstance(summary, Absent):
        return ""
    value = summary.metrics.get(summary.metric)
    return f"{summary.metric} on val {percent(value)}" if isinstance(value, float) else ""


def _variants(variants: VariantSet | Absent) -> str:
    if isinstance(variants, Absent):
        return ""
    accepted, built = sum(v.accepted for v in variants.variants), len(variants.variants)
    left = f", {len(variants.unmade)} not evaluated" if variants.unmade else ""
    return f"{accepted} of {built} accepted{left}" if built else "no scheme asked for"


def _measured(contents: Contents) -> str:
    report = contents.benchmark
    if isinstance(report, Absent):
        return ""
    return f"{sum(row.status == 'pass' for row in report.rows)} of {len(report.rows)} candidates pass"


def _selected(contents: Contents) -> str:
    selection = contents.selection
    return "" if isinstance(selection, Absent) else selection.variant or "no candidate left"


def _evaluated(contents: Contents) -> str:
    evaluation = contents.evaluation
    if isinstance(evaluation, Absent):
        return ""
    value = evaluation.metrics.get(evaluation.metric)
    return f"{evaluation.metric} on test {percent(value)}" if isinstance(value, float) else ""


def _registered(contents: Contents) -> str:
    return "" if isinstance(contents.lineage, Absent) else f"{len(contents.lineage.files)} files in the bundle"
