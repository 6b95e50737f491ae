"""Variants: the files that one model became, format × precision.

A variant set is a folder: `model.json` (the card), `variants.json` (VariantSet) and the files that it names. `convert`
writes one, `quantize` writes another; `benchmark` reads both.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from edgeloop.canonical import sha256_of_file
from edgeloop.contract import Contract
from edgeloop.errors import ModelFault, translated

VARIANTS_FILE = "variants.json"

Precision = Literal["fp32", "bf16", "fp16", "int8"]


class Tool(Contract):
    """What made a file."""

    name: str
    version: str
    options: dict[str, Any] = Field(default_factory=dict, description="as passed, JSON types")


class Check(Contract):
    """One judgement: a measured value against a limit.

    `status` is `pass`, `fail`, `invalid` or `not evaluated`; the last two are never a pass.
    """

    name: str
    status: Literal["pass", "fail", "invalid", "not evaluated"]
    value: float | None = None
    limit: float | None = None
    reason: str = Field(default="", description="why, in words a person reads in the report")


class Variant(Contract):
    """One model file, how it was made, and how near it is to the file it was made from."""

    name: str = Field(description="<format>-<precision>, such as onnx-int8")
    format: str = Field(description="torch, onnx, …: what a runtime must be able to load")
    precision: Precision
    file: str = Field(description="relative to the set's folder")
    sha256: str
    size_bytes: int = Field(ge=0)
    made_by: Tool
    made_from: str | None = Field(default=None, description="name of the variant it was made from")
    checks: tuple[Check, ...] = ()
    details: dict[str, Any] = Field(default_factory=dict, description="parity, accuracy, calibration: JSON types")

    @property
    def accepted(self) -> bool:
        """No check failed and none was left open."""
        return all(check.status == "pass" for check in self.checks)


def float_variant(name: str, format: str, path: Path, tool: Tool) -> Variant:  # noqa: A002 - the field's own name
    """The record of a file that computes in float32, as it lies at `path`."""
    return Variant(
        name=name,
        format=format,
        precision="fp32",
        file=path.name,
        sha256=sha256_of_file(path),
        size_bytes=path.stat().st_size,
        made_by=tool,
    )


class UnmadeVariant(Contract):
    """A variant that was asked for and could not be made on this machine: it is not evaluated."""

    name: str
    format: str
    precision: Precision
    made_from: str
    reason: str = Field(description="what is missing, in one line")
    checks: tuple[Check, ...] = Field(default=(), description="what could be judged without the file")


class VariantSet(Contract):
    """The variants in one folder."""

    format: int = 1
    variants: tuple[Variant, ...]
    unmade: tuple[UnmadeVariant, ...] = ()
    calibration: dict[str, Any] | None = Field(default=None, description="digest, ids and size of the calibration set")

    @classmethod
    def of(cls, folder: Path) -> "VariantSet":
        """The set in `folder`."""
        return cls.read(folder / VARIANTS_FILE)


class PlacedVariant(Contract):
    """A variant and the folder it lies in."""

    variant: Variant
    folder: Path

    @property
    def path(self) -> Path:
        """The model file."""
        return self.folder / self.variant.file

    def verified(self) -> "PlacedVariant":
        """Itself, after its bytes were found to be those that were recorded.

        Raises:
            ModelFault: They are not.
        """
        with translated(self.path):
            if sha256_of_file(self.path) != self.variant.sha256:
                raise ModelFault("is not the file that was recorded", where=str(self.path), fix="run convert again")
        return self


def placed_variants(folders: Sequence[Path]) -> dict[str, PlacedVariant]:
    """All variants of several sets by name, verified.

    Raises:
        ModelFault: A file's bytes differ from its record, or a name occurs twice.
    """
    found: dict[str, PlacedVariant] = {}
    for folder in folders:
        for variant in VariantSet.of(folder).variants:
            if variant.name in found:
                raise ModelFault(f"variant {variant.name} occurs twice", where=str(folder), fix="run convert again")
            found[variant.name] = PlacedVariant(variant=variant, folder=folder).verified()
    return found
