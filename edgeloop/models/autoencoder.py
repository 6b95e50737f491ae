"""A fully connected autoencoder: what it rebuilds badly is unlike what it has seen.

The default is the one of MLPerf Tiny for anomaly detection in machine sounds (Banbury et al., "MLPerf Tiny Benchmark",
2021; Koizumi et al., "ToyADMOS", 2019): 640-128-128-128-128-8-128-128-128-128-640, batch norm and ReLU after every
layer but the last. Its 267,928 trained values and the 2,064 that batch norm keeps of the data are the 269,992 (270 k)
that are written of it. Weights are uniform after Glorot and Bengio, 2010, as Keras has them.

Shapes: any sample → F, all its numbers → hidden → … → F → the sample's shape.
"""

from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any

from pydantic import Field

from edgeloop.contract import Contract, parsed
from edgeloop.models import PICTURE, ROW, WINDOW, Widths, require_input, widths_of

if TYPE_CHECKING:
    from torch import nn


class AutoencoderOptions(Contract):
    """`train.model_options` of this architecture."""

    hidden: Widths = Field(
        default="128-128-128-128-8-128-128-128-128", description="neurons of the layers between input and output"
    )


class Autoencoder:
    """See the module."""

    options = AutoencoderOptions
    inputs = (PICTURE, WINDOW, ROW)
    answers = "input"
    output_names = ("rebuilt",)

    def build(self, input_shape: tuple[int, ...], outputs: int, options: dict[str, Any]) -> "nn.Module":  # noqa: ARG002
        """See `edgeloop.models.Architecture`; `outputs` has no meaning here."""
        from torch import nn

        chosen = parsed(AutoencoderOptions, options, where="train.model_options")
        require_input(input_shape, inputs=self.inputs)
        features = prod(input_shape)
        widths = (features, *widths_of(chosen.hidden))
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
        network = nn.Sequential(*layers, nn.Linear(widths[-1], features), nn.Unflatten(1, input_shape))
        for module in network:
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        return network


plugin = Autoencoder()
