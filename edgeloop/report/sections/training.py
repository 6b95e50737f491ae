"""The training: curves, what the model mistakes on val, what it cost."""

from edgeloop.lineage.subject import TrialRecord
from edgeloop.report.blocks import (
    GLYPHS,
    Block,
    Cell,
    Column,
    Fact,
    Facts,
    Figure,
    Items,
    Notice,
    Row,
    Section,
    Table,
    absent,
    check_facts,
    side,
)
from edgeloop.report.drawings.confusion import MOST_CLASSES, confusion_drawn, mistakes_told
from edgeloop.report.drawings.curves import Curve, curves_drawn
from edgeloop.report.drawings.growth import growth_drawn
from edgeloop.report.numerals import NONE, SPACE, count, percent, significant, size, value_text
from edgeloop.report.reading import Absent, Contents, History
from edgeloop.report.scores import counted, plain, scores_of
from edgeloop.report.sections.variants import flattened
from edgeloop.training.summary import TrainingSummary

_TITLE = "Training"
_AXES = {3: "channels × height × width, pixels", 2: "channels × readings, or bands", 1: "columns"}


def training(contents: Contents) -> Section:
    """The section."""
    summary, history = contents.summary, contents.history
    if isinstance(summary, Absent):
        return absent("training", _TITLE, summary.reason)
    blocks: list[Block] = [_facts(contents, summary)]
    blocks += [Notice(f"Curves: {history.reason}.")] if isinstance(history, Absent) else _curves(history, summary)
    blocks += _trials(contents, summary)
    blocks += _growth(summary)
    blocks += _confusion(contents, summary)
    return Section("training", _TITLE, tuple(blocks))


def _facts(contents: Contents, summary: TrainingSummary) -> Facts:
    model, cost = contents.model, contents.cost
    facts = []
    if not isinstance(model, Absent):
        facts.append(Fact("model", model.architecture, note=f"{count(model.parameters)} trained values"))
        facts.append(
            Fact("input", " × ".join(map(str, model.preprocessing.shape)), note=_AXES[len(model.preprocessing.shape)])
        )
    metrics = plain(summary.metrics)
    if summary.metric in metrics:
        facts.append(Fact(f"{summary.metric} on val", percent(metrics[summary.metric])))
    losses = f"{significant(summary.train_loss)} / {significant(summary.val_loss)}"
    facts.append(Fact("loss, train / val", losses, note=f"at epoch {summary.best_epoch}, whose weights were kept"))
    used = " / ".join(f"{count(n)} {split}" for split, n in summary.samples.items())
    facts.append(Fact("epochs", count(summary.epochs), note=f"{count(summary.steps)} steps on {used}"))
    facts.append(Fact("seed, threads", f"{summary.seed}, {summary.threads}", note=f"torch {summary.torch_version}"))
    if summary.augmented:
        numbers = ", ".join(f"entry {k}: {count(n)}" for k, n in enumerate(summary.augmented, start=1))
        facts.append(Fact("augmented", f"{count(sum(summary.augmented))} samples of train", note=numbers))
    parent = summary.parent
    facts.append(Fact("began with", "a model" if parent else "random weights", note=parent.digest if parent else ""))
    if isinstance(cost, Absent):
        facts.append(Fact("cost", "not measured", note=cost.reason, mark="open"))
    else:
        memory = size(cost.peak_memory_bytes) if cost.peak_memory_bytes is not None else "not measured"
        facts.append(
            Fact("time", f"{significant(cost.wall_s)}{SPACE}s", note=f"{significant(cost.cpu_s)}{SPACE}s of CPU time")
        )
        energy = "not measured: " + cost.energy_reason if cost.energy_j is None else f"{significant(cost.energy_j)} J"
        facts.append(Fact("peak memory", memory, note=f"energy {energy}"))
    return Facts((*facts, *check_facts(summary.checks)))


