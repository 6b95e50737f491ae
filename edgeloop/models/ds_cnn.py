"""A depthwise separable network for spectrograms of spoken words: DS-CNN.

Zhang et al., "Hello Edge: Keyword Spotting on Microcontrollers", 2017, in its small size as MLPerf Tiny runs it
(Banbury et al., "MLPerf Tiny Benchmark", 2021): MFCC of 49 frames x 10 coefficients as C, H, W = 1, 49, 10, one 10 x 4
convolution of stride 2, then four times a depthwise 3 x 3 and a 1 x 1 convolution, all with 64 channels, biases and
batch norm; 12 words.

How many parameters it has depends on who counts. 23,756 are trained; with the 1,152 that batch norm keeps of the data
Keras counts 24,908; on a device batch norm is folded away and 22,604 are left. The paper's 38.6 KB are memory in 8
bits: these 22,604 and twice the 8,000 values between two layers.

Weights after He et al., 2015. Shapes: N, C, H, W → N, 64, ⌈H/2⌉, ⌈W/2⌉ → N, 64 → N, K.
"""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from edgeloop.contract import Contract, parsed
from edgeloop.models import PICTURE, he_initialised, require_input

if TYPE_CHECKING:
    from torch import nn

KERNEL = (10, 4)
"""Frames and coefficients that the first layer looks at; no input is smaller."""
STRIDE = 2


class DsCnnOptions(Contract):
    """`train.model_options` of this architecture."""

    width: int = Field(default=64, ge=1, le=1024, description="channels of every layer")
    blocks: int = Field(default=4, ge=1, le=32, description="pairs of a depthwise and a 1 x 1 convolution")
    dropout: float = Field(default=0.4, ge=0, lt=1, description="before the pooling, and half of it after layer one")


class DsCnn:
    """See the module."""

    options = DsCnnOptions
    inputs = (PICTURE,)
    answers = "row"
    output_names = ("logits",)

    def build(self, input_shape: tuple[int, ...], outputs: int, options: dict[str, Any]) -> "nn.Module":
        """See `edgeloop.models.Architecture`."""
        from torch import nn

        chosen = parsed(DsCnnOptions, options, where="train.model_options")
        require_input(input_shape, inputs=self.inputs, least=KERNEL)
        channels, height, width = input_shape
        (top, bottom), (left, right) = _padding(height, KERNEL[0]), _padding(width, KERNEL[1])
        layers: list[nn.Module] = [
            nn.ZeroPad2d((left, right, top, bottom)),
            nn.Conv2d(channels, chosen.width, kernel_size=KERNEL, stride=STRIDE),
            *_normalised(chosen.width),
            nn.Dropout(chosen.dropout / 2),
        ]
        for _ in range(chosen.blocks):
            layers += _separable(chosen.width)
        layers += [nn.Dropout(chosen.dropout), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(chosen.width, outputs)]
        return he_initialised(nn.Sequential(*layers))


def _padding(side: int, kernel: int) -> tuple[int, int]:
    """Before and after, so that ⌈side / STRIDE⌉ cells come out; what is odd comes after, as in TensorFlow."""
    cells = -(-side // STRIDE)
    total = max((cells - 1) * STRIDE + kernel - side, 0)
    return total // 2, total - total // 2


def _separable(width: int) -> "list[nn.Module]":
    from torch import nn

    depthwise = nn.Conv2d(width, width, kernel_size=3, padding=1, groups=width)
    pointwise = nn.Conv2d(width, width, kernel_size=1)
    return [depthwise, *_normalised(width), pointwise, *_normalised(width)]


def _normalised(width: int) -> "list[nn.Module]":
    from torch import nn

    return [nn.BatchNorm2d(width), nn.ReLU()]


plugin = DsCnn()
