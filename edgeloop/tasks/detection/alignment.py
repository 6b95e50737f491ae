"""The loss of a detector without anchors: which cell answers for which object, and how well it does.

Task alignment (Feng et al., "TOOD", 2021): a cell whose centre lies in an object is the better suited, the likelier it
finds the class and the nearer its box is, s^ALPHA · IoU^BETA. The `MOST_CELLS` best ones answer for the object; the
best is told 1 and the others their share of it. That the best is told 1, and not the overlap that it has reached,
makes a small network sure of itself early.

Shapes: `B` pictures, `G` objects of the picture with most, `M` cells, `K` classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

ALPHA, BETA = 0.5, 6.0
MOST_CELLS = 10
BOX_WEIGHT = 1.5
LEAST_REACH = 0.75
"""Of the finest stride: half the side of an object counts as at least so long, so that some centre lies in it."""

_TINY = 1e-9


@dataclass(frozen=True)
class Objects:
    """The objects of a batch.

    Args:
        boxes: B, G, 4 in pixels of the input.
        labels: B, G class indices.
        there: B, G: false where a picture has fewer.
    """

    boxes: Tensor
    labels: Tensor
    there: Tensor


def objects_of(truths: Sequence[NDArray[np.float32]]) -> Objects:
    """From rows of x1, y1, x2, y2, class a picture; G is at least 1."""
    most = max(1, *(len(truth) for truth in truths))
    boxes, labels = torch.zeros(len(truths), most, 4), torch.zeros(len(truths), most, dtype=torch.int64)
    there = torch.zeros(len(truths), most, dtype=torch.bool)
    for row, truth in enumerate(truths):
        boxes[row, : len(truth)] = torch.from_numpy(truth[:, :4])
        labels[row, : len(truth)] = torch.from_numpy(truth[:, 4]).long()
        there[row, : len(truth)] = True
    return Objects(boxes, labels, there)


def centres_of(heads: Sequence[Tensor], strides: Sequence[int]) -> Tensor:
    """M, 2: x and y of every cell in pixels, in the order of `Detector.decode`."""
    parts = []
    for head, stride in zip(heads, strides, strict=True):
        height, width = head.shape[-2:]
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        parts.append((torch.stack((x, y), dim=-1).reshape(-1, 2) + 0.5) * stride)
    return torch.cat(parts)


def alignment_loss(boxes: Tensor, logits: Tensor, centres: Tensor, objects: Objects, *, finest: int) -> Tensor:
    """Classes and boxes together, over the sum of what the cells are told.

    Args:
        boxes: B, M, 4.
        logits: B, M, K.
        centres: M, 2.
        objects: What is there.
        finest: The smallest stride, in pixels.
    """
    with torch.no_grad():
        owner, told = _assigned(boxes, logits.sigmoid(), centres, objects, finest=finest)
        wanted_boxes = objects.boxes.gather(1, owner[..., None].expand(-1, -1, 4))
        labels = objects.labels.gather(1, owner)
        targets = torch.zeros_like(logits).scatter_(2, labels[..., None], told[..., None])
        whole = told.sum().clamp(min=1)
    classes = binary_cross_entropy_with_logits(logits, targets, reduction="sum")
    answering = told > 0
    nearness = complete_iou(boxes[answering], wanted_boxes[answering])
    loss: Tensor = (classes + BOX_WEIGHT * ((1 - nearness) * told[answering]).sum()) / whole
    return loss


def _assigned(
    boxes: Tensor, scores: Tensor, centres: Tensor, objects: Objects, *, finest: int
) -> tuple[Tensor, Tensor]:
    """B, M: the object that each cell answers for, and what its class is told; 0 for a cell that answers for none."""
    middles = (objects.boxes[..., :2] + objects.boxes[..., 2:]) / 2
    reach = ((objects.boxes[..., 2:] - objects.boxes[..., :2]) / 2).clamp(min=LEAST_REACH * finest)
    inside = ((centres[None, None] - middles[:, :, None]).abs() <= reach[:, :, None]).all(dim=-1)
    allowed = inside & objects.there[..., None]
    overlap = _iou(objects.boxes[:, :, None], boxes[:, None]).clamp(min=0) * allowed
    of_class = scores.transpose(1, 2).gather(1, objects.labels[..., None].expand(-1, -1, scores.shape[1]))
    suited = (of_class**ALPHA * overlap**BETA + _TINY) * allowed
    best = suited.topk(min(MOST_CELLS, suited.shape[2]), dim=2)
    chosen = torch.zeros_like(suited).scatter_(2, best.indices, 1.0).bool() & allowed
    owner = (overlap + _TINY).mul(chosen).argmax(dim=1)
    chosen &= torch.zeros_like(chosen).scatter_(1, owner[:, None], True)
    suited = suited * chosen
    told = suited / suited.amax(dim=2, keepdim=True).clamp(min=_TINY / 10)
    return owner, told.sum(dim=1)


def complete_iou(one: Tensor, other: Tensor) -> Tensor:
    """CIoU of boxes in pairs, …, 4: overlap less distance of centres and difference of shape (Zheng et al., 2020)."""
    overlap = _iou(one, other)
    outer = torch.maximum(one[..., 2:], other[..., 2:]) - torch.minimum(one[..., :2], other[..., :2])
    apart = (one[..., :2] + one[..., 2:] - other[..., :2] - other[..., 2:]) / 2
    distance = apart.square().sum(dim=-1) / outer.square().sum(dim=-1).clamp(min=_TINY)
    angles = [torch.atan2(box[..., 2] - box[..., 0], box[..., 3] - box[..., 1]) for box in (one, other)]
    shape = 4 / torch.pi**2 * (angles[0] - angles[1]).square()
    with torch.no_grad():
        weight = shape / (1 - overlap + shape).clamp(min=_TINY)
    return overlap - distance - weight * shape


def _iou(one: Tensor, other: Tensor) -> Tensor:
    """Of boxes in pairs; broadcasts."""
    sides = torch.minimum(one[..., 2:], other[..., 2:]) - torch.maximum(one[..., :2], other[..., :2])
    shared = sides.clamp(min=0).prod(dim=-1)
    areas = (one[..., 2:] - one[..., :2]).prod(dim=-1) + (other[..., 2:] - other[..., :2]).prod(dim=-1)
    return shared / (areas - shared).clamp(min=_TINY)
