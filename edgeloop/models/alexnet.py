"""AlexNet in one tower.

Krizhevsky, "One Weird Trick for Parallelizing Convolutional Neural Networks", 2014: the network of Krizhevsky,
Sutskever and Hinton, 2012, without the split over two GPUs and without local response normalisation; convolutions of
64, 192, 384, 256 and 256 channels, two layers of 4,096. 61,100,840 parameters with 1,000 classes at 224 x 224 pixels,
where the convolutions end in 6 x 6 cells. More cells are averaged to as many; fewer stay, and the first layer of 4,096
is the smaller.

Weights after He et al., "Delving Deep into Rectifiers", 2015: normal with variance 2 / fan-in, biases zero. The rule of
2012 (a deviation of 0.01, many biases 1) is not taken: with AdamW the loss then stays for hundreds of steps where it
began.

Shapes: N, C, H, W → N, 256, h, w → N, 256, ≤ 6, ≤ 6 → N, 4096 → N, 4096 → N, K, times the width.
"""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from edgeloop.contract import Contract, parsed
from edgeloop.models import PICTURE, require_input, scaled

if TYPE_CHECKING:
    from torch import nn

LEAST = (63, 63)
"""Pixels that leave one cell behind the last pooling."""
MOST_CELLS = 6


class AlexnetOptions(Contract):
    """`train.model_options` of this architecture."""

    width: float = Field(default=1.0, ge=0.05, le=2, description="multiplier of the channels and neurons")
    dropout: float = Field(default=0.5, ge=0, lt=1, description="before each layer of 4,096")


class Alexnet:
    """See the module."""

    options = AlexnetOptions
    inputs = (PICTURE,)
    answers = "row"
    output_names = ("logits",)

    def build(self, input_shape: tuple[int, ...], outputs: int, options: dict[str, Any]) -> "nn.Module":
        """See `edgeloop.models.Architecture`."""
        from torch import nn

        chosen = parsed(AlexnetOptions, options, where="train.model_options")
        require_input(input_shape, inputs=self.inputs, least=LEAST)
        one, two, three, four, hidden = (scaled(count, chosen.width) for count in (64, 192, 384, 256, 4096))
        rows, columns = (_cells(side) for side in input_shape[1:])
        network = nn.Sequential(
            nn.Conv2d(input_shape[0], one, kernel_size=11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(one, two, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(two, three, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(three, four, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(four, four, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
            *_averaged(rows, columns),
            nn.Flatten(),
            nn.Dropout(chosen.dropout),
            nn.Linear(four * min(rows, MOST_CELLS) * min(columns, MOST_CELLS), hidden),
            nn.ReLU(),
            nn.Dropout(chosen.dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, outputs),
        )
        return _initialised(network)


def _cells(side: int) -> int:
    """Of one side behind the last pooling, by the strides above."""
    side = (side + 4 - 11) // 4 + 1
    for _ in range(3):
        side = (side - 3) // 2 + 1
    return side


def _averaged(rows: int, columns: int) -> "list[nn.Module]":
    """To at most `MOST_CELLS` a side, by windows of one size: adaptive ones become gathers when they are exported."""
    from torch import nn

    if max(rows, columns) <= MOST_CELLS:
        return []
    strides = tuple(max(1, side // MOST_CELLS) for side in (rows, columns))
    kernels = tuple(
        side - (min(side, MOST_CELLS) - 1) * stride for side, stride in zip((rows, columns), strides, strict=True)
    )
    return [nn.AvgPool2d(kernels, stride=strides)]  # type: ignore[arg-type]


def _initialised(network: "nn.Sequential") -> "nn.Module":
    from torch import nn

    for layer in network:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert layer.bias is not None
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return network


plugin = Alexnet()
