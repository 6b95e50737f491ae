"""`.tflite` files as the runtime and the quantizer look at them: layout, operators, and the values that flow.

Only the first subgraph is looked at, which is all that a file of one signature computes.

Legend: `O` output channels, `I` input channels, `h`, `w` kernel.
"""

import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.optimization.biases import rounding

IDENTIFIER = b"TFL3"
"""Of the format, in bytes 4 to 8 of a file."""

LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
"""Operators of a weight; the second input is the weight, the third the bias."""

_SCOPE_LENGTH = 10_000


Doubles = NDArray[np.float64]


def channels_last(found: tuple[int, ...], sample: tuple[int, ...]) -> bool:
    """A file whose input has the shape `found` takes a sample of the axes C, … as …, C.

    Both shapes are without the batch. One that is the same in both orders is taken as it is.
    """
    return found != sample and found == (*sample[1:], sample[0])


@dataclass(frozen=True)
class Node:
    """One operator."""

    name: str
    """Kind and place; tensors are named after the modules of the network, at length."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    scope: str
    """What the quantizer matches its expressions with."""

    @property
    def pattern(self) -> str:
        """An expression that matches the scope of this operator and of no other."""
        return f"^{re.escape(self.scope)}$"


class Graph:
    """A file's content, taken apart."""

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert.tools import flatbuffer_utils

        self.model: Any = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
        self.tensors: Any = self.model.subgraphs[0].tensors

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """In the order in which they are computed."""
        from ai_edge_litert.tools import flatbuffer_utils

        return tuple(
            Node(
                name=f"{(kind := flatbuffer_utils.opcode_to_name(self.model, operator.opcodeIndex))}.{place}",
                kind=kind,
                inputs=tuple(int(index) for index in operator.inputs),
                outputs=tuple(int(index) for index in operator.outputs),
                scope="".join(f"{self.name(index)};" for index in operator.outputs)[:_SCOPE_LENGTH],
            )
            for place, operator in enumerate(self.model.subgraphs[0].operators)
        )

    @property
    def layers(self) -> tuple[Node, ...]:
        """The operators of a weight that is a constant."""
        return tuple(node for node in self.nodes if node.kind in LAYERS and self.constant(node.inputs[1]) is not None)

    @property
    def consumers(self) -> dict[str, list[str]]:
        """Of every operator, those that read what it gives."""
        readers: dict[int, list[str]] = {}
        for node in self.nodes:
            for index in node.inputs:
                readers.setdefault(index, []).append(node.name)
        return {node.name: [name for index in node.outputs for name in readers.get(index, [])] for node in self.nodes}

    def constant(self, index: int) -> NDArray[np.float32] | None:
        """The float32 values of a tensor that the file holds; None of one that is computed, or of another type."""
        from ai_edge_litert.schema_py_generated import TensorType

        tensor = self.tensors[index]
        data = self.model.buffers[tensor.buffer].data
        if data is None or not len(data) or tensor.type != TensorType.FLOAT32:
            return None
        return np.frombuffer(bytes(data), dtype=np.float32).reshape(tuple(tensor.shape))

    def name(self, index: int) -> str:
        """Of a tensor."""
        return str(self.tensors[index].name.decode())

    def with_biases(self, biases: dict[str, NDArray[np.float32]]) -> bytes:
        """A file with other biases of the layers named; a constant that operators share stays for the others."""
        from ai_edge_litert.schema_py_generated import BufferT, TensorT, TensorType
        from ai_edge_litert.tools import flatbuffer_utils

        operators = self.model.subgraphs[0].operators
        for place, node in enumerate(self.nodes):
            if node.name not in biases:
                continue
            buffer, tensor = BufferT(), TensorT()
            buffer.data = np.frombuffer(biases[node.name].tobytes(), dtype=np.uint8)
            tensor.name, tensor.type = f"{node.name}.corrected_bias".encode(), TensorType.FLOAT32
            tensor.shape, tensor.buffer = np.array(biases[node.name].shape, dtype=np.int32), len(self.model.buffers)
            self.model.buffers.append(buffer)
            self.tensors.append(tensor)
            operators[place].inputs = np.array([*node.inputs[:2], len(self.tensors) - 1], dtype=np.int32)
        self._empty_unread([index for node in self.nodes if node.name in biases for index in node.inputs[2:]])
        return bytes(flatbuffer_utils.convert_object_to_bytearray(self.model))

    def _empty_unread(self, replaced: Iterable[int]) -> None:
        """Takes the values of those tensors out of the file that no operator reads any more."""
        read = {int(index) for operator in self.model.subgraphs[0].operators for index in operator.inputs}
        for index in set(replaced) - read - {-1}:
            self.tensors[index].buffer = 0  # by definition of the format the empty one
        used = {tensor.buffer for subgraph in self.model.subgraphs for tensor in subgraph.tensors}
        used |= {entry.buffer for entry in self.model.metadata or ()}
        for place, buffer in enumerate(self.model.buffers):
            if place not in used:
                buffer.data = None


