"""Architectures (one file a family), the card that travels with every model, and its weights.

What goes in, by the kind of sample: a picture is C, H, W; a window of sensor readings is C, L; a row of a table is F.
What comes out, by what the architecture `answers`:

    row     N, K           logits of classes, or the values of a regression
    input   as the input   the input rebuilt, by an autoencoder
    heads   N, 4 + K, h, w  for every stride of a detector, raw: `Detector.decode` makes boxes of them

Weights are a safetensors file: tensors by name and nothing that could be executed.

Legend: `N` batch, `C` channels, `H` height, `W` width, `L` readings, `F` features, `K` classes or other outputs.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import BeforeValidator, Field

from edgeloop import plugins
from edgeloop.contract import Contract
from edgeloop.data.inputs import AnyPreprocessing
from edgeloop.errors import ModelFault, ParamsFault, translated
from edgeloop.files import whole_file
from edgeloop.plugins import missing_extra

if TYPE_CHECKING:
    import torch
    from torch import nn

CARD_FILE = "model.json"
WEIGHTS_FILE = "weights.safetensors"


PICTURE: tuple[str, ...] = ("C", "H", "W")
WINDOW: tuple[str, ...] = ("C", "L")
ROW: tuple[str, ...] = ("F",)

Widths = Annotated[
    str,
    BeforeValidator(lambda given: str(given) if type(given) is int else given),  # YAML takes a single width so
    Field(pattern=r"^[1-9]\d{0,4}(-[1-9]\d{0,4}){0,31}$"),
]
"""An option: the neurons of layers in a row, written as 300-100."""


class Architecture(Protocol):
    """One family of networks."""

    options: type[Contract]
    """What `train.model_options` may hold, checked before anything runs."""

    inputs: tuple[tuple[str, ...], ...]
    """The axes of every input that it takes, without the batch: some of PICTURE, WINDOW and ROW."""

    answers: Literal["row", "input", "heads"]
    """What comes out, see the module."""

    output_names: tuple[str, ...]
    """Of the tensors that come out, in order."""

    def build(self, input_shape: tuple[int, ...], outputs: int, options: dict[str, Any]) -> "nn.Module":
        """A network for float32 of N and `input_shape`, freshly initialised from torch's generator.

        Args:
            input_shape: Of one sample, such as C, H, W.
            outputs: K; has no meaning to an architecture that answers with its input.
            options: `train.model_options`, checked here.

        Raises:
            ParamsFault: An option is unknown or out of range, or the input has other axes or is too small.
        """


class Detector(Architecture, Protocol):
    """An architecture that answers with heads."""

    strides: tuple[int, ...]
    """Pixels of the input from one cell to the next, of every head in order."""

    def decode(self, heads: Sequence[Any], xp: Any) -> tuple[Any, Any]:
        """The boxes of all heads; never part of the network, so that its range of values spoils no int8 scale.

        Args:
            heads: One array N, 4 + K, h, w for every stride.
            xp: The module that the arrays are of: numpy or torch.

        Returns:
            Boxes N, M, 4 as x1, y1, x2, y2 in pixels of the input, and logits N, M, K; M counts the cells of all
            heads, in the order of the heads and then row by row.
        """


class ModelCard(Contract):
    """Everything that is needed to run a model's files, and nothing measured."""

    format: int = 1
    task: str
    architecture: str
    options: dict[str, int | float | str | bool] = Field(default_factory=dict)
    classes: tuple[str, ...] = Field(description="what the network's K numbers stand for, as the task names them")
    preprocessing: AnyPreprocessing
    input_name: str = "input"
    output_names: tuple[str, ...] = ("logits",)
    parameters: int = Field(description="number of trained values")
    task_options: dict[str, int | float | str | bool] = Field(default_factory=dict)
    constants: dict[str, float] = Field(
        default_factory=dict, description="that the task took from the training data, see edgeloop.tasks"
    )

    @classmethod
    def of(cls, folder: Path) -> "ModelCard":
        """The card in a folder of `train`, of a variant set or of a bundle."""
        return cls.read(folder / CARD_FILE)


