"""What stops a training that cannot go on: a loss that runs away, a batch too small, a memory too small."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite

from edgeloop.errors import EnvironmentFault, ParamsFault

FAR = 10
"""A training whose loss grows to this many times what it began with has diverged, finite or not."""


class Divergence(ParamsFault):
    """The loss left the finite numbers, or is far above where it began.

    Args:
        what: The fact.
        epochs: That were finished before.
        steps: That were finished before, in all epochs.
    """

    def __init__(self, what: str, *, epochs: int, steps: int) -> None:
        self.epochs, self.steps = epochs, steps
        super().__init__(what, where="train", fix="lower train.learning_rate")


def require_finite(loss: float, *, where: str, epochs: int, steps: int) -> None:
    """Refuses a loss that is no number.

    Args:
        loss: Of a step, or of val.
        where: Epoch and step, in words.
        epochs: As of `Divergence`.
        steps: As of `Divergence`.

    Raises:
        Divergence: It is not finite.
    """
    if not isfinite(loss):
        raise Divergence(f"the training diverged: the loss is {loss} at {where}", epochs=epochs, steps=steps)


def require_near(loss: float, begun: float, *, epoch: int, steps: int) -> None:
    """Refuses a mean loss over an epoch that is far above where the training began.

    Args:
        loss: Over the epoch.
        begun: Of the first step where the epoch is the first, later of the first epoch.
        epoch: Its number, from 1.
        steps: At its end.

    Raises:
        Divergence: It is.
    """
    if loss > FAR * max(begun, 1.0):  # a good parent begins near 0, and may well lose some of that
        raise Divergence(
            f"the training diverged: the mean loss of epoch {epoch} is {loss:.4g}, and it began with {begun:.4g}",
            epochs=epoch - 1,
            steps=steps,
        )


@contextmanager
def enough_samples() -> Iterator[None]:
    """Batch norm raises a ValueError where a channel has a single value.

    Raises:
        ParamsFault: It did.
    """
    try:
        yield
    except ValueError as error:
        raise ParamsFault(
            f"the network cannot learn from such a batch ({error})",
            where="train",
            fix="raise train.batch_size or train.image",
        ) from error


@contextmanager
def enough_memory() -> Iterator[None]:
    """The allocator raises a bare RuntimeError where it gets nothing.

    Raises:
        EnvironmentFault: It did.
    """
    try:
        yield
    except RuntimeError as error:
        if "allocate" not in str(error):
            raise
        raise EnvironmentFault(
            "the memory does not suffice for this network and batch",
            where="train",
            fix="lower train.batch_size, train.image or train.model_options",
        ) from error
