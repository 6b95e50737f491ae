"""A network that computes as its int8 file will, and can still learn.

Weights are rounded per output channel and activations per tensor, both symmetric, which is the coarsest of what the
schemes do. The gradient passes as if nothing had been rounded, and is zero where a value was cut off (the
straight-through estimator: Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", 2018). Sums and biases stay float.

The graph is that of torch.export in evaluation mode, which the ONNX file is made of as well: batch norm keeps its
statistics, dropout is off. Batch norm needs no folding: rounding per channel commutes with a factor a channel. What an
engine computes in one go is rounded once, behind it: a layer, its batch norm, its ReLU.

Legend: `O` output channels.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.errors import ModelFault
from edgeloop.runtimes import one_line

if TYPE_CHECKING:
    import torch
    from torch import nn

LAYERS = ("conv1d", "conv2d", "conv3d", "linear")
"""Operators whose second argument is a weight with O first."""

NORM = "batch_norm"
CLIPS = ("relu", "relu_", "relu6", "relu6_", "hardtanh", "hardtanh_", "clamp")
MOVES = (
    "alias", "contiguous", "dropout", "flatten", "max_pool1d", "max_pool2d", "permute", "reshape", "slice", "squeeze",
    "transpose", "unsqueeze", "upsample_nearest2d", "view",
)  # fmt: skip
"""Operators that give nothing that they were not given: what they pass on is rounded already."""

STEPS = 127
"""On either side of zero."""

Seen = Callable[[Any, Any], Any]
"""Called with every node of a graph and its value; gives the value that the graph goes on with."""


class AwareNetwork:
    """The network with its roundings.

    Args:
        network: In evaluation mode, float32; its weights are the ones that learn.
        shape: Of one input, without the batch.

    Raises:
        ModelFault: torch.export makes no graph of it.
    """

    def __init__(self, network: "nn.Module", *, shape: tuple[int, ...]) -> None:
        import torch

        batch = torch.export.Dim("N", min=1)
        try:
            program = torch.export.export(network, (torch.zeros(2, *shape),), dynamic_shapes=({0: batch},))
            self.module: Any = program.module(check_guards=False)
            """The graph, an fx.GraphModule with the weights under the names that the network has for them."""
        except Exception as error:  # the exporter raises what its passes raise
            raise ModelFault(
                f"cannot be trained with roundings ({one_line(error)})",
                where=type(network).__name__,
                fix="set quantize.qat_epochs: 0",
            ) from error
        self._rounded = _rounded_nodes(self.module.graph)
        self._weights = _weight_nodes(self.module.graph)
        self._largest: dict[str, float] = {}
        self._run = interpreter(self.module, self._rounding)

    def observe(self, inputs: Iterable[NDArray[np.float32]]) -> None:
        """Takes the range of every activation anew: its largest magnitude over the inputs, nothing rounded."""
        self._largest = {}
        watch(self.module, inputs, self._observing)

    def __call__(self, inputs: "torch.Tensor") -> Any:
        """What the network answers with everything rounded; only after `observe`."""
        return self._run(inputs)

    def _observing(self, node: Any, values: Any) -> Any:
        if node.name in self._rounded and _is_float(values):
            self._largest[node.name] = max(self._largest.get(node.name, 0.0), float(values.abs().max()))
        return values

    def _rounding(self, node: Any, values: Any) -> Any:
        if node.name in self._weights:
            return rounded_weight(values)
        largest = self._largest.get(node.name, 0.0)
        return rounded_activation(values, largest) if largest else values


def interpreter(module: Any, seen: Seen) -> Callable[["torch.Tensor"], Any]:
    """A function that computes what the fx.GraphModule says, node by node."""
    from torch import fx

    class Interpreter(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            return seen(n, super().run_node(n))

    return Interpreter(module).run


def watch(module: Any, inputs: Iterable[NDArray[np.float32]], seen: Seen) -> None:
    """Runs the graph over the inputs without gradients."""
    import torch

    run = interpreter(module, seen)
    with torch.no_grad():
        for batch in inputs:
            run(torch.from_numpy(batch))


def rounded_weight(weight: "torch.Tensor") -> "torch.Tensor":
    """O first; a channel of nothing but zeros stays."""
    import torch

    largest = weight.detach().abs().flatten(1).amax(dim=1)
    steps = torch.where(largest == 0, torch.ones_like(largest), largest / STEPS)
    zeros = torch.zeros_like(steps, dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(weight, steps, zeros, 0, -STEPS, STEPS)


def rounded_activation(values: "torch.Tensor", largest: float) -> "torch.Tensor":
    """Of any shape; what lies beyond the largest magnitude is cut off."""
    import torch

    return torch.fake_quantize_per_tensor_affine(values, largest / STEPS, 0, -STEPS, STEPS)


def operator(node: Any) -> str:
    """`conv2d` of `aten.conv2d.default`; empty for what is no operator."""
    name = str(node.target).split(".")
    return name[1] if node.op == "call_function" and len(name) == 3 else ""


def _is_float(values: Any) -> bool:
    import torch

    return isinstance(values, torch.Tensor) and values.is_floating_point()


def _weight_nodes(graph: Any) -> frozenset[str]:
    """Names of the nodes that give a layer its weight."""
    return frozenset(
        node.args[1].name for node in graph.nodes if operator(node) in LAYERS and node.args[1].op == "get_attr"
    )


def _rounded_nodes(graph: Any) -> frozenset[str]:
    """Names of the nodes whose values an engine stores."""
    return frozenset(
        node.name
        for node in graph.nodes
        if node.op == "placeholder" or (operator(node) not in ("", *MOVES) and not _goes_on(node))
    )


def _goes_on(node: Any) -> bool:
    """Whether an engine computes the only reader in one go with the node."""
    if len(node.users) != 1:
        return False
    (reader,) = node.users
    return operator(reader) in CLIPS or (operator(reader) == NORM and operator(node) in LAYERS)
