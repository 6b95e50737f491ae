"""Answers from a bundle alone: preprocessing, model and decode, after every file was verified.

Its signature is asked for where this project trusts keys, see `edgeloop.lineage.verification`.
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from edgeloop import plugins
from edgeloop.contract import Contract
from edgeloop.errors import translated
from edgeloop.evaluation.answering import runtime_for
from edgeloop.lineage import verification
from edgeloop.models import ModelCard, named_only
from edgeloop.runtimes import Runtime, Session
from edgeloop.tasks import Task


class Prediction(Contract):
    """The answer to one input."""

    input: str
    variant: str
    runtime: str
    answer: dict[str, Any]


def predict(bundle: Path, inputs: Sequence[Path], *, variant: str | None = None, threads: int = 1) -> list[Prediction]:
    """Answers each input, in the order given.

    Args:
        bundle: A bundle's folder.
        inputs: Files of the kind that the model takes.
        variant: One of the bundle; the selected one by default.
        threads: Computing threads.

    Raises:
        ModelFault: The bundle is not whole or not signed by a trusted key, or holds no such variant.
        DataFault: An input cannot be read as what it should be; it is named.
        DeviceFault: The runtime is not installed here.
    """
    opened = verification.opened(bundle)
    winner = opened.manifest.winner
    placed = opened.variant(variant or winner.variant)
    name = runtime_for(placed, preferred=winner.runtime)
    runtime: Runtime = plugins.load("runtimes", name)
    card = opened.card
    task: Task = plugins.load("tasks", card.task)
    with closing(runtime.open(placed.path, threads=threads)) as session:
        return [
            Prediction(
                input=str(path),
                variant=placed.variant.name,
                runtime=name,
                answer=_answer(path, card=card, task=task, session=session),
            )
            for path in inputs
        ]


def _answer(path: Path, *, card: ModelCard, task: Task, session: Session) -> dict[str, Any]:
    with translated(path):
        content = path.read_bytes()
    inputs = card.preprocessing.apply(content, where=str(path))[None]
    outputs = named_only(session.run(inputs), card, where=str(path))
    return task.decode(task.answers(outputs, inputs.view, card), card)[0]
