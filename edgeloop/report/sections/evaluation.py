"""The winner on test, once."""

from edgeloop.evaluation import Evaluation
from edgeloop.evaluation.corruption import STRENGTHS
from edgeloop.evaluation.sweep import CLEAN, Sweep, SweepCell
from edgeloop.examples import Examples
from edgeloop.report.blocks import (
    Block,
    Cell,
    Column,
    Fact,
    Facts,
    Figure,
    Fold,
    Items,
    Paragraph,
    Row,
    Section,
    Table,
    absent,
    check_facts,
    side,
)
from edgeloop.report.drawings.examples import example_drawn
from edgeloop.report.drawings.occlusion import pictures_drawn, window_drawn
from edgeloop.report.drawings.precision_recall import precision_recall_drawn
from edgeloop.report.drawings.reliability import reliability_drawn
from edgeloop.report.drawings.robustness import Fall, robustness_drawn
from edgeloop.report.drawings.svg import shortened
from edgeloop.report.numerals import NONE, count, drop, percent, significant, wilson_interval
from edgeloop.report.reading import Absent, Contents
from edgeloop.report.scores import ClassScore, Scores, plain, scores_of
from edgeloop.report.sections.training import confusion_blocks

_TITLE = "Test"
_WORST = 60
_BOX_HEADS = ("pictures", "objects", "precision", "recall", "mAP@0.5", "mAP@0.5:0.95")


def evaluation(contents: Contents) -> Section:
    """The section."""
    outcome = contents.evaluation
    if isinstance(outcome, Absent):
        return absent("evaluation", _TITLE, outcome.reason)
    scores = scores_of(outcome.metrics)
    blocks: list[Block] = [_facts(outcome)]
    if scores.confusion:
        blocks += confusion_blocks(scores.classes, [list(row) for row in scores.confusion], split="test")
    blocks += side((_per_class(scores, outcome),))
    blocks += side((_curves(scores), _reliability(scores)))
    blocks += [_of_column(name, outcome) for name in dict.fromkeys(part.column for part in outcome.parts)]
    if outcome.corruptions is not None:
        blocks += _corruptions(outcome.corruptions, outcome)
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


def _per_class(scores: Scores, outcome: Evaluation) -> Table | None:
    """One row a class, of very many those that are recognised worst; of a detector first a row of all."""
    if not scores.per_class:
        return None
    boxes = any(score.ap50 is not None for score in scores.per_class)
    heads = ("class", *(_BOX_HEADS if boxes else ("support", "precision", "recall", "F1")))
    shown = list(scores.per_class)
    if len(shown) > _WORST:
        shown = sorted(shown, key=lambda score: 1.0 if score.f1 is None else score.f1)[:_WORST]
    rows = [_class_row(score, boxes=boxes) for score in shown]
    if boxes:
        rows.insert(0, _all_row(plain(outcome.metrics)))
    note = "–: not defined, as the precision of a class that was never answered."
    if len(shown) < len(scores.per_class):
        note = f"The {_WORST} of {len(scores.per_class)} classes with the lowest F1. {note}"
    if boxes:
        note = f"Precision and recall at the score from which a box is told. {note}"
    return Table("Per class", tuple(Column(head, numeric=head != "class") for head in heads), tuple(rows), note)


def _class_row(score: ClassScore, *, boxes: bool) -> Row:
    counts: tuple[int | None, ...] = (score.pictures, score.support) if boxes else (score.support,)
    of_boxes = (score.ap50, score.ap50_95)
    shares = (score.precision, score.recall, *(of_boxes if boxes else (score.f1,)))
    numbers = [Cell(NONE if number is None else count(number)) for number in counts]
    return Row((Cell(score.name or "(no label)", mark="name"), *numbers, *map(_share, shares)))


def _all_row(metrics: dict[str, float]) -> Row:
    """The means over the classes, as detectors are told of."""
    counts = [Cell(count(metrics[name]) if name in metrics else NONE) for name in ("samples", "objects")]
    shares = [_share(metrics.get(name)) for name in ("precision", "recall", "map50", "map50_95")]
    return Row((Cell("all", mark="name"), *counts, *shares), mark="winner")


def _share(value: float | None) -> Cell:
    return Cell(NONE if value is None else percent(value, 1))


