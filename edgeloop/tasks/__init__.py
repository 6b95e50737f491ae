"""Tasks, one file each: what a model is asked, and how well it answers.

Legend: `N` samples, `K` classes.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch


class Task(Protocol):
    """A question to a model."""

    metric: str
    """Name of the metric that gates and selection judge; higher is better."""

    kinds: tuple[str, ...]
    """The kinds of samples that it learns from: plug-ins of `edgeloop.data.features`."""

    def loss(self, outputs: "torch.Tensor", targets: "torch.Tensor") -> "torch.Tensor":
        """The training loss, a scalar, from N, K outputs and N targets."""

    def metrics(
        self, outputs: NDArray[np.float32], targets: NDArray[np.int64], classes: tuple[str, ...]
    ) -> dict[str, Any]:
        """All metrics as JSON types, `metric` among them, from N, K outputs and N class indices."""

    def decode(self, outputs: NDArray[np.float32], classes: tuple[str, ...]) -> list[dict[str, Any]]:
        """One answer a sample, for people and programs."""

    def draw(self, metrics: dict[str, Any], folder: Path) -> list[Path]:
        """Pictures of the metrics as PNG in `folder`."""