def named_outputs(outputs: Any, card: ModelCard) -> dict[str, Any]:
    """What a network gave, one tensor or several in order, by the names on its card.

    Raises:
        ModelFault: They are more or fewer than the names.
    """
    tensors = outputs if isinstance(outputs, tuple | list) else (outputs,)
    if len(tensors) != len(card.output_names):
        raise ModelFault(
            f"gives {len(tensors)} outputs, not {len(card.output_names)}",
            where=card.architecture,
            fix="name as many outputs as the network has",
        )
    return dict(zip(card.output_names, tensors, strict=True))


def named_only(outputs: dict[str, Any], card: ModelCard, *, where: str) -> dict[str, Any]:
    """Of what a model file gave, the outputs on the card, in the card's order.

    Raises:
        ModelFault: One is missing.
    """
    for name in card.output_names:
        if name not in outputs:
            raise ModelFault(f"gives no output {name!r}", where=where, fix="convert the model again")
    return {name: outputs[name] for name in card.output_names}


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


def require_input(
    input_shape: tuple[int, ...], *, inputs: tuple[tuple[str, ...], ...], least: tuple[int, ...] = ()
) -> None:
    """Refuses what an architecture cannot take.

    Args:
        input_shape: Of one sample.
        inputs: As `Architecture.inputs`.
        least: The smallest height and width, or number of readings; any size unless given.

    Raises:
        ParamsFault: The axes are others, or a side is too short.
    """
    if len(input_shape) not in {len(axes) for axes in inputs}:
        wanted = " or ".join(", ".join(axes) for axes in inputs)
        raise ParamsFault(
            f"takes samples of shape {wanted}, and these have {_by(input_shape) or 'none'}",
            where="train.model",
            fix="choose an architecture for such samples",
        )
    sides = input_shape[len(input_shape) - len(least) :]
    if any(side < lower for side, lower in zip(sides, least, strict=True)):
        what, fix = (
            ("readings", "cut longer windows, or lower the strides in train.model_options")
            if len(least) == 1
            else ("pixels", "raise train.image")
        )
        raise ParamsFault(f"takes at least {_by(least)} {what}, not {_by(sides)}", where="train.model", fix=fix)


def widths_of(text: str) -> tuple[int, ...]:
    """The numbers in an option of the type `Widths`."""
    return tuple(int(width) for width in text.split("-"))


def scaled(channels: int, width: float) -> int:
    """`channels` at a width multiplier: the nearest multiple of 8, at least 8 and never a tenth below.

    The rule of the MobileNets (Sandler et al., "MobileNetV2", 2018), whose hardware likes multiples of 8.
    """
    wanted = channels * width
    nearest = max(8, int(wanted + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * wanted else nearest + 8


def added(body: "nn.Module", shortcut: "nn.Module | None" = None) -> "nn.Module":
    """A module that gives body(x) + shortcut(x); x itself stands in for a shortcut that is not given."""
    from torch import Tensor, nn

    class Added(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.shortcut = body, shortcut or nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            total: Tensor = self.body(x) + self.shortcut(x)
            return total

    return Added()


def he_initialised(network: "nn.Module") -> "nn.Module":
    """`network` with the weights of its convolutions drawn anew, biases zero.

    Normal with variance 2 / n, where n counts the values of the output that one value of the input goes into (He et
    al., "Delving Deep into Rectifiers", 2015, the backward case): in a depthwise convolution only its kernel's.
    """
    from torch import nn

    for module in network.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d):
            reached = module.out_channels // module.groups * math.prod(module.kernel_size)
            nn.init.normal_(module.weight, std=math.sqrt(2 / reached))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def _by(sides: tuple[int, ...]) -> str:
    return " x ".join(map(str, sides))


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
