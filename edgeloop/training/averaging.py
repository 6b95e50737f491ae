"""The exponential moving average of a network's weights: what is kept of a noisy walk is its middle.

The decay of step t is at most (1 + t) / (10 + t), so that the first weights, which know nothing, are soon forgotten
(the ramp of TensorFlow's ExponentialMovingAverage). Whole numbers, such as a count of batches, are copied.
"""

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn


class Average:
    """Follows a network.

    Args:
        network: The one that learns.
        decay: Share of the average that a step leaves; 0 makes no average.
    """

    def __init__(self, network: "nn.Module", *, decay: float) -> None:
        self._decay, self.steps = decay, 0
        self.network: nn.Module = copy.deepcopy(network).requires_grad_(False) if decay else network
        """The average; without one the network itself."""
        pairs = list(zip(_values(self.network), _values(network), strict=True)) if decay else []
        self._averaged = [pair for pair in pairs if pair[0].dtype.is_floating_point]
        self._copied = [pair for pair in pairs if not pair[0].dtype.is_floating_point]

    def follow(self) -> None:
        """To be called after every step."""
        import torch

        if not self._decay:
            return
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            means, learned = zip(*self._averaged, strict=True)
            torch._foreach_lerp_(means, learned, 1 - decay)
            for count, learned_count in self._copied:
                count.copy_(learned_count)


def _values(network: "nn.Module") -> "list[torch.Tensor]":
    """Weights and what else a network holds; the very tensors, which training changes in place."""
    return [*network.parameters(), *network.buffers()]
