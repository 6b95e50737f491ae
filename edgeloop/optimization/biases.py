"""Bias correction of an ONNX model: the mean that rounded weights take from a layer's output is given back to its bias.

    b' = b + (W − Wq) · E[x]

(Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, with E[x] measured on the
calibration set.) Only layers of constant weights that have a bias, or whose operator takes one, are corrected.

Legend: `O` output channels, `I` input channels, `G` groups, `h`, `w` kernel.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.optimization.sessions import session_of

STEPS = 127
"""Of int8 weights, symmetric and per channel."""

Doubles = NDArray[np.float64]


class InputMeans:
    """The mean of what goes into each layer, one value a channel."""

    def __init__(self, model: Any, layers: Collection[str]) -> None:
        """Prepares to run `model`, an onnx.ModelProto, with the inputs of its layers as outputs."""
        from onnx import helper

        constants = {tensor.name for tensor in model.graph.initializer}
        self._names = sorted(
            {node.input[0] for node in model.graph.node if node.op_type in layers and node.input[0] not in constants}
        )
        watched = type(model)()
        watched.CopyFrom(model)
        known = {value.name for value in watched.graph.output}
        given = {value.name for value in watched.graph.input}
        watched.graph.output.extend(
            helper.make_empty_tensor_value_info(name) for name in self._names if name not in known | given
        )
        self._session = session_of(watched.SerializeToString())
        self._input = self._session.get_inputs()[0].name
        self._totals: dict[str, Doubles] = {}
        self._runs = 0

    def add(self, inputs: NDArray[np.float32]) -> None:
        """Counts one sample, N = 1."""
        names = [name for name in self._names if name != self._input]
        found = dict(zip(names, self._session.run(names, {self._input: inputs}), strict=True)) if names else {}
        found[self._input] = inputs
        for name in self._names:
            mean = _per_channel(found[name])
            self._totals[name] = self._totals.get(name, 0.0) + mean
        self._runs += 1

    def of(self, name: str) -> Doubles | None:
        """The mean of the tensor of that name; None where it was not watched or nothing was counted."""
        return self._totals[name] / self._runs if name in self._totals else None


def _per_channel(values: NDArray[np.float32]) -> Doubles:
    """1, I, … → I."""
    wide = values.astype(np.float64)
    return wide.mean(axis=(0, *range(2, wide.ndim))) if wide.ndim > 1 else wide


def correct_biases(model: Any, means: InputMeans) -> Any:
    """The model with corrected biases; `model`, an onnx.ModelProto, is left as it was."""
    from onnx import numpy_helper

    corrected = type(model)()
    corrected.CopyFrom(model)
    graph = corrected.graph
    values = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        mean = means.of(node.input[0]) if node.input else None
        if node.op_type not in ("Conv", "Gemm") or mean is None or node.input[1] not in values:
            continue
        lost = _lost(node, numpy_helper.to_array(values[node.input[1]]).astype(np.float64), mean)
        if lost is None or (len(node.input) > 2 and node.input[2] and node.input[2] not in values):
            continue
        has_bias = len(node.input) > 2 and node.input[2]
        bias = numpy_helper.to_array(values[node.input[2]]) if has_bias else np.zeros(len(lost), np.float32)
        name = f"{node.name}.corrected_bias"
        graph.initializer.append(numpy_helper.from_array((bias + lost).astype(np.float32), name))
        del node.input[2:]
        node.input.append(name)
    return corrected


def _lost(node: Any, weights: Doubles, mean: Doubles) -> Doubles | None:
    """(W − Wq) · E[x], O; None where weights and input do not fit each other."""
    attributes = {attribute.name: attribute for attribute in node.attribute}
    if node.op_type == "Gemm":
        if any(name in attributes and attributes[name].f != 1 for name in ("alpha", "beta")):
            return None
        turned = weights if "transB" in attributes and attributes["transB"].i else weights.T
        return rounding(turned) @ mean if turned.shape[1] == len(mean) else None
    groups = attributes["group"].i if "group" in attributes else 1
    outputs, inputs = weights.shape[:2]  # O, I / G
    if inputs * groups != len(mean):
        return None
    kernels = rounding(weights.reshape(outputs, -1)).reshape(outputs, inputs, -1).sum(axis=2)
    per_group = mean.reshape(groups, inputs)[np.arange(outputs) * groups // outputs]
    total: Doubles = (kernels * per_group).sum(axis=1)
    return total


def rounding(weights: Doubles) -> Doubles:
    """W − Wq of weights O, I, one scale a row, rounded symmetrically to int8."""
    largest = np.abs(weights).max(axis=1, keepdims=True)
    step = np.where(largest == 0, 1.0, largest / STEPS)
    difference: Doubles = weights - np.round(weights / step) * step
    return difference
