"""Residual networks for pictures: depth 8 for small ones, depth 18 for large ones.

Depth 8 is ResNet-8 of MLPerf Tiny (Banbury et al., "MLPerf Tiny Benchmark", 2021) for 32 x 32 pixels in ten classes:
three stages of one block, 16, 32 and 64 channels, convolutions with biases. Its 78,186 trained values and the 480 that
batch norm keeps of the data are the 78,666 that Keras counts.

Depth 18 is ResNet-18 of He et al., "Deep Residual Learning for Image Recognition", 2016, for 224 x 224 pixels: a
7 x 7 convolution and a pooling, four stages of two blocks, 64 to 512 channels, projections where the shape changes.
11,689,512 parameters with 1,000 classes.

Weights after He et al., 2015. Shapes: N, C, H, W → N, 64, H/4, W/4 (depth 8) or N, 512, H/32, W/32 (depth 18) → N, K.
"""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from edgeloop.contract import Contract, parsed
from edgeloop.models import PICTURE, added, he_initialised, require_input

if TYPE_CHECKING:
    from torch import nn

LEAST = {8: 4, 18: 32}
"""Pixels a side, by the depth: as many as end as one cell."""


class ResnetOptions(Contract):
    """`train.model_options` of this architecture."""

    depth: Literal[8, 18] = Field(default=8, description="8 for pictures of 32 pixels, 18 for those of 224")


class Resnet:
    """See the module."""

    options = ResnetOptions
    inputs = (PICTURE,)
    answers = "row"
    output_names = ("logits",)

    def build(self, input_shape: tuple[int, ...], outputs: int, options: dict[str, Any]) -> "nn.Module":
        """See `edgeloop.models.Architecture`."""
        from torch import nn

        chosen = parsed(ResnetOptions, options, where="train.model_options")
        require_input(input_shape, inputs=self.inputs, least=(LEAST[chosen.depth],) * 2)
        layers = _eight(input_shape[0]) if chosen.depth == 8 else _eighteen(input_shape[0])
        width = 64 if chosen.depth == 8 else 512
        network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, outputs))
        return he_initialised(network)


def _eight(channels: int) -> "list[nn.Module]":
    """Everything before the pooling; the shortcut of a stage that changes the shape is a bare convolution."""
    from torch import nn

    layers = _convolution(channels, 16, kernel=3, stride=1, bias=True)
    layers.append(nn.ReLU())
    for before, after, stride in ((16, 16, 1), (16, 32, 2), (32, 64, 2)):
        projection = None if stride == 1 else nn.Conv2d(before, after, kernel_size=1, stride=stride)
        layers += _block(before, after, stride=stride, shortcut=projection, bias=True)
    return layers


def _eighteen(channels: int) -> "list[nn.Module]":
    from torch import nn

    layers = _convolution(channels, 64, kernel=7, stride=2, bias=False)
    layers += [nn.ReLU(), nn.MaxPool2d(kernel_size=3, stride=2, padding=1)]
    for before, after, stride in ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)):
        same = stride == 1
        projection = None if same else nn.Sequential(*_convolution(before, after, kernel=1, stride=stride, bias=False))
        layers += _block(before, after, stride=stride, shortcut=projection, bias=False)
        layers += _block(after, after, stride=1, shortcut=None, bias=False)
    return layers


def _block(before: int, after: int, *, stride: int, shortcut: "nn.Module | None", bias: bool) -> "list[nn.Module]":
    """Two 3 x 3 convolutions beside the shortcut."""
    from torch import nn

    first = _convolution(before, after, kernel=3, stride=stride, bias=bias)
    second = _convolution(after, after, kernel=3, stride=1, bias=bias)
    return [added(nn.Sequential(*first, nn.ReLU(), *second), shortcut), nn.ReLU()]


def _convolution(before: int, after: int, *, kernel: int, stride: int, bias: bool) -> "list[nn.Module]":
    from torch import nn

    padding = kernel // 2
    convolution = nn.Conv2d(before, after, kernel_size=kernel, stride=stride, padding=padding, bias=bias)
    return [convolution, nn.BatchNorm2d(after)]


plugin = Resnet()
