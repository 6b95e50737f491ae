"""A small convolutional network for small pictures: three 3 x 3 convolutions with batch norm, then one linear layer.

Shapes: N, C, H, W → N, width, H, W → N, 2·width, H/2, W/2 → N, 4·width, H/2, W/2 → N, 4·width → N, K.
"""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from edgeloop.contract import Contract, parsed
from edgeloop.models import PICTURE, require_input

if TYPE_CHECKING:
    from torch import nn


class CnnOptions(Contract):
    """`train.model_options` of this architecture."""

    width: int = Field(default=24, ge=1, le=1024, description="channels of the first layer")
    dropout: float = Field(default=0.1, ge=0, lt=1)


class Cnn:
    """See the module."""

    options = CnnOptions
    inputs = (PICTURE,)
    answers = "row"
    output_names = ("logits",)

    def build(self, input_shape: tuple[int, ...], outputs: int, options: dict[str, Any]) -> "nn.Module":
        """See `edgeloop.models.Architecture`."""
        from torch import nn

        chosen = parsed(CnnOptions, options, where="train.model_options")
        require_input(input_shape, inputs=self.inputs)

        def block(channels: int, wider: int, stride: int) -> list[nn.Module]:
            convolution = nn.Conv2d(channels, wider, kernel_size=3, stride=stride, padding=1, bias=False)
            return [convolution, nn.BatchNorm2d(wider), nn.ReLU()]

        width = chosen.width
        return nn.Sequential(
            *block(input_shape[0], width, 1),
            *block(width, 2 * width, 2),
            *block(2 * width, 4 * width, 1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(chosen.dropout),
            nn.Linear(4 * width, outputs),
        )


plugin = Cnn()
