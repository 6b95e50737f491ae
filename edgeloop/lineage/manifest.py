"""The lineage manifest, `lineage.yaml` in every bundle.

A `Manifest` that exists is consistent: its `subject_digest` is that of its subject as written, and every piece of
evidence names it.
"""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Self, TypeVar

from pydantic import Field, field_validator, model_validator

from edgeloop.canonical import digest_of
from edgeloop.contract import Contract
from edgeloop.errors import ModelFault
from edgeloop.files import write_text
from edgeloop.lineage import document
from edgeloop.lineage.evidence import Evidence, SelectionEvidence, Winner
from edgeloop.lineage.subject import DIGEST_PATTERN, SHA256_PATTERN, Subject

LINEAGE_FILE = "lineage.yaml"

Piece = TypeVar("Piece", bound=Contract)


class FileRecord(Contract):
    """One file of the bundle."""

    sha256: str = Field(pattern=SHA256_PATTERN)
    size_bytes: int = Field(ge=0)


class Manifest(Contract):
    """What a bundle is, where it comes from, and what is known of it."""

    format: int = Field(default=1, ge=1, le=1)
    name: str = Field(description="of the model in the registry")
    subject_digest: str = Field(pattern=DIGEST_PATTERN, description="over the canonical JSON of `subject`")
    subject: Subject
    evidence: tuple[Evidence, ...]
    files: dict[str, FileRecord] = Field(description="every file of the bundle but this one, signature/ and evidence/")

    @classmethod
    def of(cls, name: str, *, subject: Subject, evidence: Sequence[Evidence]) -> Self:
        """The manifest of a bundle whose files are not written yet."""
        digest = digest_of(subject.values())
        return cls(name=name, subject_digest=digest, subject=subject, evidence=tuple(evidence), files={})

    @model_validator(mode="before")
    @classmethod
    def _digest_of_subject_as_written(cls, values: Any) -> Any:
        """Over the values as they were read, so that a field added to `Subject` later changes no older digest."""
        if not isinstance(values, dict) or not {"subject", "subject_digest"} <= values.keys():
            return values
        subject = values["subject"].values() if isinstance(values["subject"], Subject) else values["subject"]
        try:
            digest = digest_of(subject)
        except (TypeError, ValueError) as error:
            raise ValueError(f"subject cannot be digested ({error})") from error
        if digest != values["subject_digest"]:
            raise ValueError("subject_digest is not the digest of subject")
        return values

    @field_validator("files")
    @classmethod
    def _inside_the_bundle(cls, files: dict[str, FileRecord]) -> dict[str, FileRecord]:
        for name in files:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or str(path) != name or name in ("", ".", LINEAGE_FILE):
                raise ValueError(f"{name!r} is no path inside a bundle")
        return files

    @model_validator(mode="after")
    def _evidence_of_this_subject(self) -> Self:
        for piece in self.evidence:
            if piece.subject_digest != self.subject_digest:
                raise ValueError(f"evidence {piece.kind} is of another subject")
        return self

    def pieces(self, kind: type[Piece]) -> tuple[Piece, ...]:
        """The evidence of one kind, oldest first."""
        return tuple(piece for piece in self.evidence if isinstance(piece, kind))

    @property
    def winner(self) -> Winner:
        """The candidate of the first selection.

        Raises:
            ModelFault: There is no selection among the evidence.
        """
        for piece in self.pieces(SelectionEvidence):
            return piece.body.winner
        raise ModelFault("names no selected candidate", where=LINEAGE_FILE, fix="register the model again")


def read_manifest(path: Path) -> Manifest:
    """The manifest in a YAML file.

    Raises:
        InputFault: There is no such file.
        ModelFault: It is no manifest, or its digest is not that of its subject.
    """
    return document.read(path, Manifest)


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Writes YAML: keys in the order of the contract, whole or not at all."""
    write_text(path, document.text_of(manifest.values()))
