"""The learning rate of every step."""

import math

from edgeloop.training import TrainParams


def learning_rate(params: TrainParams, *, step: int, steps: int) -> float:
    """The rate of step `step` (from 0) of `steps`.

    It rises in a straight line over the first `train.warm_up` of the steps; then it is constant, or half a cosine from
    the peak down towards 0.
    """
    rising = math.ceil(params.warm_up * steps)
    if step < rising:
        return params.learning_rate * (step + 1) / (rising + 1)
    if params.schedule == "constant":
        return params.learning_rate
    return params.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - rising) / (steps - rising)))
