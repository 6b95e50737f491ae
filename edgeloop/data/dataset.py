"""The canonical dataset: what `prepare_data` writes and every later step reads.

A dataset is a folder:

    index.parquet   one row a sample, sorted by id, columns INDEX_COLUMNS
    features.parquet one row a sample, sorted by id: what validation and drift look at: `id`, `split`, columns
                     of the plug-in of `edgeloop.data.features` that the card names; null where it cannot be read
    reference.parquet at most REFERENCE_ROWS feature rows of train, which travel with the model for drift
    dataset.json    DatasetCard
    shards/         packed samples, where a source has no files of its own

A validation is a folder beside it, written by `validate_data`: which samples may be used (`accepted.parquet`, one
column `id`), which may not (`quarantine.parquet`), and why (`verdict.json`).

A uri is absolute (`file:///…`, anything fsspec opens) or relative to the dataset folder; `zip://MEMBER::ARCHIVE` is a
member of a shard. The bytes that a uri gives are checked against the sample's sha256 at every read.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from pydantic import Field

from edgeloop.canonical import canonical_json, sha256_of_bytes
from edgeloop.contract import Contract
from edgeloop.data.governance import Governance
from edgeloop.data.storage import content_at
from edgeloop.errors import DataFault, translated
from edgeloop.plugins import missing_extra

SPLITS = ("train", "val", "test")

_DIGESTED = 1 << 12

INDEX_COLUMNS = ("id", "uri", "sha256", "split", "label", "group", "boxes", "metadata", "time", "error")
"""All text; null where there is none, `sha256` only where `error` is not. `boxes` and `metadata` are canonical JSON: a
list of `[label, left, top, width, height]`, and a mapping."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of the index."""

    id: str
    uri: str
    sha256: str | None
    split: str
    label: str | None
    group: str | None = None
    boxes: str | None = None
    metadata: str | None = None
    time: str | None = None
    error: str | None = None


def classes_in(sample: Sample) -> tuple[str, ...]:
    """The classes that a sample shows, sorted: its label, or those of its boxes; the empty name where it has none."""
    if sample.boxes is None:
        return (sample.label or "",)
    return tuple(sorted({str(box[0]) for box in json.loads(sample.boxes)})) or ("",)


class DatasetCard(Contract):
    """What a dataset is, without its samples."""

    format: int = 1
    source: str
    kind: str = Field(default="image", description="what its samples are: plug-in of edgeloop.data.features")
    name: str
    classes: tuple[str, ...] = Field(description="sorted; the position is the class index of the model")
    counts: dict[str, int] = Field(description="samples in each split, readable or not")
    digests: dict[str, str] = Field(
        description="of each split: ids, sha256, labels and all else that is known of its samples"
    )
    unreadable: int = Field(description="samples with an error")
    governance: Governance = Governance()


def samples_digest(samples: Sequence[Sample]) -> str:
    """Over what the samples are, not where they lie or in which order they came."""
    told = sorted(
        [s.id, *(x or "" for x in (s.sha256, s.label, s.group, s.boxes, s.metadata, s.time))] for s in samples
    )
    hashed = hashlib.sha256(b"[")  # as of the whole list, whose text would be a third of what the samples take
    for start in range(0, len(told), _DIGESTED):
        hashed.update(b"," if start else b"")
        hashed.update(canonical_json(told[start : start + _DIGESTED])[1:-1])
    hashed.update(b"]")
    return f"sha256:{hashed.hexdigest()}"


