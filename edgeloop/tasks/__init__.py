"""Tasks, one file each: what a model is asked, and how well it answers.

From a sample to a number that gates judge:

    sample ── truths ──► truth: what is right; any value, one a sample
    input ─ network ─► outputs: tensors by name ── answers ──► answer: what is kept of them, one row a sample
    answers and truths ── metrics ──► a mapping of JSON types, with `metric` among them

Everything that a task has to know of the model stands on its card: the names of its outputs, the shape of its input,
the task's options, and the constants that the task took from the training data. A task is written against this page;
no step knows which task it works for.

Legend: `N` samples, `K` numbers of a network that answers with a row.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.data.dataset import Dataset, Sample
from edgeloop.errors import DataFault
from edgeloop.models import ModelCard

if TYPE_CHECKING:
    import torch

Truth = Any
"""What is right for one sample: a class index, boxes, a number; of the task's choice."""

Floats = NDArray[np.float32]
Outputs = Mapping[str, Floats]
"""What a network gives for N inputs, by name."""

Inputs = Callable[[], Floats]
"""Gives the very inputs that outputs are of; called by a task that compares them only, for reading them costs."""

FEW = "add samples, or look at what validate_data took out"


class Mark(Contract):
    """A box in a picture, for people; its sides are shares of the picture's width and height."""

    kind: Literal["true", "right", "wrong", "missed"] = Field(description="true: an object that a right box is of")
    text: str
    left: float
    top: float
    width: float
    height: float


class Options(Contract):
    """`train.task_options` of a task that has none."""


class Task(Protocol):
    """A question to a model. What has a body here is right for most tasks; a task may give its own."""

    metric: str
    """Name of the metric that gates and selection judge, in 0..1 for a model that is of use; higher is better."""

    class_metric: str = "recall"
    """What of a row of the metric's `per_class` stands for one class as `metric` does for all."""

    worst_by: str = ""
    """What `wrongness` measures, for people; empty for a task that has no worst samples to show."""

    certain_of: str = ""
    """What `certainty` measures, for people; empty for a task without it."""

    kinds: tuple[str, ...]
    """The kinds of samples that it learns from: plug-ins of `edgeloop.data.features`."""

    asks: Literal["row", "input", "heads"]
    """What an architecture has to answer, see `edgeloop.models.Architecture.answers`."""

    options: type[Contract]
    """What `train.task_options` may hold."""

    def names(self, classes: tuple[str, ...], options: Mapping[str, Any]) -> tuple[str, ...]:  # noqa: ARG002
        """What the network's K numbers stand for, in order; the classes of the dataset unless said otherwise.

        Args:
            classes: Of the dataset.
            options: `train.task_options`.
        """
        return classes

    def truths(self, dataset: Dataset, samples: Sequence[Sample], card: ModelCard) -> list[Truth]:
        """What is right for each sample.

        Raises:
            DataFault: A sample does not say; it is named.
        """

    def learns_from(self, truth: Truth) -> bool:  # noqa: ARG002
        """Whether such a sample of train is learned from, and calibrates; val and test are always judged whole."""
        return True

    def require_learnable(
        self,
        train: Sequence[Truth],
        val: Sequence[Truth],
        *,
        card: ModelCard,  # noqa: ARG002
        where: str,
    ) -> None:
        """Refuses what nothing can be learned from.

        Args:
            train: Of the samples that are learned from.
            val: Of all samples of val.
            card: As far as it is known before training.
            where: The dataset.

        Raises:
            DataFault: It says what is missing.
        """
        require_both(train, val, where=where)

    def scale(
        self,
        truths: Sequence[Truth],  # noqa: ARG002
        *,
        parent: Mapping[str, float] | None = None,  # noqa: ARG002
    ) -> dict[str, float]:
        """Constants of the card that are taken from the truths of train, before training.

        Args:
            truths: Of the samples that are learned from.
            parent: Those of the model that training begins with: what its weights rest on stays as it is.
        """
        return {}

    def limits(self, answers: Floats, truths: Sequence[Truth], card: ModelCard) -> dict[str, float]:  # noqa: ARG002
        """Constants of the card that are taken from the best epoch's answers on val, such as a threshold."""
        return {}

    def moved(self, truth: Truth, *, down: int, right: int, shape: tuple[int, ...]) -> Truth:  # noqa: ARG002
        """The truth of an input of that shape that was moved by so many pixels, or readings to the right."""
        return truth

    def loss(
        self,
        outputs: "Mapping[str, torch.Tensor]",
        inputs: "torch.Tensor",
        truths: Sequence[Truth],
        card: ModelCard,
    ) -> "torch.Tensor":
        """The training loss, a scalar: the mean over a batch, or what stands for it."""

    def answers(self, outputs: Outputs, inputs: Inputs, card: ModelCard) -> Floats:
        """What is kept of the outputs: one array, N first, so that batches can be joined.

        A value that is not finite stays so; `metrics` refuses it.
        """

    def metrics(self, answers: Floats, truths: Sequence[Truth], card: ModelCard) -> dict[str, Any]:
        """All metrics as JSON types, `metric` and `samples` among them.

        Raises:
            ModelFault: There is no sample, or the answers are not finite or of another shape.
        """

    def agreement(self, reference: Floats, candidate: Floats, card: ModelCard) -> float:
        """Share of the answers that are the same for people, in 0..1; 1 where there are none."""

    def pairs(self, answers: Floats, truths: Sequence[Truth], card: ModelCard) -> list[tuple[str, str]]:
        """Actual and predicted class of whatever is counted: samples, or objects; empty where there are no classes."""

    def decode(self, answers: Floats, card: ModelCard) -> list[dict[str, Any]]:
        """One answer a sample, for people and programs."""

    def wrongness(self, answers: Floats, truths: Sequence[Truth], card: ModelCard) -> NDArray[np.float64]:  # noqa: ARG002
        """How wrong each answer is, N; more is worse. A task that marks places gives 0 to what is all right."""
        return np.zeros(len(truths))

    def certainty(self, answers: Floats, told: Floats, card: ModelCard) -> Floats:  # noqa: ARG002
        """How strongly each of many answers says what one answer, `told`, says; asked where `certain_of` is not empty.

        It says which parts of an input an answer hangs on: see `edgeloop.evaluation.occlusion`.
        """
        return np.zeros(len(answers), dtype=np.float32)

    def told(self, answer: Floats, truth: Truth, card: ModelCard) -> str:  # noqa: ARG002
        """What one sample is and what the model says, in a few words."""
        return ""

    def marks(self, answer: Floats, truth: Truth, card: ModelCard) -> tuple[Mark, ...]:  # noqa: ARG002
        """What to draw into the picture of one sample; nothing unless places in it are what is asked for."""
        return ()

    def draw(self, metrics: dict[str, Any], folder: Path) -> list[Path]:
        """Pictures of the metrics as PNG in `folder`."""


def require_both(train: Sequence[Truth], val: Sequence[Truth], *, where: str) -> None:
    """Refuses an empty split.

    Raises:
        DataFault: It is named.
    """
    for split, truths in (("train", train), ("val", val)):
        if not truths:
            raise DataFault(f"no usable sample in {split}", where=where, fix=FEW)
