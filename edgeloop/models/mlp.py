"""Fully connected layers, for samples of few enough numbers.

784-300-100-10, the default for pictures of 28 x 28 pixels in ten classes, has 266,610 parameters: LeNet-300-100 of
LeCun et al., "Gradient-Based Learning Applied to Document Recognition", 1998, here with ReLU, and so with the weights
of He et al., "Delving Deep into Rectifiers", 2015: normal with variance 2 / fan-in.

Shapes: any sample → F, all its numbers → hidden → … → K.
"""

from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any

from pydantic import Field

from edgeloop.contract import Contract, parsed
from edgeloop.models import PICTURE, ROW, WINDOW, Widths, require_input, widths_of

if TYPE_CHECKING:
    from torch import nn


class MlpOptions(Contract):
    """`train.model_options` of this architecture."""

    hidden: Widths = Field(default="300-100", description="neurons of the hidden layers")


class Mlp:
    """See the module."""

    options = MlpOptions
    inputs = (PICTURE, WINDOW, ROW)
    answers = "row"
    output_names = ("logits",)

    def build(self, input_shape: tuple[int, ...], outputs: int, options: dict[str, Any]) -> "nn.Module":
        """See `edgeloop.models.Architecture`."""
        from torch import nn

        chosen = parsed(MlpOptions, options, where="train.model_options")
        require_input(input_shape, inputs=self.inputs)
        widths = (prod(input_shape), *widths_of(chosen.hidden), outputs)
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in pairwise(widths):
            linear = nn.Linear(before, after)
            nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
            nn.init.zeros_(linear.bias)
            layers += [linear, nn.ReLU()]
        return nn.Sequential(*layers[:-1])  # what comes out keeps its sign


plugin = Mlp()
