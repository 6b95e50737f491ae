"""The card of a stranger's classifier of pictures, from the shapes in its file; what is guessed is said."""

from pathlib import Path
from typing import Any

from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import DataFault, ModelFault
from edgeloop.models import CARD_FILE, ModelCard

MODES = {1: "L", 3: "RGB"}

Ports = list[tuple[str, tuple[int, ...]]]
"""Names, and shapes without the batch; 0 where a size is open."""


def guessed_card(path: Path, classes: tuple[str, ...], *, mean: tuple[float, ...], std: tuple[float, ...]) -> ModelCard:
    """A card for the ONNX file `path`.

    Args:
        path: It takes pictures as N, C, H, W.
        classes: In the order of the outputs.
        mean: Of pixels in 0..1; one value, or one a channel.
        std: As `mean`.

    Raises:
        ModelFault: It is no classifier of pictures.
        DataFault: It answers with another number of classes.
    """
    inputs, outputs = ports_of(path)
    shape = inputs[0][1] if len(inputs) == 1 else ()
    if len(shape) != 3 or shape[0] not in MODES or not all(shape) or len(outputs) != 1:
        raise ModelFault(
            "is no classifier of pictures, and only those are understood without a card",
            where=path.stem,
            fix=f"put the model's {CARD_FILE} beside it",
        )
    answers = outputs[0][1]
    if answers not in ((len(classes),), (0,)):
        told = f"has {len(classes)} classes, and the model answers with {answers}"
        raise DataFault(told, where="--data", fix="check both")
    image = ImageInput.model_validate({"height": shape[1], "width": shape[2], "mode": MODES[shape[0]]})
    wide = [values * shape[0] if len(values) == 1 else values for values in (mean, std)]
    if any(len(values) != shape[0] for values in wide):
        raise DataFault(f"gives other than 1 or {shape[0]} values", where="--mean, --std", fix="give one a channel")
    return ModelCard(
        task="classification",
        architecture="unknown",
        classes=classes,
        preprocessing=Preprocessing(image=image, mean=wide[0], std=wide[1]),
        input_name=inputs[0][0],
        output_names=(outputs[0][0],),
        parameters=0,
    )


def described(card: ModelCard) -> str:
    """The guess in one sentence."""
    taken = card.preprocessing
    assert isinstance(taken, Preprocessing)
    size = f"{taken.image.height} x {taken.image.width} {taken.image.mode}"
    order = ", ".join(card.classes)
    return f"pictures are taken as {size} in 0..1, minus {taken.mean}, over {taken.std}; outputs as {order}"


def ports_of(path: Path) -> tuple[Ports, Ports]:
    """What goes in and what comes out of an ONNX file."""
    import onnx

    graph = onnx.load(path).graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    return [_port(value) for value in inputs], [_port(value) for value in graph.output]


def _port(value: Any) -> tuple[str, tuple[int, ...]]:
    return value.name, tuple(dimension.dim_value for dimension in value.type.tensor_type.shape.dim)[1:]
