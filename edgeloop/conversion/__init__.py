"""Conversion of a trained model, one target format a file."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from pydantic import Field

from edgeloop import plugins
from edgeloop.batches import batches, spread
from edgeloop.contract import Contract
from edgeloop.data.dataset import Dataset, Sample
from edgeloop.errors import DataFault, MissingExtra, ModelFault
from edgeloop.files import copy_file, whole_folder
from edgeloop.models import CARD_FILE, WEIGHTS_FILE, ModelCard
from edgeloop.parity import Parity, compared, joined
from edgeloop.progress import Advance, progress, share
from edgeloop.runtimes import Arrays, Runtime, Session
from edgeloop.tensorrt_engines import EngineOptions
from edgeloop.variants import VARIANTS_FILE, Check, Tool, UnmadeVariant, Variant, VariantSet, float_variant

TRAINED_FORMAT = "torch"
TRAINED = f"{TRAINED_FORMAT}-fp32"
THREADS = 1
"""Of the comparison: sums do not depend on how many cores the machine has."""


class ConvertParams(Contract):
    """Section `convert`."""

    formats: tuple[str, ...] = Field(
        default=("onnx",),
        min_length=1,
        description="plug-ins of edgeloop.conversion; a format that another one is made of is made too",
    )
    opset: int = Field(default=20, ge=18, le=23, description="of ONNX")
    parity_samples: int = Field(default=64, ge=1, le=4096, description="real samples from val")
    max_relative_error: float = Field(
        default=1e-3, gt=0, le=1, description="largest per output, against the trained model"
    )
    tensorrt: EngineOptions = EngineOptions()


@dataclass(frozen=True)
class Converted:
    """What a converter says of the file that it wrote."""

    tool: Tool
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class NotMade:
    """What a converter says where this machine has not what the format needs, such as a GPU: no file was written.

    Args:
        reason: What is missing, in one line.
        checks: What could be judged without.
    """

    reason: str
    checks: tuple[Check, ...] = ()


class Converter(Protocol):
    """One target format; the plug-in's name is the format's.

    One whose driver reserves addresses says in `addresses_bytes` how many a process of it needs.
    """

    source: str
    """Format that it reads: `torch`, the trained weights, or that of another converter."""

    runtime: str
    """Plug-in of edgeloop.runtimes that the file is compared on."""

    suffix: str
    """Of the file, such as `.onnx`."""

    def convert(self, model: Path, source: Path, *, target: Path, params: ConvertParams) -> Converted | NotMade:
        """Writes the model in `source` as `target`: one file, whole, equal bytes for equal models.

        Bytes that a GPU's timings decide are equal for nothing; such a format says so in its own documentation.

        Args:
            model: Folder with the card.
            source: The file to convert.
            target: The file to write; takes a batch of any size.
            params: Section `convert`.

        Raises:
            ModelFault: The model cannot be converted.
            MissingExtra: A package is not installed.
        """


@runtime_checkable
class Apart(Protocol):
    """A converter that works in a process of its own, so that others can work meanwhile."""

    def converting(
        self, model: Path, source: Path, *, target: Path, params: ConvertParams
    ) -> AbstractContextManager[Callable[[], Converted | NotMade]]:
        """Begins what `Converter.convert` does; what the block is given ends it. The process ends with the block."""


_Ending = Callable[[], Converted | NotMade]


def convert(params: ConvertParams, *, model: Path, dataset: Path, validation: Path, converted: Path) -> VariantSet:
    """The trained model in every format of the section, each compared with the trained one on real samples of val.

    A comparison that fails is a failed check of the variant; the file stays in the set. A format that cannot be made of
    this model, or on this machine for want of a device or of a package, is recorded as not evaluated, with the reason.

    Args:
        params: Section `convert`.
        model: What `train` wrote.
        dataset: What `prepare_data` wrote.
        validation: What `validate_data` wrote.
        converted: Folder of the variant set, replaced as a whole.

    Raises:
        DataFault: val holds no accepted sample.
        ModelFault: The model cannot be read, or converted to any of the formats.
    """
    opened = Dataset(dataset, validation)
    samples = spread(opened.split("val"), params.parity_samples)
    if not samples:
        raise DataFault("val holds no accepted sample", where=str(dataset), fix="add data or loosen the suite")
    val = (opened, samples)
    with whole_folder(converted) as folder:
        trained, formats = _trained(model, folder), with_sources(params.formats)
        with progress("convert", len(formats) * _units(val)) as advance, ExitStack() as stack:
            begun = _begun(formats, params, folder=folder, stack=stack)
            found = _all_converted(formats, params, folder=folder, val=val, begun=begun, advance=advance)
        made = VariantSet(
            variants=(trained, *(one for one in found if isinstance(one, Variant))),
            unmade=tuple(one for one in found if isinstance(one, UnmadeVariant)),
        )
        made.write(folder / VARIANTS_FILE)
    return made


def with_sources(formats: Sequence[str]) -> tuple[str, ...]:
    """The formats and those that they are made of, each once and after what it is made of."""
    ordered: list[str] = []
    for name in formats:
        source = plugins.load("conversion", name).source
        needed = () if source == TRAINED_FORMAT else with_sources([source])
        ordered += [one for one in (*needed, name) if one not in ordered]
    return tuple(ordered)


def _trained(model: Path, folder: Path) -> Variant:
    """The trained weights themselves, copied byte for byte."""
    from importlib.metadata import version

    path = folder / f"{TRAINED}.safetensors"
    for source, target in ((model / CARD_FILE, folder / CARD_FILE), (model / WEIGHTS_FILE, path)):
        copy_file(source, target)
    tool = Tool(name="torch", version=version("torch"))
    return float_variant(TRAINED, TRAINED_FORMAT, path, tool)


def _begun(formats: Sequence[str], params: ConvertParams, *, folder: Path, stack: ExitStack) -> dict[str, _Ending]:
    """Of the formats that are made apart, of the trained weights, what waits for each."""
    begun: dict[str, _Ending] = {}
    for name in formats:
        converter: Converter = plugins.load("conversion", name)
        if isinstance(converter, Apart) and converter.source == TRAINED_FORMAT:
            source, target = folder / f"{TRAINED}.safetensors", folder / f"{name}-fp32{converter.suffix}"
            with suppress(MissingExtra):  # whoever asks for the format is told
                begun[name] = stack.enter_context(converter.converting(folder, source, target=target, params=params))
    return begun


def _all_converted(
    formats: Sequence[str],
    params: ConvertParams,
    *,
    folder: Path,
    val: tuple[Dataset, list[Sample]],
    begun: Mapping[str, _Ending],
    advance: Advance,
) -> list[Variant | UnmadeVariant]:
    """In the order of the formats; one that its converter refuses does not take the others with it.

    Raises:
        ModelFault: None was made, for this reason.
    """
    found: list[Variant | UnmadeVariant] = []
    faults: list[ModelFault] = []
    for name in formats:
        try:
            with share(advance, _units(val)) as counted:
                found.append(_converted(name, params, folder=folder, val=val, begun=begun, advance=counted))
        except ModelFault as fault:
            faults.append(fault)
            converter: Converter = plugins.load("conversion", name)
            (folder / f"{name}-fp32{converter.suffix}").unlink(missing_ok=True)
            found.append(_unmade(name, f"{converter.source}-fp32", NotMade(fault.reason())))
            advance(0, f"{name} not evaluated: {fault.reason()}")
    if faults and not any(isinstance(one, Variant) for one in found):
        raise faults[0]
    return found


def _units(val: tuple[Dataset, list[Sample]]) -> int:
    """Of progress, for one format: it is written, and every sample is compared."""
    return 1 + len(val[1])


def _converted(
    name: str,
    params: ConvertParams,
    *,
    folder: Path,
    val: tuple[Dataset, list[Sample]],
    begun: Mapping[str, _Ending],
    advance: Advance,
) -> Variant | UnmadeVariant:
    converter: Converter = plugins.load("conversion", name)
    weights = folder / f"{TRAINED}.safetensors"
    source = f"{converter.source}-fp32"
    target = folder / f"{name}-fp32{converter.suffix}"
    made = _made(converter, source, folder=folder, target=target, params=params, ending=begun.get(name))
    if isinstance(made, NotMade):
        advance(0, f"{name} not evaluated: {made.reason}")
        return _unmade(name, source, made)
    advance(1, f"{name} written")
    trained_runtime: Runtime = plugins.load("runtimes", "torch")
    runtime: Runtime = plugins.load("runtimes", converter.runtime)
    with (
        closing(trained_runtime.open(weights, threads=THREADS)) as reference,
        closing(runtime.open(target, threads=THREADS)) as candidate,
    ):
        parity = _parity(reference, candidate, val=val, card=ModelCard.of(folder), advance=advance)
    checks = tuple(_judged(*both, limit=params.max_relative_error) for both in zip(*parity.values(), strict=True))
    return float_variant(f"{name}-fp32", name, target, made.tool).model_copy(
        update={
            "made_from": source,
            "checks": made.checks + checks,
            "details": {
                "runtime": converter.runtime,
                "parity": {how: [one.values() for one in outputs] for how, outputs in parity.items()},
            },
        }
    )


def _made(
    converter: Converter,
    source: str,
    *,
    folder: Path,
    target: Path,
    params: ConvertParams,
    ending: _Ending | None,
) -> Converted | NotMade:
    """Of the variant `source` in `folder`, if that one was made; `ending` where it was begun."""
    path = next((path for path in folder.iterdir() if path.stem == source), None)
    if path is None:
        return NotMade(f"{source}, which it is made of, was not made")
    try:
        return ending() if ending else converter.convert(folder, path, target=target, params=params)
    except MissingExtra as error:
        return NotMade(error.line())


def _unmade(name: str, source: str, why: NotMade) -> UnmadeVariant:
    return UnmadeVariant(
        name=f"{name}-fp32", format=name, precision="fp32", made_from=source, reason=why.reason, checks=why.checks
    )


def _parity(
    reference: Session, candidate: Session, *, val: tuple[Dataset, list[Sample]], card: ModelCard, advance: Advance
) -> dict[str, tuple[Parity, ...]]:
    """The samples in batches, and each alone, against the reference's batches."""
    dataset, samples = val
    expected: list[Arrays] = []
    batched: list[Arrays] = []
    alone: list[Arrays] = []
    for part, inputs in batches(dataset, samples, card.preprocessing):
        expected.append(reference.run(inputs))
        batched.append(candidate.run(inputs))
        alone += [candidate.run(inputs[i : i + 1]) for i in range(len(part))]
        advance(len(part), "compared with the trained model")
    whole = joined(expected)
    return {"batched": compared(whole, joined(batched)), "alone": compared(whole, joined(alone))}


def _judged(batched: Parity, alone: Parity, *, limit: float) -> Check:
    name = f"parity_{batched.output}"
    if batched.max_relative_error is None or alone.max_relative_error is None:
        reason = "an output is not a finite number, or differs from one that is zero everywhere"
        return Check(name=name, status="fail", limit=limit, reason=reason)
    error = max(batched.max_relative_error, alone.max_relative_error)
    return Check(
        name=name,
        status="pass" if error <= limit else "fail",
        value=error,
        limit=limit,
        reason=f"largest difference over the largest output, on {batched.samples} samples of val",
    )
