"""The exponential moving average of a network's weights: what is kept of a noisy walk is its middle.

The decay of step t is at most (1 + t) / (10 + t), so that the first weights, which know nothing, are soon forgotten
(the ramp of TensorFlow's ExponentialMovingAverage). Whole numbers, such as a count of batches, are copied.
"""

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


class Average:
    """Follows a network.

    Args:
        network: The one that learns.
        decay: Share of the average that a step leaves; 0 makes no average.
    """

    def __init__(self, network: "nn.Module", *, decay: float) -> None:
        self._learning, self._decay, self.steps = network, decay, 0
        self.network: nn.Module = copy.deepcopy(network).requires_grad_(False) if decay else network
        """The average; without one the network itself."""

    def follow(self) -> None:
        """To be called after every step."""
        import torch

        if not self._decay:
            return
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps))
        learned = self._learning.state_dict()
        with torch.no_grad():
            for name, mean in self.network.state_dict().items():
                if mean.dtype.is_floating_point:
                    mean.lerp_(learned[name], 1 - decay)
                else:
                    mean.copy_(learned[name])
