"""Architectures (one file a family) and the card that travels with every model.

Legend: `N` batch, `C` channels, `H` height, `W` width, `K` classes.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.data.preprocessing import Preprocessing

if TYPE_CHECKING:
    from torch import nn

CARD_FILE = "model.json"
WEIGHTS_FILE = "weights.safetensors"


class Architecture(Protocol):
    """One family of networks."""

    def build(self, input_shape: tuple[int, int, int], classes: int, options: dict[str, Any]) -> "nn.Module":
        """A network from N, C, H, W (float32) to N, K logits, freshly initialised from torch's generator.

        Args:
            input_shape: C, H, W.
            classes: K.
            options: `train.model_options`, checked here.

        Raises:
            ParamsFault: An option is unknown or out of range.
        """


class ModelCard(Contract):
    """Everything that is needed to run a model's files, and nothing measured."""

    format: int = 1
    task: str
    architecture: str
    options: dict[str, int | float | str | bool] = Field(default_factory=dict)
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    input_name: str = "input"
    output_names: tuple[str, ...] = ("logits",)
    parameters: int = Field(description="number of trained values")

    @classmethod
    def of(cls, folder: Path) -> "ModelCard":
        """The card in a folder of `train`, of a variant set or of a bundle."""
        return cls.read(folder / CARD_FILE)
