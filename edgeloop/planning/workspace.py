"""What a kernel takes beside its tensors, for the time that it runs.

On a CPU, oneDNN computes convolutions on blocks of 16 channels: operands are copied into that order, the result comes
out in it and is copied into the order of its axes when the operands' copies are gone
(https://uxlfoundation.github.io/oneDNN, "Understanding Memory Formats"). With blocked(t) for the bytes of t, its
channels filled up to whole blocks:

    forward                   blocked(answer) + max(blocked(input), answer)
    backward, input           blocked(input) + max(blocked(gradient), input)
    backward, weights         blocked(input) + blocked(gradient), beside the input's gradient

Up to three channels the input of a product is read as it lies. With a stride and a single group the gradient of the
input is computed with its channels last and then held three times, as was measured on AVX-512. On a GPU the library
chooses its own workspace, which nobody tells: 0.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

BLOCK_CHANNELS = 16
FEW_CHANNELS = 3
STRIDED_COPIES = 3


def workspace_bytes(operator: str, given: Sequence[Any], made: Any) -> int:
    """Bytes that `operator` of torch (such as `aten::convolution`) takes on a CPU beside what it is given and makes."""
    if operator == "aten::convolution":
        return _forward_bytes(given[0], given[1], answer=made)
    if operator == "aten::convolution_backward":
        gradient, image, weight = given[:3]
        strides, groups, wanted = given[4], given[9], given[10]
        dense = groups == 1 and max(strides) > 1
        return _backward_bytes(gradient, image, weight, strided=dense, for_input=wanted[0])
    return 0


def _forward_bytes(image: "torch.Tensor", weight: "torch.Tensor", *, answer: "torch.Tensor") -> int:
    return _blocked(answer) + max(_read(image), _size(answer)) - _size(answer) + _size(weight)


def _backward_bytes(
    gradient: "torch.Tensor", image: "torch.Tensor", weight: "torch.Tensor", *, strided: bool, for_input: bool
) -> int:
    made = _size(image) if for_input else 0
    for_weights = made + _read(image) + _blocked(gradient)
    highest = max(for_weights, _input_bytes(gradient, image, strided=strided)) if for_input else for_weights
    return highest - made + _size(weight)


def _input_bytes(gradient: "torch.Tensor", image: "torch.Tensor", *, strided: bool) -> int:
    """While the gradient of the input is made, itself included."""
    if strided:
        return max(STRIDED_COPIES * _size(image), _size(image) + _blocked(gradient))
    return _blocked(image) + max(_blocked(gradient), _size(image))


def _size(tensor: "torch.Tensor") -> int:
    return tensor.numel() * tensor.element_size()


def _blocked(tensor: "torch.Tensor") -> int:
    channels = tensor.shape[1]
    return _size(tensor) // channels * (-(-channels // BLOCK_CHANNELS) * BLOCK_CHANNELS)


def _read(tensor: "torch.Tensor") -> int:
    """The copy of an input of a product."""
    return 0 if tensor.shape[1] <= FEW_CHANNELS else _blocked(tensor)
