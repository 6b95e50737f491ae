"""The bundle: one folder with a model in all its variants and everything that its lineage names.

    lineage.yaml          the manifest; lists every other file with its sha256
    model_card.md         the model in words
    models/               model.json, variants.json, accepted variants, the trained weights
    data/                 dataset.json, verdict.json
    profile/profile.json  statistics of the data, the reference of drift
    benchmark/report.json
    selection.json
    evaluation/           metrics and pictures of the winner on test
    signature/            over all of the above, so not listed
    evidence/             statements added later, each with a signature of its own, so not listed

A bundle that was changed in one byte, one name or one file is never opened.
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import Field

from edgeloop.canonical import sha256_of_file
from edgeloop.contract import Contract
from edgeloop.errors import EdgeloopError, ModelFault, translated
from edgeloop.files import copy_file, whole_folder
from edgeloop.lineage.manifest import LINEAGE_FILE, FileRecord, Manifest, read_manifest, write_manifest
from edgeloop.models import CARD_FILE, ModelCard
from edgeloop.variants import VARIANTS_FILE, PlacedVariant, VariantSet

MODELS_FOLDER = "models"
UNLISTED_FOLDERS = ("signature", "evidence")

Content = Path | str | bytes | Contract
"""A file that is copied byte for byte, a text, bytes, or a value that is written as JSON."""


class Finding(Contract):
    """One file of a bundle that is not what the manifest says."""

    file: str = Field(description="relative to the bundle")
    kind: Literal["missing", "extra", "changed", "unreadable", "contradiction", "untrusted"]
    reason: str


@dataclass(frozen=True)
class Bundle:
    """A bundle whose every file was verified when it was opened."""

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> "Bundle":
        """The bundle in `folder`, verified.

        Raises:
            ModelFault: It is not whole; the first file that is wrong is named, and how many there are.
        """
        manifest, findings = _examined(folder)
        if manifest is None or findings:
            first, more = findings[0], len(findings) - 1
            also = f" (and {more} more)" if more else ""
            raise ModelFault(
                f"{first.reason}{also}",
                where=str(folder / first.file),
                fix="take the bundle again from where it was made",
                findings=findings,
            )
        return cls(folder=folder, manifest=manifest)

    @property
    def card(self) -> ModelCard:
        """What is needed to run the models."""
        return ModelCard.of(self.folder / MODELS_FOLDER)

    def variant(self, name: str) -> PlacedVariant:
        """A variant in the bundle.

        Raises:
            ModelFault: It holds none of that name.
        """
        models = self.folder / MODELS_FOLDER
        variants = {variant.name: variant for variant in VariantSet.of(models).variants}
        if name not in variants:
            raise ModelFault(
                f"holds no variant {name!r}", where=str(self.folder), fix=f"use one of: {', '.join(sorted(variants))}"
            )
        return PlacedVariant(variant=variants[name], folder=models)


def write(
    folder: Path, manifest: Manifest, contents: Mapping[str, Content], *, sign: Callable[[Path], object] | None = None
) -> Bundle:
    """Writes a bundle, whole or not at all, and opens it.

    Args:
        folder: Where; replaced if it exists.
        manifest: Its `files` are filled in here.
        contents: By path inside the bundle.
        sign: Signs the folder that it is given, before that takes its place.

    Raises:
        NotWritable, DiskFull, EnvironmentFault: The place cannot be written.
        ModelFault: The parts contradict each other.
    """
    with whole_folder(folder) as partial:
        files: dict[str, FileRecord] = {}
        for name in sorted(contents):
            target = partial / name
            target.parent.mkdir(parents=True, exist_ok=True)
            _place(contents[name], target)
            files[name] = _record(target)
        write_manifest(partial / LINEAGE_FILE, manifest.model_copy(update={"files": files}))
        written = Bundle.open(partial)
        if sign is not None:
            sign(partial)
    return Bundle(folder=folder, manifest=written.manifest)


def _place(content: Content, target: Path) -> None:
    if isinstance(content, Contract):
        content.write(target)
    elif isinstance(content, str):
        target.write_text(content, encoding="utf-8")
    elif isinstance(content, bytes):
        target.write_bytes(content)
    else:
        copy_file(content, target)


def copy_bundle(bundle: Bundle, folder: Path) -> Bundle:
    """Copies a bundle with what is signed apart into an empty folder, and opens the copy."""
    for source in sorted(path for path in bundle.folder.rglob("*") if path.is_file()):
        target = folder / source.relative_to(bundle.folder)
        with translated(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        copy_file(source, target)
    return Bundle.open(folder)


def _record(path: Path) -> FileRecord:
    return FileRecord(sha256=sha256_of_file(path), size_bytes=path.stat().st_size)


def verify(folder: Path) -> list[Finding]:
    """Everything in which the folder differs from what its manifest says; nothing when it is whole.

    Who wrote the manifest is not asked here: that is what signatures are for.
    """
    return _examined(folder)[1]


def _examined(folder: Path) -> tuple[Manifest | None, list[Finding]]:
    """The manifest, None where it cannot be read, and what is wrong."""
    if (folder / LINEAGE_FILE).is_symlink():
        return None, [Finding(file=LINEAGE_FILE, kind="changed", reason="is not a plain file in a plain folder")]
    try:
        manifest = read_manifest(folder / LINEAGE_FILE)
    except EdgeloopError as error:
        missing = not (folder / LINEAGE_FILE).exists()
        return None, [Finding(file=LINEAGE_FILE, kind="missing" if missing else "unreadable", reason=error.what)]
    judged = (_judged(folder, name, record) for name, record in manifest.files.items())
    findings = [finding for finding in judged if finding is not None]
    findings += [
        Finding(file=name, kind="extra", reason=f"is not listed in {LINEAGE_FILE}")
        for name in sorted(set(_entries(folder)) - set(manifest.files) - {LINEAGE_FILE})
        if not _may_be_unlisted(folder, name)
    ]
    return manifest, findings or list(_contradictions(folder, manifest))


def _entries(folder: Path) -> Iterator[str]:
    """Every entry that is no plain folder with something in it, relative."""
    for parent, folders, files in os.walk(folder):
        place = Path(parent)
        links = [name for name in folders if (place / name).is_symlink()]
        for name in [*files, *links]:
            yield (place / name).relative_to(folder).as_posix()
        if place != folder and not files and not folders:
            yield place.relative_to(folder).as_posix()


def _may_be_unlisted(folder: Path, name: str) -> bool:
    """Whether it is a plain file or folder of `UNLISTED_FOLDERS`; a link could lead anywhere."""
    mode = (folder / name).lstat().st_mode
    return PurePosixPath(name).parts[0] in UNLISTED_FOLDERS and (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _judged(folder: Path, name: str, record: FileRecord) -> Finding | None:
    """What is wrong with one listed file."""
    path = folder / name
    try:
        state = path.lstat()
        linked = any((folder / parent).is_symlink() for parent in PurePosixPath(name).parents)
        if linked or not stat.S_ISREG(state.st_mode):
            return Finding(file=name, kind="changed", reason="is not a plain file in a plain folder")
        if state.st_size != record.size_bytes or sha256_of_file(path) != record.sha256:
            return Finding(file=name, kind="changed", reason=f"is not the file that {LINEAGE_FILE} lists")
    except (FileNotFoundError, NotADirectoryError):
        return Finding(file=name, kind="missing", reason="is missing")
    except OSError as error:
        return Finding(file=name, kind="unreadable", reason=f"cannot be read ({error.strerror})")
    return None


def _contradictions(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    """What the models say of themselves against what the subject says of them.

    The list of files alone could be rewritten together with a file; the subject could not, as its digest is known
    outside of the bundle.
    """
    listed = f"{MODELS_FOLDER}/{VARIANTS_FILE}"
    try:
        variants = VariantSet.of(folder / MODELS_FOLDER).variants
        ModelCard.of(folder / MODELS_FOLDER)
    except EdgeloopError as error:
        yield Finding(file=Path(error.where).relative_to(folder).as_posix(), kind="unreadable", reason=error.what)
        return
    if sha256_of_file(folder / MODELS_FOLDER / CARD_FILE) != manifest.subject.card_sha256:
        file = f"{MODELS_FOLDER}/{CARD_FILE}"
        yield Finding(file=file, kind="contradiction", reason="is not the card that the subject names")
    for variant in variants:
        file = f"{MODELS_FOLDER}/{variant.file}"
        built = manifest.subject.variants.get(variant.name)
        if file not in manifest.files:
            yield Finding(file=file, kind="missing", reason=f"is named in {listed} but is not there")
        elif built is None or built.sha256 != manifest.files[file].sha256 or built.sha256 != variant.sha256:
            yield Finding(file=file, kind="contradiction", reason=f"is not the {variant.name} that the subject names")
    try:
        winner = manifest.winner.variant
    except ModelFault as error:
        yield Finding(file=LINEAGE_FILE, kind="contradiction", reason=error.what)
        return
    if winner not in {variant.name for variant in variants}:
        yield Finding(file=listed, kind="contradiction", reason=f"lacks {winner}, which was selected")