@dataclass(frozen=True)
class Dataset:
    """An opened dataset; rows are read once, samples on demand.

    Args:
        folder: What `prepare_data` wrote.
        validation: What `validate_data` wrote; with it only accepted samples are seen.
    """

    folder: Path
    validation: Path | None = None
    _archives: dict[Path, zipfile.ZipFile] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def card(self) -> DatasetCard:
        """The dataset's card."""
        return DatasetCard.read(self.folder / "dataset.json")

    @cached_property
    def rows(self) -> tuple[Sample, ...]:
        """All samples of the index, unusable ones too, sorted by id."""
        return tuple(read_index(self.folder))

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """All usable samples, sorted by id: readable, and accepted where a validation was given."""
        rows = [s for s in self.rows if s.error is None]
        if self.validation is None:
            return tuple(rows)
        accepted = set(columns_of(self.validation / "accepted.parquet", ["id"])["id"])
        return tuple(s for s in rows if s.id in accepted)

    def split(self, name: str) -> tuple[Sample, ...]:
        """The usable samples of one split, sorted by id."""
        return tuple(s for s in self.samples if s.split == name)

    def class_index(self, sample: Sample) -> int:
        """The position of the sample's label among the classes."""
        return self.card.classes.index(sample.label or "")

    def content(self, sample: Sample) -> bytes:
        """The bytes of a sample, as they were when the dataset was prepared.

        Raises:
            DataFault: They are gone or have changed since.
        """
        content = self._fetched(sample)
        if sha256_of_bytes(content) != sample.sha256:
            raise DataFault("has changed since prepare_data", where=sample.uri, fix="run prepare_data again")
        return content

    def contents(self, samples: Sequence[Sample]) -> Iterator[bytes]:
        """The bytes of many samples, in their order."""
        return (self.content(sample) for sample in samples)

    def _fetched(self, sample: Sample) -> bytes:
        uri = sample.uri
        if uri.startswith("zip://"):
            member, _, archive = uri.removeprefix("zip://").partition("::")
            return self._unpacked(member, self.folder / archive)
        local = local_path(uri)
        if local is None:
            return content_at(uri, sha256=sample.sha256)
        path = self.folder / local
        with translated(path):
            return path.read_bytes()

    def _unpacked(self, member: str, path: Path) -> bytes:
        try:
            with translated(path):
                if path not in self._archives:
                    self._archives[path] = zipfile.ZipFile(path)
                return self._archives[path].read(member)
        except (zipfile.BadZipFile, KeyError) as error:  # KeyError: no such member
            raise DataFault("the shard is damaged", where=str(path), fix="run prepare_data again") from error


def local_path(uri: str) -> Path | None:
    """The file that a uri names, or None where it lies on no disk of this machine."""
    if uri.startswith("file:///") and "?" not in uri and "#" not in uri:  # as nearly all are: no parsing
        return Path(os.fsdecode(unquote_to_bytes(uri[len("file://") :])))
    parsed = urlsplit(uri)
    return Path(os.fsdecode(unquote_to_bytes(parsed.path))) if parsed.scheme in ("", "file") else None


def read_index(folder: Path) -> list[Sample]:
    """All rows of the index, unreadable ones too, sorted by id."""
    columns = columns_of(folder / "index.parquet", list(INDEX_COLUMNS))
    rows = zip(*(columns[name] for name in INDEX_COLUMNS), strict=True)
    return [Sample(**dict(zip(INDEX_COLUMNS, row, strict=True))) for row in rows]


def write_index(samples: Sequence[Sample], folder: Path) -> None:
    """Writes `index.parquet`; the samples are sorted by id."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    columns = {name: [getattr(s, name) for s in samples] for name in INDEX_COLUMNS}
    schema = pa.schema([(name, pa.string()) for name in INDEX_COLUMNS])
    with translated(folder):
        parquet.write_table(pa.table(columns, schema=schema), folder / "index.parquet")


def columns_of(path: Path, names: list[str]) -> dict[str, list[Any]]:
    """Columns of a Parquet file by name.

    Raises:
        InputFault: There is no such file.
        DataFault: It is damaged or lacks a column.
        MissingExtra: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as parquet
    except ModuleNotFoundError as error:
        raise missing_extra(error, "data") from error
    try:
        with translated(path):
            # read_table and to_pydict import pandas, which costs every step half a second
            table = parquet.ParquetFile(path).read(columns=names)
            columns: dict[str, list[Any]] = {name: table.column(name).to_pylist() for name in names}
            return columns
    except (pa.ArrowException, KeyError) as error:  # KeyError: a column that is not there
        raise DataFault(
            "is not a readable Parquet file", where=str(path), fix="run the step that writes it again"
        ) from error
