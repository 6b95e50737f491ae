"""A convolutional network for windows of sensor readings: one wide look with a long stride, then narrow ones.

The layers are those of WDCNN for vibration of 2,048 readings (Zhang et al., "A New Deep Learning Model for Fault
Diagnosis with Good Anti-Noise and Domain Adaptation Ability on Raw Vibration Signals", 2017): a kernel of 64 readings
and stride 16, four of 3, channels 16, 32, 64, 64 and 64, each halved by pooling; 33,280 weights in the convolutions for
one channel of readings. In place of the paper's hidden layer of 100 stands the mean over time, so that the length of a
window decides no weight: 34,410 parameters in ten classes.

Weights after He et al., 2015. Shapes: N, C, L → N, 16, L/32 → … → N, 64, L/512 → N, 64 → N, K.
"""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from edgeloop.contract import Contract, parsed
from edgeloop.models import WINDOW, he_initialised, require_input

if TYPE_CHECKING:
    from torch import nn

WIDEST = 4
"""Times the width of the first layer."""


class Cnn1dOptions(Contract):
    """`train.model_options` of this architecture."""

    width: int = Field(default=16, ge=1, le=1024, description="channels of the first layer")
    kernel: int = Field(default=64, ge=1, le=4096, description="readings that the first layer looks at")
    stride: int = Field(default=16, ge=1, le=1024, description="readings that the first layer steps over")
    blocks: int = Field(default=4, ge=0, le=12, description="layers behind the first, each of which halves the length")
    dropout: float = Field(default=0.0, ge=0, lt=1)


class Cnn1d:
    """See the module."""

    options = Cnn1dOptions
    inputs = (WINDOW,)
    answers = "row"
    output_names = ("logits",)

    def build(self, input_shape: tuple[int, ...], outputs: int, options: dict[str, Any]) -> "nn.Module":
        """See `edgeloop.models.Architecture`."""
        from torch import nn

        chosen = parsed(Cnn1dOptions, options, where="train.model_options")
        require_input(input_shape, inputs=self.inputs, least=(chosen.stride * 2 ** (chosen.blocks + 1),))
        before = chosen.width
        layers = _layer(input_shape[0], before, kernel=chosen.kernel, stride=chosen.stride)
        for _ in range(chosen.blocks):
            after = min(2 * before, WIDEST * chosen.width)
            layers += _layer(before, after, kernel=3, stride=1)
            before = after
        layers += [nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Dropout(chosen.dropout), nn.Linear(before, outputs)]
        return he_initialised(nn.Sequential(*layers))


def _layer(before: int, after: int, *, kernel: int, stride: int) -> "list[nn.Module]":
    """From L readings to L / stride / 2, rounded down; the padding is what the kernel exceeds the stride by."""
    from torch import nn

    excess = max(kernel - stride, 0)
    return [
        nn.ConstantPad1d((excess // 2, excess - excess // 2), 0.0),
        nn.Conv1d(before, after, kernel_size=kernel, stride=stride, bias=False),
        nn.BatchNorm1d(after),
        nn.ReLU(),
        nn.MaxPool1d(kernel_size=2),
    ]


plugin = Cnn1d()
