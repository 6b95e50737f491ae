"""MobileNetV2: inverted residuals with linear bottlenecks, thinner or wider by a width multiplier.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018, table 2. With 1,000 classes 3,504,872
parameters at width 1 (the paper: 3.4 M) and 1,677,128 at 0.35. As in the authors' own code the last
convolution keeps its 1,280 channels where the network gets thinner.

Convolutions after He et al., 2015, the last layer normal with a deviation of 0.01. Shapes: N, C, H, W → N, 320, H/32,
W/32 → N, 1280 → N, K, times the width.
"""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from edgeloop.contract import Contract, parsed
from edgeloop.models import PICTURE, added, he_initialised, require_input, scaled

if TYPE_CHECKING:
    from torch import nn

LEAST = (32, 32)
"""Pixels that end as one cell."""

BLOCKS = (
    # expansion, channels, repeats, stride of the first
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
FIRST, LAST = 32, 1280


class MobilenetV2Options(Contract):
    """`train.model_options` of this architecture."""

    width: float = Field(default=1.0, ge=0.05, le=4, description="multiplier of the channels")
    dropout: float = Field(default=0.2, ge=0, lt=1)


class MobilenetV2:
    """See the module."""

    options = MobilenetV2Options
    inputs = (PICTURE,)
    answers = "row"
    output_names = ("logits",)

    def build(self, input_shape: tuple[int, ...], outputs: int, options: dict[str, Any]) -> "nn.Module":
        """See `edgeloop.models.Architecture`."""
        from torch import nn

        chosen = parsed(MobilenetV2Options, options, where="train.model_options")
        require_input(input_shape, inputs=self.inputs, least=LEAST)
        before, last = scaled(FIRST, chosen.width), scaled(LAST, max(chosen.width, 1.0))
        layers = _convolution(input_shape[0], before, kernel=3, stride=2)
        for expansion, channels, repeats, stride in BLOCKS:
            after = scaled(channels, chosen.width)
            for repeat in range(repeats):
                layers.append(_block(before, after, expansion=expansion, stride=stride if repeat == 0 else 1))
                before = after
        layers += _convolution(before, last, kernel=1)
        linear = nn.Linear(last, outputs)
        nn.init.normal_(linear.weight, std=0.01)
        nn.init.zeros_(linear.bias)
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(chosen.dropout), linear]
        return he_initialised(nn.Sequential(*layers))


def _block(before: int, after: int, *, expansion: int, stride: int) -> "nn.Module":
    """Wider by 1 x 1, depthwise 3 x 3, narrower by 1 x 1 with no activation; beside it the input, where it fits."""
    from torch import nn

    wide = before * expansion
    layers = _convolution(before, wide, kernel=1) if expansion != 1 else []
    layers += _convolution(wide, wide, kernel=3, stride=stride, groups=wide)
    layers += _convolution(wide, after, kernel=1)[:-1]
    body = nn.Sequential(*layers)
    return added(body) if stride == 1 and before == after else body


def _convolution(before: int, after: int, *, kernel: int, stride: int = 1, groups: int = 1) -> "list[nn.Module]":
    """A convolution, its batch norm, and ReLU6, which keeps values in the range of few bits."""
    from torch import nn

    padding = kernel // 2
    convolution = nn.Conv2d(before, after, kernel, stride=stride, padding=padding, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU6()]


plugin = MobilenetV2()