def _curves(scores: Scores) -> Figure | None:
    boxes = any(score.ap50 is not None for score in scores.per_class)
    drawn = precision_recall_drawn(scores.drawn_curves, title="Precision by recall of every class on test")
    if drawn is None:
        return None
    what = "Boxes that overlap by at least one half are right." if boxes else "Each class against all others."
    return Figure(drawn, "Precision and recall", f"{what} At each recall the best precision there or beyond.")


def _corruptions(sweep: Sweep, outcome: Evaluation) -> tuple[Block, ...]:
    """The metric of every variant as samples go bad, drawn and in numbers."""
    metrics = {(cell.variant, cell.corruption, cell.strength): cell.metric for cell in sweep.cells}
    falls = [
        Fall(
            name,
            corruption,
            tuple(metrics.get((name, *at)) for at in ((CLEAN, 0), *((corruption, k) for k in STRENGTHS))),
        )
        for name in sweep.variants
        for corruption in sweep.described
    ]
    drawn = robustness_drawn(falls, metric=outcome.metric)
    note = f"On {count(sweep.samples)} samples of test, the same for all. No limit and no choice hangs on this."
    figure = () if drawn is None else (Figure(drawn, "Corrupted samples", note),)
    what = Items("", tuple(f"{name}: {told}" for name, told in sweep.described.items()))
    return (*figure, Fold("Every corruption and strength in numbers", (what, _corruptions_table(sweep, outcome))))


def _corruptions_table(sweep: Sweep, outcome: Evaluation) -> Table:
    """A row a corruption and strength, a column a variant."""
    cells = {(cell.variant, cell.corruption, cell.strength): cell for cell in sweep.cells}
    columns = (
        Column("corruption", numeric=False),
        Column("strength", numeric=True),
        *(Column(name, note=f"{outcome.metric} on {sweep.variants[name]}", numeric=True) for name in sweep.variants),
    )
    rows = [
        Row(
            (
                Cell(corruption, mark="name"),
                Cell(str(strength) if strength else NONE),
                *(_corrupted(cells[name, corruption, strength]) for name in sweep.variants),
            )
        )
        for corruption, strength in dict.fromkeys((cell.corruption, cell.strength) for cell in sweep.cells)
    ]
    left_out = "; ".join(f"{name}: {reason}" for name, reason in sweep.left_out.items())
    note = f"drop: of {sweep.reference} less that of the variant, on the very same samples." if sweep.reference else ""
    return Table("", columns, tuple(rows), f"{note} {f'Not asked: {left_out}.' if left_out else ''}".strip())


def _corrupted(cell: SweepCell) -> Cell:
    value = NONE if cell.metric is None else percent(cell.metric, 1)
    return Cell(value, note="" if cell.drop is None else f"drop {drop(cell.drop)}")


def _examples(examples: Examples) -> tuple[Block, ...]:
    """The worst samples: with boxes, or with what the answer hangs on."""
    order = f"Ordered by {examples.worst_by}, the worst first."
    if any(one.marks for one in examples.examples):
        note = (
            "Green: right. White, dotted: the object that it is of. Red: of nothing, or of another class."
            " Yellow, dashed: not found."
        )
        title = Paragraph(f"Worst pictures, then some that are all right. {order} {note}")
        return (
            title,
            *side(Figure(example_drawn(one), shortened(f"{one.told}: {one.id}", 70)) for one in examples.examples),
        )
    lost = (
        f"the more of the {examples.certainty} is lost where it is covered with the mean of train (occlusion, asked of"
        " the selected file)"
    )
    sheet = pictures_drawn(examples.examples)
    if sheet is not None:
        return (Figure(sheet, "Worst pictures", f"{order} Right of each picture: the deeper the colour, {lost}."),)
    if not examples.windows:
        return ()
    figures = [Figure(window_drawn(one), shortened(f"{one.told}: {one.id}", 70)) for one in examples.windows]
    return (Paragraph(f"Worst windows. {order} The deeper the colour of a stretch, {lost}."), *side(figures))


def _of_column(name: str, outcome: Evaluation) -> Table:
    """One row a value of a column of the metadata, the worst first."""
    parts = [part for part in outcome.parts if part.column == name]
    parts.sort(key=lambda part: float("inf") if part.metric is None else part.metric)
    columns = (Column(name, numeric=False), Column(outcome.metric, numeric=True), Column("samples", numeric=True))
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