def flowing(content: bytes, batches: Iterable[NDArray[np.float32]]) -> Iterator[dict[str, NDArray[np.float32]]]:
    """For every sample of the batches, N first, the float32 tensors that go in or are computed, by name."""
    from ai_edge_litert.interpreter import Interpreter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of the memory that keeping every tensor takes
        interpreter = Interpreter(model_content=content, num_threads=1, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    (port,) = interpreter.get_input_details()
    shape = tuple(int(size) for size in port["shape"][1:])
    watched = _computed(interpreter, content)
    for batch in batches:
        turned = np.moveaxis(batch, 1, -1) if channels_last(shape, batch.shape[1:]) else batch
        for row in range(len(turned)):
            interpreter.set_tensor(port["index"], np.ascontiguousarray(turned[row : row + 1]))
            interpreter.invoke()
            yield {name: interpreter.get_tensor(index) for index, name in watched}


def _computed(interpreter: Any, content: bytes) -> list[tuple[int, str]]:
    """Index and name of the float32 tensors that are inputs or computed."""
    graph = Graph(content)
    given = {index for node in graph.nodes for index in node.outputs}
    given |= {int(index) for index in graph.model.subgraphs[0].inputs}
    kinds = {detail["index"]: detail["dtype"] for detail in interpreter.get_tensor_details()}
    return [(index, graph.name(index)) for index in sorted(given) if kinds.get(index) is np.float32]


def corrected(content: bytes, means: dict[str, Doubles]) -> bytes:
    """The file with what rounded weights take from the mean of each layer's output given back to its bias.

        b' = b + (W − Wq) · E[x]

    (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, with E[x] measured on
    the calibration set.)

    Args:
        content: The float file.
        means: By name of a tensor, the mean of each of its channels, I.
    """
    graph = Graph(content)
    biases = {}
    for node in graph.layers:
        mean, weights = means.get(graph.name(node.inputs[0])), graph.constant(node.inputs[1])
        assert weights is not None
        lost = _lost(node.kind, weights.astype(np.float64), mean)
        has_bias = len(node.inputs) > 2 and node.inputs[2] >= 0
        bias = graph.constant(node.inputs[2]) if has_bias else np.zeros(1, dtype=np.float32)
        if lost is not None and bias is not None:
            biases[node.name] = (bias + lost).astype(np.float32)
    return graph.with_biases(biases)


def _lost(kind: str, weights: Doubles, mean: Doubles | None) -> Doubles | None:
    """(W − Wq) · E[x], O; None where weights and input do not fit each other.

    Weights are O, h, w, I of a convolution, 1, h, w, O of a depthwise one, and O, I of a product.
    """
    if mean is None or kind == "TRANSPOSE_CONV":
        return None
    if kind == "DEPTHWISE_CONV_2D":
        outputs = weights.shape[-1]
        if outputs % len(mean):
            return None
        kernels = rounding(weights.reshape(-1, outputs).T).sum(axis=1)
        product: Doubles = kernels * np.repeat(mean, outputs // len(mean))
        return product
    rows = rounding(weights.reshape(len(weights), -1)).reshape(len(weights), -1, weights.shape[-1]).sum(axis=1)
    total: Doubles | None = rows @ mean if rows.shape[1] == len(mean) else None
    return total
