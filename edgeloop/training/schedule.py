"""The learning rate of every step."""

import math

from edgeloop.training import TrainParams


def learning_rate(params: TrainParams, *, step: int, steps: int) -> float:
    """The rate of step `step` (from 0) of `steps`: constant, or half a cosine from the peak down towards 0."""
    if params.schedule == "constant":
        return params.learning_rate
    return params.learning_rate * 0.5 * (1 + math.cos(math.pi * step / steps))
