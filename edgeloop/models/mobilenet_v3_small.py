"""MobileNetV3-Small: inverted residuals with squeeze-and-excite, found by search, with a width multiplier.

Howard et al., "Searching for MobileNetV3", 2019, table 2. With 1,000 classes 2,542,856 parameters at width 1 (the
paper: 2.5 M) and 2,020,768 at 0.75 (2.0 M): the hidden layer of 1,024 before the last one keeps its width where the
network gets thinner.

Convolutions after He et al., 2015, linear layers normal with a deviation of 0.01; batch norm with an epsilon of 0.001.
The paper's batch norm moves by a hundredth a step; this one moves by a tenth, as torch has it, because after a training
of a few hundred steps the paper's still holds much of what it began with.

Shapes: N, C, H, W → N, 576, H/32, W/32 → N, 576 → N, 1024 → N, K, times the width.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field

from edgeloop.contract import Contract, parsed
from edgeloop.models import PICTURE, added, he_initialised, require_input, scaled

if TYPE_CHECKING:
    from torch import nn

LEAST = (32, 32)
"""Pixels that end as one cell."""


class Bottleneck(NamedTuple):
    """One row of the paper's table, channels at width 1."""

    kernel: int
    wide: int
    after: int
    excited: bool
    hard: bool
    """Hard-swish in place of ReLU."""
    stride: int


BLOCKS = (
    Bottleneck(3, 16, 16, True, False, 2),
    Bottleneck(3, 72, 24, False, False, 2),
    Bottleneck(3, 88, 24, False, False, 1),
    Bottleneck(5, 96, 40, True, True, 2),
    Bottleneck(5, 240, 40, True, True, 1),
    Bottleneck(5, 240, 40, True, True, 1),
    Bottleneck(5, 120, 48, True, True, 1),
    Bottleneck(5, 144, 48, True, True, 1),
    Bottleneck(5, 288, 96, True, True, 2),
    Bottleneck(5, 576, 96, True, True, 1),
    Bottleneck(5, 576, 96, True, True, 1),
)
FIRST, LAST, HIDDEN = 16, 576, 1024


class MobilenetV3SmallOptions(Contract):
    """`train.model_options` of this architecture."""

    width: float = Field(default=1.0, ge=0.05, le=4, description="multiplier of the channels")
    dropout: float = Field(default=0.2, ge=0, lt=1)


class MobilenetV3Small:
    """See the module."""

    options = MobilenetV3SmallOptions
    inputs = (PICTURE,)
    answers = "row"
    output_names = ("logits",)

    def build(self, input_shape: tuple[int, ...], outputs: int, options: dict[str, Any]) -> "nn.Module":
        """See `edgeloop.models.Architecture`."""
        from torch import nn

        chosen = parsed(MobilenetV3SmallOptions, options, where="train.model_options")
        require_input(input_shape, inputs=self.inputs, least=LEAST)
        before = scaled(FIRST, chosen.width)
        layers = [*_convolution(input_shape[0], before, kernel=3, stride=2), nn.Hardswish()]
        for row in BLOCKS:
            layers.append(_block(before, row, width=chosen.width))
            before = scaled(row.after, chosen.width)
        last, hidden = scaled(LAST, chosen.width), scaled(HIDDEN, max(chosen.width, 1.0))
        layers += [*_convolution(before, last, kernel=1), nn.Hardswish(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        layers += [nn.Linear(last, hidden), nn.Hardswish(), nn.Dropout(chosen.dropout), nn.Linear(hidden, outputs)]
        for linear in (layers[-4], layers[-1]):
            nn.init.normal_(linear.weight, std=0.01)  # type: ignore[arg-type]
            nn.init.zeros_(linear.bias)  # type: ignore[arg-type]
        return he_initialised(nn.Sequential(*layers))


def _block(before: int, row: Bottleneck, *, width: float) -> "nn.Module":
    """Wider by 1 x 1, depthwise, weighed by channel, narrower by 1 x 1; beside it the input, where it fits."""
    from torch import nn

    wide, after = scaled(row.wide, width), scaled(row.after, width)
    activation = nn.Hardswish if row.hard else nn.ReLU
    layers = [*_convolution(before, wide, kernel=1), activation()] if wide != before else []
    layers += [*_convolution(wide, wide, kernel=row.kernel, stride=row.stride, groups=wide), activation()]
    if row.excited:
        layers.append(_excited(wide))
    layers += _convolution(wide, after, kernel=1)
    body = nn.Sequential(*layers)
    return added(body) if row.stride == 1 and before == after else body


def _excited(channels: int) -> "nn.Module":
    """Every channel times a weight in 0..1 that all channels decide (Hu et al., "Squeeze-and-Excitation", 2018)."""
    from torch import Tensor, nn

    narrow = scaled(channels, 0.25)

    class Excited(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weigh = nn.Sequential(
                nn.AdaptiveAvgPool2d(1),
                nn.Conv2d(channels, narrow, kernel_size=1),
                nn.ReLU(),
                nn.Conv2d(narrow, channels, kernel_size=1),
                nn.Hardsigmoid(),
            )

        def forward(self, x: Tensor) -> Tensor:
            weighed: Tensor = x * self.weigh(x)
            return weighed

    return Excited()


def _convolution(before: int, after: int, *, kernel: int, stride: int = 1, groups: int = 1) -> "list[nn.Module]":
    from torch import nn

    padding = kernel // 2
    convolution = nn.Conv2d(before, after, kernel, stride=stride, padding=padding, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(after, eps=1e-3)]


plugin = MobilenetV3Small()
