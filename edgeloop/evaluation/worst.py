"""The samples of test that the winner is worst on, for people: with marks, or where in them its answer hangs on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edgeloop.benchmarking.staging import Samples
from edgeloop.data.inputs import WindowPreprocessing
from edgeloop.data.preprocessing import Preprocessing
from edgeloop.evaluation.answering import Ask
from edgeloop.evaluation.occlusion import importance_of
from edgeloop.examples import Example, Examples, WindowExample, example_of, window_example_of, worst_of
from edgeloop.models import ModelCard
from edgeloop.tasks import Floats, Task, Truth


@dataclass(frozen=True)
class Judged:
    """All of test, with what the winner says of it.

    Args:
        samples: All of them.
        answers: To each.
        truths: Of each.
        ask: The winner.
        task: The card's.
        card: The model's.
    """

    samples: Samples
    answers: Floats
    truths: Sequence[Truth]
    ask: Ask
    task: Task
    card: ModelCard

    def worst(self) -> Examples:
        """The examples; none for rows of a table, or where the task has no order among its answers.

        Raises:
            DataFault: A sample has changed or cannot be read.
            ModelFault: An answer is not finite.
        """
        pictures = isinstance(self.card.preprocessing, Preprocessing)
        if not self.task.worst_by or not (pictures or isinstance(self.card.preprocessing, WindowPreprocessing)):
            return Examples()
        pairs = zip(self.answers, self.truths, strict=True)
        marks = [self.task.marks(answer, truth, self.card) for answer, truth in pairs]
        places = worst_of(self.task.wrongness(self.answers, self.truths, self.card), marks=marks)
        return Examples(
            worst_by=self.task.worst_by,
            certainty=self.task.certain_of,
            examples=tuple(self._picture(place) for place in places) if pictures else (),
            windows=() if pictures else tuple(self._window(place) for place in places),
        )

    def _picture(self, place: int) -> Example:
        sample = self.samples.samples[place]
        content = self.samples.dataset.content(sample)
        inputs = self.samples.preprocessing.apply(content, where=sample.uri)
        marks = self.task.marks(self.answers[place], self.truths[place], self.card)
        found = self._importance(place, inputs)
        return example_of(sample, content, told=self._told(place), marks=marks, importance=found)

    def _window(self, place: int) -> WindowExample:
        sample = self.samples.samples[place]
        inputs = self.samples.inputs((sample,))[0]
        taken = self.card.preprocessing
        bands = isinstance(taken, WindowPreprocessing) and taken.window.bands
        return window_example_of(
            sample,
            inputs,
            told=self._told(place),
            axis="band" if bands else "reading",
            importance=self._importance(place, inputs),
        )

    def _importance(self, place: int, inputs: NDArray[np.float32]) -> NDArray[np.float64] | None:
        if not self.task.certain_of:
            return None
        certainty = partial(self.task.certainty, told=self.answers[place], card=self.card)
        return importance_of(inputs, ask=self.ask, certainty=certainty)

    def _told(self, place: int) -> str:
        return self.task.told(self.answers[place], self.truths[place], self.card)
