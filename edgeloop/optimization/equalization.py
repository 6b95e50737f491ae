"""Channels of equal width: what one layer gives too much in a channel, the next one takes back.

An activation has one step for all channels, so that a wide channel rounds the others away. Where a layer's output goes
into one other layer only, through nothing but what commutes with a positive factor (ReLU, pooling), a channel can be
divided by any factor that the next layer's weights are multiplied with; the network answers as before. The factor
√(r₁ / r₂), with r₁ the channel's largest activation and r₂ the largest weight that reads it, makes both alike (Nagel et
al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, with r₁ measured on the calibration
set). A depthwise layer has a step of its own for every channel, so that r₂ does not count there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.optimization.awareness import LAYERS, NORM, operator, watch

if TYPE_CHECKING:
    import torch

COMMUTING = (
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "avg_pool1d", "avg_pool2d", "dropout", "flatten", "leaky_relu",
    "leaky_relu_", "max_pool1d", "max_pool2d", "relu", "relu_",
)  # fmt: skip
"""With a positive factor a channel."""

MOST_WIDENED = 10
"""A channel that the calibration set hardly moves may be wider on other samples."""


@dataclass(frozen=True)
class Bridge:
    """Two layers and what leads from one to the other."""

    giving: tuple[str, ...]
    """Names of what scales the channels: weight and bias of the layer, or of its batch norm."""
    activation: str
    """Name of the node that the second layer reads."""
    taking: str
    """Name of the second layer's weight."""
    depthwise: bool
    """The second layer has a kernel a channel."""


def equalize(module: Any, inputs: Iterable[NDArray[np.float32]]) -> None:
    """Scales the channels of `module`, an fx.GraphModule, in place; `inputs` are the calibration set."""
    import torch

    found = list(_bridges(module.graph))
    wanted = {bridge.activation for bridge in found}
    largest: dict[str, torch.Tensor] = {}

    def observed(node: Any, values: Any) -> Any:
        if node.name in wanted:
            widths = values.abs().transpose(0, 1).flatten(1).amax(dim=1)
            largest[node.name] = torch.maximum(widths, largest.get(node.name, widths))
        return values

    watch(module, inputs, observed)
    values = dict(module.named_parameters())
    with torch.no_grad():
        for bridge in found:
            _balance(values, bridge, largest[bridge.activation])


def _bridges(graph: Any) -> Iterator[Bridge]:
    for first in graph.nodes:
        if operator(first) not in LAYERS:
            continue
        giving, node = first.args[1:3], first
        while len(node.users) == 1:
            (reader,) = node.users
            if operator(reader) in LAYERS and reader.args[0] is node and _alone([*giving, reader.args[1]]):
                names = tuple(value.target for value in giving if value is not None)
                groups = reader.args[6] if len(reader.args) > 6 else 1
                yield Bridge(names, node.name, reader.args[1].target, depthwise=groups != 1)
                break
            if operator(reader) == NORM and node is first:
                giving = reader.args[1:3]
            elif operator(reader) not in COMMUTING:
                break
            node = reader


def _alone(values: list[Any]) -> bool:
    """Nothing else uses these weights; a bias that is not there is nobody's."""
    return values[0] is not None and all(
        value is None or (value.op == "get_attr" and len(value.users) == 1) for value in values
    )


def _balance(values: "dict[str, torch.Tensor]", bridge: Bridge, widths: "torch.Tensor") -> None:
    import torch

    weight = values[bridge.taking]
    taken = weight if bridge.depthwise else weight.transpose(0, 1)  # channels first
    if any(name not in values or len(values[name]) != len(widths) for name in bridge.giving) or (
        len(taken) != len(widths) or (bridge.depthwise and weight.shape[1] != 1)
    ):
        return
    reached = taken.abs().flatten(1).amax(dim=1)
    known = (widths > 0) & (reached > 0)
    if not known.any():
        return
    wanted = widths if bridge.depthwise else (widths / reached).sqrt()
    typical = wanted[known].log().mean().exp()
    factors = torch.where(known, (wanted / typical).clamp_min(1 / MOST_WIDENED), torch.ones_like(widths))
    for name in bridge.giving:
        values[name].div_(factors.reshape(-1, *(1,) * (values[name].ndim - 1)))
    taken.mul_(factors.reshape(-1, *(1,) * (taken.ndim - 1)))
