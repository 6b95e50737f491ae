"""A small detector after YOLOv7-tiny: ELAN blocks, spatial pyramid pooling, a path aggregation neck, three heads.

Backbone and neck are those of YOLOv7-tiny (Wang, Bochkovskiy and Liao, "YOLOv7: Trainable Bag-of-Freebies Sets New
State-of-the-Art for Real-Time Object Detectors", 2023) with their 5,997,856 parameters. Its heads hold three anchors a
cell, 3 · (5 + K) numbers, which makes 6,227,101 parameters for 80 classes (the paper: 6.2 M). These hold none: a cell
says how far the four sides of a box lie from its centre, and one logit a class (Tian et al., "FCOS", 2019), 4 + K
numbers, which makes 6,073,372.

The network ends with them. What makes boxes of them is `decoding`, apart: boxes of hundreds of pixels and scores in
0..1 in one int8 scale would leave nothing of the scores.

`network` draws the layers. Shapes: N, C, H, W → for every stride s of 8, 16, 32 N, 4 + K, H/s, W/s.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from edgeloop.contract import Contract, parsed
from edgeloop.errors import ParamsFault
from edgeloop.models import PICTURE, require_input
from edgeloop.models.yolo_tiny.decoding import decoded

if TYPE_CHECKING:
    from torch import nn

STRIDES = (8, 16, 32)


class YoloTinyOptions(Contract):
    """`train.model_options` of this architecture."""

    width: float = Field(default=1.0, ge=0.05, le=4, description="multiplier of the channels")
    depth: float = Field(default=1.0, ge=0.5, le=8, description="multiplier of the 3 x 3 convolutions of a block, two")
    opponent_colours: bool = Field(
        default=False, description="begins with brightness, red against green and yellow against blue; RGB only"
    )


class YoloTiny:
    """See the module."""

    options = YoloTinyOptions
    inputs = (PICTURE,)
    answers = "heads"
    output_names = tuple(f"head_{stride}" for stride in STRIDES)
    strides = STRIDES

    def build(self, input_shape: tuple[int, ...], outputs: int, options: dict[str, Any]) -> "nn.Module":
        """See `edgeloop.models.Architecture`; both sides have to be multiples of the last stride."""
        chosen = parsed(YoloTinyOptions, options, where="train.model_options")
        require_input(input_shape, inputs=self.inputs, least=(STRIDES[-1],) * 2)
        channels, height, width = input_shape
        if height % STRIDES[-1] or width % STRIDES[-1]:
            raise ParamsFault(
                f"takes sides that are multiples of {STRIDES[-1]} pixels, not {height} x {width}",
                where="train.model",
                fix=f"use {_nearest(height)} x {_nearest(width)} (train.image, train.crop_side)",
            )
        if chosen.opponent_colours and channels != 3:
            raise ParamsFault(
                f"opponent_colours needs red, green and blue, and pictures have {channels} channels",
                where="train.model_options",
                fix="set train.image.mode to RGB, or leave it out",
            )
        from edgeloop.models.yolo_tiny.network import Network

        return Network(
            channels, outputs, width=chosen.width, depth=chosen.depth, opponent_colours=chosen.opponent_colours
        )

    def decode(self, heads: Sequence[Any], xp: Any) -> tuple[Any, Any]:
        """See `edgeloop.models.Detector`."""
        return decoded(heads, strides=STRIDES, xp=xp)


def _nearest(side: int) -> int:
    return max(1, (side + STRIDES[-1] // 2) // STRIDES[-1]) * STRIDES[-1]


plugin = YoloTiny()
