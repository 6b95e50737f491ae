"""Architectures (one file a family), the card that travels with every model, and its weights.

Weights are a safetensors file: tensors by name and nothing that could be executed.

Legend: `N` batch, `C` channels, `H` height, `W` width, `K` classes.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import Field

from edgeloop import plugins
from edgeloop.contract import Contract
from edgeloop.data.preprocessing import Preprocessing
from edgeloop.errors import ModelFault, ParamsFault, translated
from edgeloop.files import whole_file
from edgeloop.plugins import missing_extra

if TYPE_CHECKING:
    import torch
    from torch import nn

CARD_FILE = "model.json"
WEIGHTS_FILE = "weights.safetensors"


class Architecture(Protocol):
    """One family of networks."""

    options: type[Contract]
    """What `train.model_options` may hold, checked before anything runs."""

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


def load_network(folder: Path, weights: Path | None = None) -> "nn.Module":
    """The network of the model in `folder`, in evaluation mode.

    Args:
        folder: Holds `model.json`.
        weights: The safetensors file; `weights.safetensors` in `folder` unless given.

    Raises:
        InputFault: A file is missing.
        ModelFault: A file is truncated, foreign, or does not fit the other.
        PluginFault: The architecture is not installed.
        MissingExtra: torch or safetensors is not installed.
    """
    card = ModelCard.of(folder)
    network = _built(card, where=folder / CARD_FILE)
    path = weights or folder / WEIGHTS_FILE
    found = read_weights(path)
    if difference := _first_difference(network.state_dict(), found):
        raise ModelFault(
            f"does not fit {folder / CARD_FILE}: {difference}", where=str(path), fix="use files of the same training"
        )
    network.load_state_dict(found)
    return network.eval()


def read_weights(path: Path) -> dict[str, "torch.Tensor"]:
    """The tensors in a safetensors file, by name.

    Raises:
        InputFault: There is no such file.
        ModelFault: It is no safetensors file, or not whole.
        MissingExtra: torch or safetensors is not installed.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load
    except ModuleNotFoundError as error:
        raise missing_extra(error, "train") from error
    with translated(path):
        content = path.read_bytes()
    try:
        return load(content)
    except (SafetensorError, KeyError, ValueError) as error:
        raise ModelFault(
            f"is not a whole safetensors file ({error})", where=str(path), fix="run the step that writes it again"
        ) from error


def write_weights(path: Path, state: dict[str, "torch.Tensor"]) -> None:
    """Writes tensors by name; the same tensors give the same bytes."""
    from safetensors.torch import save

    # shared memory (tied weights) cannot be written: every name gets a copy of its own
    content = save({name: tensor.detach().clone().contiguous() for name, tensor in state.items()})
    with whole_file(path) as partial:
        partial.write_bytes(content)


def _built(card: ModelCard, *, where: Path) -> "nn.Module":
    """A network of the card's architecture; the state of torch's generator is left as it was."""
    try:
        import torch
    except ModuleNotFoundError as error:
        raise missing_extra(error, "train") from error
    architecture: Architecture = plugins.load("models", card.architecture)
    try:
        with torch.random.fork_rng(devices=[]):
            return architecture.build(card.preprocessing.shape, len(card.classes), dict(card.options))
    except ParamsFault as error:
        raise ModelFault(error.what, where=str(where), fix="make it again with the step that writes it") from error


def _first_difference(expected: dict[str, "torch.Tensor"], found: dict[str, "torch.Tensor"]) -> str | None:
    """What is the first thing that keeps `found` from being loaded, if anything does."""
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            return f"{name} is missing"
        if name not in expected:
            return f"{name} is unknown"
        wanted, given = expected[name], found[name]
        if (wanted.shape, wanted.dtype) != (given.shape, given.dtype):
            return f"{name} is {given.dtype} {tuple(given.shape)}, not {wanted.dtype} {tuple(wanted.shape)}"
    return None
