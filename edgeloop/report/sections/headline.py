"""The top of the page: how the run ended, and the six things one wants to know first."""

from dataclasses import dataclass

from edgeloop.benchmarking import CandidateRow
from edgeloop.report.blocks import GLYPHS, Fact
from edgeloop.report.inputs import ReportInputs
from edgeloop.report.numerals import SPACE, count, percent, points, significant, size
from edgeloop.report.reading import Absent, Contents
from edgeloop.report.sections.benchmark import unit_of
from edgeloop.report.sections.evaluation import interval_of
from edgeloop.report.state import STEPS, present


@dataclass(frozen=True)
class Headline:
    """How the run ended.

    Args:
        title: Name of the model.
        mark: `pass`, `fail` or `open`.
        verdict: A glyph and a few words.
        sentence: One line.
        tiles: The things to know first.
        digest: Of the subject, in full; empty without one.
    """

    title: str
    mark: str
    verdict: str
    sentence: str
    tiles: tuple[Fact, ...]
    digest: str


def headline(contents: Contents, inputs: ReportInputs, stopped: str | None) -> Headline:
    """The headline."""
    mark, verdict, sentence = _verdict(contents, inputs, stopped)
    tiles = (
        _model(contents),
        _winner(contents),
        _test(contents),
        _latency(contents),
        _size(contents),
        _memory(contents),
    )
    digest = "" if isinstance(contents.lineage, Absent) else contents.lineage.subject_digest
    return Headline(inputs.title, mark, verdict, sentence, tiles, digest)


def _verdict(contents: Contents, inputs: ReportInputs, stopped: str | None) -> tuple[str, str, str]:
    if inputs.failure is not None:
        where = f" at {stopped}" if stopped else ""
        return "fail", f"{GLYPHS['fail']} stopped{where}", inputs.failure or "no reason was given"
    missing = [step for step in STEPS if not present(step, contents)]
    choice = contents.selection
    if not isinstance(choice, Absent) and choice.winner is None:
        return "fail", f"{GLYPHS['fail']} no candidate", choice.reason
    if missing:
        return "open", f"{GLYPHS['not run']} incomplete", f"Not run: {', '.join(missing)}."
    assert not isinstance(choice, Absent)
    return "pass", f"{GLYPHS['pass']} complete", f"Every gate passed. {choice.reason}."


def _model(contents: Contents) -> Fact:
    model = contents.model
    if isinstance(model, Absent):
        return Fact("model", "–", note=model.reason)
    return Fact(
        "model", model.architecture, note=f"{count(model.parameters)} trained values, {len(model.classes)} classes"
    )


def _winner(contents: Contents) -> Fact:
    choice = contents.selection
    if isinstance(choice, Absent):
        return Fact("winner", "–", note=choice.reason)
    if choice.winner is None:
        return Fact("winner", "none", note="no candidate is within the limits", mark="fail")
    return Fact("winner", choice.variant or choice.winner, note=choice.winner)


def _test(contents: Contents) -> Fact:
    outcome = contents.evaluation
    if isinstance(outcome, Absent):
        return Fact("accuracy on test", "–", note=outcome.reason)
    value = outcome.metrics.get(outcome.metric)
    shown = percent(value) if isinstance(value, int | float) else "not measured"
    missed = any(check.status != "pass" for check in outcome.checks)
    gates = [f"gate ≥{SPACE}{100 * c.limit:g}{SPACE}%" for c in outcome.checks if c.limit is not None]
    note = "; ".join(filter(None, (*gates, interval_of(outcome))))
    return Fact(f"{outcome.metric} on test", shown, note=note, mark="fail" if missed else "")


def _winning_row(contents: Contents) -> CandidateRow | str:
    """The winner's row, or why there is none."""
    choice, report = contents.selection, contents.benchmark
    if isinstance(report, Absent):
        return report.reason
    if isinstance(choice, Absent):
        return choice.reason
    rows = [row for row in report.rows if row.candidate == choice.winner]
    return rows[0] if rows else "there is no winner"


def _latency(contents: Contents) -> Fact:
    row = _winning_row(contents)
    if isinstance(row, str):
        return Fact("latency bound", "–", note=row)
    assert not isinstance(contents.benchmark, Absent) and not isinstance(contents.selection, Absent)
    name = contents.selection.limits.latency_quantile
    if row.latency is None:
        return Fact(f"{name} bound", "not measured", note=row.reason, mark="open")
    unit, judged = unit_of(contents.benchmark), getattr(row.latency, name)
    note = f"p50 {unit.full(row.latency.p50.value_ms)}; {significant(row.latency.throughput_per_s)} inferences/s"
    if judged.upper_ms is None:
        return Fact(
            f"{name}, without a bound", unit.full(judged.value_ms), note=f"too few samples; {note}", mark="open"
        )
    return Fact(f"{name}, 99 % upper bound", f"≤{SPACE}{unit.full(judged.upper_ms)}", note=note)


def _size(contents: Contents) -> Fact:
    row = _winning_row(contents)
    if isinstance(row, str):
        return Fact("size", "–", note=row)
    variants = contents.converted
    reference = None if isinstance(variants, Absent) or not variants.variants else variants.variants[0]
    if reference is None or not reference.size_bytes or reference.name == row.variant:
        return Fact("size", size(row.size_bytes), note=f"{row.size_bytes:,} bytes")
    change = points(row.size_bytes / reference.size_bytes - 1).replace("pp", "%")
    return Fact("size", size(row.size_bytes), note=f"{change} against {reference.name}")


def _memory(contents: Contents) -> Fact:
    row = _winning_row(contents)
    if isinstance(row, str):
        return Fact("peak memory", "–", note=row)
    if row.peak_memory_bytes is None:
        return Fact("peak memory", "not measured", note=row.reason or "no value was recorded", mark="open")
    return Fact("peak memory", size(row.peak_memory_bytes), note="of a process that only loads and runs the model")
