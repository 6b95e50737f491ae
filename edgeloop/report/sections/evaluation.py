"""The winner on test, once."""

from edgeloop.evaluation import Evaluation
from edgeloop.examples import Examples
from edgeloop.report.blocks import (
    Block,
    Cell,
    Column,
    Fact,
    Facts,
    Figure,
    Row,
    Section,
    Table,
    absent,
    check_facts,
    side,
)
from edgeloop.report.drawings.examples import example_drawn
from edgeloop.report.drawings.reliability import reliability_drawn
from edgeloop.report.drawings.svg import shortened
from edgeloop.report.numerals import NONE, count, percent, significant, wilson_interval
from edgeloop.report.reading import Absent, Contents
from edgeloop.report.scores import Scores, plain, scores_of
from edgeloop.report.sections.training import confusion_blocks

_TITLE = "Test"
_WORST = 60


def evaluation(contents: Contents) -> Section:
    """The section."""
    outcome = contents.evaluation
    if isinstance(outcome, Absent):
        return absent("evaluation", _TITLE, outcome.reason)
    scores = scores_of(outcome.metrics)
    blocks: list[Block] = [_facts(outcome)]
    if scores.confusion:
        blocks += confusion_blocks(scores.classes, [list(row) for row in scores.confusion], split="test")
    blocks += side((_per_class(scores), _reliability(scores)))
    blocks += [_of_column(name, outcome) for name in dict.fromkeys(part.column for part in outcome.parts)]
    if not isinstance(contents.examples, Absent):
        blocks += _examples(contents.examples)
    return Section("evaluation", _TITLE, tuple(blocks))


def interval_of(outcome: Evaluation) -> str:
    """The 95 % interval (Wilson) of an accuracy that was counted; empty for metrics that are no share of samples."""
    value = outcome.metrics.get("accuracy")
    if outcome.metric != "accuracy" or not isinstance(value, float) or not outcome.samples:
        return ""
    low, high = wilson_interval(round(value * outcome.samples), outcome.samples)
    return f"95 % interval {100 * low:.1f} to {percent(high, 1)}, n = {count(outcome.samples)}"


def _facts(outcome: Evaluation) -> Facts:
    facts = [
        Fact("candidate", outcome.candidate, note=f"on {outcome.runtime}"),
        Fact("samples", count(outcome.samples)),
    ]
    shares = {outcome.metric, "accuracy", "macro_f1", "ece", "precision", "recall", "map50_95"}
    for name, value in plain(outcome.metrics).items():
        if name == "samples":
            continue
        note = interval_of(outcome) if name == outcome.metric else ""
        facts.append(
            Fact(name, percent(value) if name in shares and 0 <= value <= 1 else significant(value), note=note)
        )
    return Facts((*facts, *check_facts(outcome.checks)))


def _per_class(scores: Scores) -> Table | None:
    """One row a class; of very many, those that are recognised worst."""
    if not scores.per_class:
        return None
    boxes = any(score.ap50 is not None for score in scores.per_class)
    heads = ("class", "precision", "recall", "F1", *(("AP@0.5", "AP@0.5:0.95") if boxes else ()), "support")
    columns = tuple(Column(head, numeric=head != "class") for head in heads)
    shown = list(scores.per_class)
    if len(shown) > _WORST:
        shown = sorted(shown, key=lambda score: 1.0 if score.f1 is None else score.f1)[:_WORST]
    rows = []
    for score in shown:
        values = (score.precision, score.recall, score.f1, *((score.ap50, score.ap50_95) if boxes else ()))
        shares = [Cell(NONE if value is None else percent(value, 1)) for value in values]
        rows.append(Row((Cell(score.name or "(no label)", mark="name"), *shares, Cell(count(score.support)))))
    note = "–: not defined, as the precision of a class that was never answered."
    if len(shown) < len(scores.per_class):
        note = f"The {_WORST} of {len(scores.per_class)} classes with the lowest F1. {note}"
    return Table("Per class", columns, tuple(rows), note)


def _examples(examples: Examples) -> tuple[Block, ...]:
    """The worst pictures, then some right ones."""
    note = "Green: right. Red: of nothing, or of another class. Yellow, dashed: not found."
    return side(Figure(example_drawn(one), shortened(one.id, 48), note) for one in examples.examples)


def _of_column(name: str, outcome: Evaluation) -> Table:
    """One row a value of a column of the metadata, the worst first."""
    parts = [part for part in outcome.parts if part.column == name]
    parts.sort(key=lambda part: float("inf") if part.metric is None else part.metric)
    columns = (Column(name), Column(outcome.metric, numeric=True), Column("samples", numeric=True))
    rows = [
        Row(
            (
                Cell(part.value, mark="name"),
                Cell(NONE if part.metric is None else percent(part.metric, 1)),
                Cell(count(part.samples)),
            )
        )
        for part in parts[:_WORST]
    ]
    note = f"The {_WORST} of {len(parts)} with the lowest value." if len(parts) > _WORST else ""
    return Table(f"By {name}", columns, tuple(rows), note)


def _reliability(scores: Scores) -> Figure | None:
    picture = reliability_drawn(scores.drawn_bins, title="Accuracy by confidence on test")
    if picture is None:
        return None
    note = "A calibrated model follows the diagonal. Pale bars stand on fewer than 10 samples."
    return Figure(picture, "Reliability", note)
