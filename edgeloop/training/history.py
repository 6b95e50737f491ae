"""How a training went: tables for `dvc plots` and MLflow, pictures for people."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeloop.files import write_json, write_text
from edgeloop.pictures import BLUE, GREY, ORANGE, picture
from edgeloop.tasks import Task
from edgeloop.training.loop import Epoch, Fit, Material
from edgeloop.training.summary import GrowthPoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def write_history(folder: Path, fit: Fit, *, task: Task, material: Material, curve: Sequence[GrowthPoint] = ()) -> None:
    """Writes into `folder` all that code, parameters, seed and data decide.

    history.csv    a row an epoch; the metric stands there by its name, and as val_metric for `dvc plots`
    confusion.csv  actual, predicted: a row a sample of val, or an object; none where there are no classes
    metrics.json   the numbers of the best epoch
    curves.png     and the task's pictures (confusion.png, …)
    learning_curve.csv, learning_curve.png   of `curve`, where there is one
    """
    names = ("epoch", "train_loss", "val_loss", f"val_{task.metric}", "learning_rate", "val_metric")
    rows = [(e.number, e.train_loss, e.val_loss, e.val_metric, e.learning_rate, e.val_metric) for e in fit.epochs]
    _write_csv(folder / "history.csv", names, rows)
    pairs = task.pairs(fit.best.answers, material.val.truths, material.card)
    _write_csv(folder / "confusion.csv", ("actual", "predicted"), pairs)
    write_json(folder / "metrics.json", numbers(fit))
    draw_curves(fit, folder / "curves.png", metric=task.metric)
    task.draw(fit.best.metrics, folder)
    if curve:
        points = [(point.share, point.samples, point.metric) for point in curve]
        _write_csv(folder / "learning_curve.csv", ("share", "samples", "val_metric"), points)
        draw_growth(curve, folder / "learning_curve.png", metric=task.metric)


def curve_values(epoch: Epoch, task: Task) -> dict[str, float]:
    """One epoch as metrics of a tracked run."""
    return {
        "epoch.train_loss": epoch.train_loss,
        "epoch.val_loss": epoch.val_loss,
        f"epoch.val_{task.metric}": epoch.val_metric,
        "epoch.learning_rate": epoch.learning_rate,
    }


def numbers(fit: Fit) -> dict[str, float]:
    """The best epoch in numbers: the task's metrics on val, the losses, the epoch."""
    best = fit.best
    scalars = {name: value for name, value in best.metrics.items() if isinstance(value, int | float)}
    losses = {"train_loss": best.epoch.train_loss, "val_loss": best.epoch.val_loss}
    return {**scalars, **losses, "best_epoch": best.epoch.number}


def draw_curves(fit: Fit, path: Path, *, metric: str) -> None:
    """Losses and the metric on val over the epochs, the best epoch marked."""
    with picture(path, width_in=9.0, height_in=3.6) as figure:
        left, right = figure.subplots(1, 2)
        epochs = [e.number for e in fit.epochs]
        _curve(left, epochs, [e.train_loss for e in fit.epochs], colour=ORANGE, label="train")
        _curve(left, epochs, [e.val_loss for e in fit.epochs], colour=BLUE, label="val")
        _curve(right, epochs, [e.val_metric for e in fit.epochs], colour=BLUE, label="val")
        best = fit.best.epoch
        left.set_yscale("log")
        left.set(xlabel="epoch", ylabel="loss", title="Loss")
        right.set(
            xlabel="epoch", ylabel=metric, title=f"Best {metric} on val: {best.val_metric:.4f}, epoch {best.number}"
        )
        right.plot([best.number], [best.val_metric], "o", color=ORANGE, label="kept")
        for axes in (left, right):
            axes.axvline(best.number, color=GREY, linestyle="--", linewidth=1, zorder=0)
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.legend()


def draw_growth(curve: Sequence[GrowthPoint], path: Path, *, metric: str) -> None:
    """The metric on val over the samples that were learned from."""
    known = [(point.samples, point.metric) for point in curve if point.metric is not None]
    with picture(path, width_in=5.6, height_in=3.6) as figure:
        axes = figure.subplots()
        axes.plot(*zip(*known, strict=True), "o-", color=BLUE, linewidth=1.6)
        axes.set_xscale("log")
        axes.set(xlabel="samples of train", ylabel=f"{metric} on val", title="Learning curve")


def _curve(axes: "Axes", x: Sequence[int], y: Sequence[float], *, colour: str, label: str) -> None:
    marker = "o" if len(x) == 1 else ""
    axes.plot(x, y, color=colour, linewidth=1.6, marker=marker, label=label)


def _write_csv(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    write_text(path, text.getvalue())
