"""Conversion of a trained model, one target format a file."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from pydantic import Field

from edgeloop import plugins
from edgeloop.batches import batches, spread
from edgeloop.canonical import sha256_of_file
from edgeloop.contract import Contract
from edgeloop.data.dataset import Dataset, Sample
from edgeloop.errors import DataFault, translated
from edgeloop.files import whole_folder
from edgeloop.models import CARD_FILE, WEIGHTS_FILE, ModelCard
from edgeloop.parity import Parity, compared
from edgeloop.progress import Advance, progress
from edgeloop.runtimes import Arrays, Runtime, Session
from edgeloop.variants import VARIANTS_FILE, Check, Tool, Variant, VariantSet

TRAINED = "torch-fp32"
THREADS = 1
"""Of the comparison: sums do not depend on how many cores the machine has."""


class ConvertParams(Contract):
    """Section `convert`."""

    formats: tuple[str, ...] = Field(default=("onnx",), min_length=1, description="plug-ins of edgeloop.conversion")
    opset: int = Field(default=20, ge=18, le=23, description="of ONNX")
    parity_samples: int = Field(default=64, ge=1, le=4096, description="real samples from val")
    max_relative_error: float = Field(
        default=1e-3, gt=0, le=1, description="largest per output, against the trained model"
    )


@dataclass(frozen=True)
class Converted:
    """What a converter says of the file that it wrote."""

    tool: Tool
    checks: tuple[Check, ...] = ()


class Converter(Protocol):
    """One target format; the plug-in's name is the format's."""

    runtime: str
    """Plug-in of edgeloop.runtimes that the file is compared on."""

    suffix: str
    """Of the file, such as `.onnx`."""

    def convert(self, model: Path, weights: Path, *, target: Path, params: ConvertParams) -> Converted:
        """Writes the trained model as `target`: one file, whole, equal bytes for equal models.

        Args:
            model: Folder with the card.
            weights: The trained values.
            target: The file to write; takes a batch of any size.
            params: Section `convert`.

        Raises:
            ModelFault: The model cannot be converted.
            MissingExtra: A package is not installed.
        """


def convert(params: ConvertParams, *, model: Path, dataset: Path, validation: Path, converted: Path) -> VariantSet:
    """The trained model in every format of the section, each compared with the trained one on real samples of val.

    A comparison that fails is a failed check of the variant; the file stays in the set.

    Args:
        params: Section `convert`.
        model: What `train` wrote.
        dataset: What `prepare_data` wrote.
        validation: What `validate_data` wrote.
        converted: Folder of the variant set, replaced as a whole.

    Raises:
        DataFault: val holds no accepted sample.
        ModelFault: The model cannot be read or converted.
    """
    opened = Dataset(dataset, validation)
    samples = spread(opened.split("val"), params.parity_samples)
    if not samples:
        raise DataFault("val holds no accepted sample", where=str(dataset), fix="add data or loosen the suite")
    with whole_folder(converted) as folder:
        variants = [_trained(model, folder)]
        with progress("convert", len(params.formats) * (1 + len(samples))) as advance:
            for name in params.formats:
                variants.append(_converted(name, params, folder=folder, val=(opened, samples), advance=advance))
        made = VariantSet(variants=tuple(variants))
        made.write(folder / VARIANTS_FILE)
    return made


def _trained(model: Path, folder: Path) -> Variant:
    """The trained weights themselves, copied byte for byte."""
    from importlib.metadata import version

    path = folder / f"{TRAINED}.safetensors"
    for source, target in ((model / CARD_FILE, folder / CARD_FILE), (model / WEIGHTS_FILE, path)):
        with translated(source):
            shutil.copyfile(source, target)
    tool = Tool(name="torch", version=version("torch"))
    return _variant(TRAINED, "torch", path, tool)


def _converted(
    name: str, params: ConvertParams, *, folder: Path, val: tuple[Dataset, list[Sample]], advance: Advance
) -> Variant:
    converter: Converter = plugins.load("conversion", name)
    weights = folder / f"{TRAINED}.safetensors"
    target = folder / f"{name}-fp32{converter.suffix}"
    made = converter.convert(folder, weights, target=target, params=params)
    advance(1, f"{name} written")
    trained_runtime: Runtime = plugins.load("runtimes", "torch")
    runtime: Runtime = plugins.load("runtimes", converter.runtime)
    reference, candidate = trained_runtime.open(weights, threads=THREADS), runtime.open(target, threads=THREADS)
    parity = _parity(reference, candidate, val=val, card=ModelCard.of(folder), advance=advance)
    reference.close()
    candidate.close()
    checks = tuple(_judged(one, params.max_relative_error) for one in parity)
    return _variant(f"{name}-fp32", name, target, made.tool).model_copy(
        update={
            "made_from": TRAINED,
            "checks": made.checks + checks,
            "details": {"parity": [one.values() for one in parity], "parity_runtime": converter.runtime},
        }
    )


def _variant(name: str, format: str, path: Path, tool: Tool) -> Variant:  # noqa: A002 - the word of variants.json
    return Variant(
        name=name,
        format=format,
        precision="fp32",
        file=path.name,
        sha256=sha256_of_file(path),
        size_bytes=path.stat().st_size,
        made_by=tool,
    )


def _parity(
    reference: Session, candidate: Session, *, val: tuple[Dataset, list[Sample]], card: ModelCard, advance: Advance
) -> tuple[Parity, ...]:
    """Each sample through the candidate twice, in a batch and alone, against the reference's batch."""
    dataset, samples = val
    expected: list[Arrays] = []
    answered: list[Arrays] = []
    for part, inputs in batches(dataset, samples, card.preprocessing):
        trained = reference.run(inputs)
        expected += [trained, trained]
        answered += [candidate.run(inputs), *(candidate.run(inputs[i : i + 1]) for i in range(len(part)))]
        advance(len(part), "compared with the trained model")
    return compared(_joined(expected, card.output_names), _joined(answered, card.output_names))


def _joined(parts: list[Arrays], names: tuple[str, ...]) -> Arrays:
    return {name: np.concatenate([part[name] for part in parts]) for name in names if name in parts[0]}


def _judged(parity: Parity, limit: float) -> Check:
    error = parity.max_relative_error
    if error is None:
        reason = "an output is not a finite number, or differs from one that is zero everywhere"
        return Check(name=f"parity_{parity.output}", status="fail", limit=limit, reason=reason)
    return Check(
        name=f"parity_{parity.output}",
        status="pass" if error <= limit else "fail",
        value=error,
        limit=limit,
        reason=f"largest difference on {parity.samples // 2} samples of val over the largest output",
    )
