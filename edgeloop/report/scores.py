"""The metrics of a task, as far as a page can draw them; a task that knows no classes has none of these parts."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edgeloop.report.drawings.precision_recall import ClassCurve
from edgeloop.report.drawings.reliability import Bin


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class ClassScore(_Part):
    """One class; a quotient that is not defined is null."""

    name: str = Field(alias="class")
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    support: int = 0
    pictures: int | None = None
    ap50: float | None = None
    ap50_95: float | None = None


class ConfidenceBin(_Part):
    """Samples whose confidence lies in one range."""

    lower: float
    upper: float
    count: int
    confidence: float | None
    accuracy: float | None


class Scores(_Part):
    """Table of classes, confusion matrix, curves and bins of confidence."""

    per_class: tuple[ClassScore, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    confusion_classes: tuple[str, ...] = Field(default=(), description="those of per_class unless given")
    bins: tuple[ConfidenceBin, ...] = ()
    curves: tuple[tuple[float, ...], ...] = Field(default=(), description="precision by recall, a class each")

    @model_validator(mode="after")
    def _square(self) -> "Scores":
        size = len(self.confusion)
        if any(len(row) != size for row in self.confusion) or (size and size != len(self.classes)):
            raise ValueError("the confusion matrix does not fit the classes")
        return self

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names, in the order of rows and columns."""
        return self.confusion_classes or tuple(score.name for score in self.per_class)

    @property
    def drawn_curves(self) -> tuple[ClassCurve, ...]:
        """The curves as the drawing takes them."""
        if len(self.curves) != len(self.per_class):
            return ()
        return tuple(ClassCurve(row.name, curve) for row, curve in zip(self.per_class, self.curves, strict=True))

    @property
    def drawn_bins(self) -> tuple[Bin, ...]:
        """The bins as the drawing takes them."""
        return tuple(Bin(b.lower, b.upper, b.count, b.confidence, b.accuracy) for b in self.bins)


def scores_of(metrics: dict[str, Any]) -> Scores:
    """What can be drawn of a task's metrics; empty where they are of another shape."""
    try:
        return Scores.model_validate(metrics)
    except ValidationError:
        return Scores()


def counted(answers: Sequence[tuple[str, str]]) -> tuple[tuple[str, ...], list[list[int]]]:
    """Classes and confusion matrix of (actual, predicted) pairs."""
    classes = tuple(sorted({label for pair in answers for label in pair}))
    found = Counter(answers)
    return classes, [[found[actual, predicted] for predicted in classes] for actual in classes]


def plain(metrics: dict[str, Any]) -> dict[str, float]:
    """The metrics that are single numbers."""
    return {
        name: value for name, value in metrics.items() if isinstance(value, int | float) and not isinstance(value, bool)
    }
