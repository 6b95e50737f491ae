"""A trained folder, as step `train` leaves it, in the formats of the targets: how `edgeloop optimize` begins with one.

`.tflite` files are made of trained weights and not of ONNX, so that LiteRT takes part only here. The weights are
safetensors and the card is JSON: nothing in the folder is executed.
"""

from collections.abc import Collection
from pathlib import Path

from edgeloop import plugins
from edgeloop.conversion import ConvertParams, convert
from edgeloop.errors import InputFault
from edgeloop.models import CARD_FILE, WEIGHTS_FILE

FORMATS = ("onnx", "litert")
"""OpenVINO runs the ONNX file as it runs its own format, only loads it later."""

PARITY_SAMPLES = 16


def is_trained(path: Path) -> bool:
    """Whether it is a folder, and so meant to be a trained one.

    Raises:
        InputFault: It is a folder without the weights or the card.
    """
    if not path.is_dir():
        return False
    missing = [name for name in (WEIGHTS_FILE, CARD_FILE) if not (path / name).is_file()]
    if missing:
        raise InputFault(
            f"holds no {' and no '.join(missing)}", where=str(path), fix="name what train wrote, or an ONNX file"
        )
    return True


def convert_trained(
    model: Path, runtimes: Collection[str], *, dataset: Path, validation: Path, converted: Path, notes: list[str]
) -> None:
    """Writes the set `converted`: the weights, and the formats that one of the runtimes loads.

    ONNX is always made, for other files are made of it. What could not be made is noted.
    """
    loaded = frozenset[str]().union(*(plugins.load("runtimes", name).formats for name in runtimes))
    formats = tuple(name for name in FORMATS if name in loaded or name == "onnx")
    made = convert(
        ConvertParams(formats=formats, parity_samples=PARITY_SAMPLES),
        model=model, dataset=dataset, validation=validation, converted=converted,
    )  # fmt: skip
    notes += [f"{one.name} was not made: {one.reason}" for one in made.unmade]
