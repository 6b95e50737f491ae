"""What a kernel takes beside its tensors, for the time that it runs.

On a CPU, oneDNN computes convolutions on blocks of 16 channels: input, output and weights are copied into that order
and back (https://uxlfoundation.github.io/oneDNN, "Understanding Memory Formats"). A pass forward holds the copy of the
input or of the output beside all tensors, whichever is larger; the pass back for the weights holds both. Up to three
channels the input is read as it lies. On a GPU the library chooses its own workspace, which nobody tells: 0.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

BLOCK_CHANNELS = 16
FEW_CHANNELS = 3


def workspace_bytes(operator: str, given: Sequence[Any], made: Any) -> int:
    """Bytes that `operator` of torch (such as `aten::convolution`) takes on a CPU beside what it is given and makes."""
    if operator == "aten::convolution":
        image, weight = given[0], given[1]
        return max(_blocked(image), _blocked(made)) + _size(weight)
    if operator == "aten::convolution_backward":
        gradient, image, weight = given[:3]
        return _blocked(gradient) + _blocked(image) + _size(weight)
    return 0


def _size(tensor: "torch.Tensor") -> int:
    return tensor.numel() * tensor.element_size()


def _blocked(tensor: "torch.Tensor") -> int:
    """Bytes of the copy, its channels filled up to whole blocks."""
    channels = tensor.shape[1]
    if channels <= FEW_CHANNELS:
        return 0
    return _size(tensor) // channels * (-(-channels // BLOCK_CHANNELS) * BLOCK_CHANNELS)