def _curves(history: History, summary: TrainingSummary) -> tuple[Block, ...]:
    epochs = [epoch.number for epoch in history.epochs]
    loss = curves_drawn(
        epochs,
        [
            Curve("train", tuple(epoch.train_loss for epoch in history.epochs), series=1),
            Curve("val", tuple(epoch.val_loss for epoch in history.epochs), series=0),
        ],
        title="Loss over epochs",
        y_label="loss, logarithmic",
        y_text=lambda value: value_text(value),
        marked=summary.best_epoch,
        logarithmic=True,
    )
    metric = curves_drawn(
        epochs,
        [Curve("val", tuple(epoch.metric for epoch in history.epochs))],
        title=f"{history.metric} on val over epochs",
        y_label=f"{history.metric} on val",
        y_text=lambda share: percent(share, 1),
        marked=summary.best_epoch,
    )
    drawn = ((loss, "Loss"), (metric, f"{history.metric} on val"))
    return side(Figure(picture, title) for picture, title in drawn if picture is not None)


def _trials(contents: Contents, summary: TrainingSummary) -> tuple[Block, ...]:
    """A row a trial, the chosen one marked."""
    if not summary.trials:
        return ()
    parts = () if isinstance(contents.cost, Absent) else contents.cost.parts
    seconds = {part.name: part.wall_s for part in parts}
    heads = ("trial", "differs in", f"{summary.metric} on val", "loss on val", "trained values", "epochs", "time")
    columns = tuple(Column(head, numeric=head not in ("trial", "differs in")) for head in heads)
    rows = tuple(
        _trial(row, f"trial {number}", seconds.get(f"trial {number}"))
        for number, row in enumerate(summary.trials, start=1)
    )
    note = "The best on val goes on; among equals the one with the fewest trained values, then the first."
    return (Table("Trials", columns, rows, note),)


def _trial(row: TrialRecord, name: str, wall_s: float | None) -> Row:
    overrides = ", ".join(f"{key} {value}" for key, value in flattened(row.overrides))
    at = "" if row.best_epoch is None else f"best {row.best_epoch}"
    cells = (
        Cell(name, note=f"{GLYPHS['winner']}{SPACE}chosen" if row.chosen else "", mark="name"),
        Cell(overrides or "nothing", note=row.fault, mark="reason"),
        Cell(NONE if row.metric is None else percent(row.metric)),
        Cell(NONE if row.val_loss is None else significant(row.val_loss)),
        Cell(NONE if row.parameters is None else count(row.parameters)),
        Cell(count(row.epochs), note=at),
        Cell(NONE if wall_s is None else f"{significant(wall_s)}{SPACE}s"),
    )
    return Row(cells, mark="winner" if row.chosen else "")


def _growth(summary: TrainingSummary) -> tuple[Block, ...]:
    """The learning curve, and why points of it are missing."""
    points = summary.learning_curve
    known = [(point.samples, point.metric) for point in points if point.metric is not None]
    missing = [Notice(f"With {count(p.samples)} samples of train: {p.fault}.") for p in points if p.fault]
    if len(known) < 2:
        return tuple(missing)
    picture = growth_drawn(known, metric=summary.metric)
    text = "Every part is trained as the whole was. Where the line still rises, more samples are likely to help."
    return (Figure(picture, "Learning curve", text), *missing)


def _confusion(contents: Contents, summary: TrainingSummary) -> tuple[Block, ...]:
    """The matrix on val, of the summary or counted from the samples' answers."""
    scores = scores_of(summary.metrics)
    classes, counts = scores.classes, [list(row) for row in scores.confusion]
    if not counts and not isinstance(contents.answers, Absent):
        classes, counts = counted(contents.answers)
    if not counts:
        return ()
    return confusion_blocks(classes, counts, split="val")


def confusion_blocks(classes: tuple[str, ...], counts: list[list[int]], *, split: str) -> tuple[Block, ...]:
    """The matrix and the commonest mistakes."""
    picture = confusion_drawn(classes, counts, title=f"Confusion matrix on {split}")
    told = mistakes_told(classes, counts, most=12)
    whole, right = sum(map(sum, counts)), sum(counts[k][k] for k in range(len(classes)))
    title = f"Mistakes on {split}: {count(whole - right)} of {count(whole)}"
    figure: Block = (
        Notice(
            f"{len(classes)} classes: a matrix of more than {MOST_CLASSES} cannot be read, see the commonest mistakes."
        )
        if picture is None
        else Figure(picture, f"Confusion on {split}", "The shade is the share of the row; mistakes are drawn stronger.")
    )
    return side((figure, Items(title, tuple(told) or ("none",))))
