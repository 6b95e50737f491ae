"""prepare_data: from what the user has to the canonical dataset.

A bad sample neither stops the step nor disappears: its row says why it cannot be used. What stops the step is a dataset
that nothing can be learned from: none, a class with too few samples, a split without any.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator, model_validator

from edgeloop import plugins
from edgeloop.canonical import canonical_json
from edgeloop.contract import Contract, parsed, whole_numbers
from edgeloop.data.boxes import is_unknown
from edgeloop.data.dataset import SPLITS, DatasetCard, Sample, samples_digest, write_index
from edgeloop.data.feature_table import FEATURES_FILE, write_features
from edgeloop.data.governance import Governance, refuse_forbidden
from edgeloop.data.profile import REFERENCE_ROWS, REFERENCE_SPLIT
from edgeloop.data.shards import Shards
from edgeloop.data.sources import RawSample
from edgeloop.data.storage import View, view_of
from edgeloop.errors import DataFault
from edgeloop.files import whole_folder
from edgeloop.progress import counted

if TYPE_CHECKING:
    from edgeloop.data.features import Features, Value
    from edgeloop.data.observation import Observations


class SplitShares(Contract):
    """The share of each split; together they are 1."""

    train: float = Field(default=0.7, gt=0, lt=1)
    test: float = Field(default=0.2, gt=0, lt=1)
    val: float = Field(default=0.1, gt=0, lt=1)

    @model_validator(mode="after")
    def _whole(self) -> "SplitShares":
        if abs(self.train + self.test + self.val - 1) > 1e-9:
            raise ValueError(f"train + test + val is {self.train + self.test + self.val:g}, not 1")
        return self


class PrepareDataParams(Contract):
    """Section `prepare_data`."""

    source: str = Field(default="digits", description="plug-in of edgeloop.data.sources")
    path: Path | None = Field(default=None, description="folder or file of the source; digits needs none")
    url: str | None = Field(
        default=None,
        max_length=2000,
        description="instead of path: any address that fsspec opens, such as s3://bucket/data",
    )
    options: dict[str, Any] = Field(default_factory=dict, description="of the source, see its documentation")
    split: SplitShares = SplitShares()
    split_by: Literal["class", "time", "given"] = Field(
        default="class",
        description="stratified by class and drawn by the seed; train first and test last in time; or the source's own",
    )
    governance: Governance = Governance()
    seed: int = Field(default=0, ge=0, lt=2**32, description="of the split")
    min_class_samples: int = Field(
        default=10, ge=3, description="a class with fewer samples, or pictures that show it, is refused"
    )

    @model_validator(mode="after")
    def _one_place(self) -> "PrepareDataParams":
        if self.path is not None and self.url is not None:
            raise ValueError("path and url both say where the data lies; leave one of them out")
        return self

    @field_validator("options")
    @classmethod
    def _integral(cls, options: dict[str, Any]) -> dict[str, Any]:
        return whole_numbers(options)


def prepare(params: PrepareDataParams, *, dataset: Path, profile: Path) -> DatasetCard:
    """Reads the source and writes the canonical dataset and its profile.

    The same samples give the same split, digests and card, wherever they lie and in whatever order they come. Contents
    that a source gives instead of a uri are packed into shards as they come, so memory does not grow with them.

    Args:
        params: Section `prepare_data`; a relative path starts at the current folder.
        dataset: Folder to write.
        profile: JSON file to write, see `edgeloop.data.profile`.

    Raises:
        DataFault: The source is missing, empty or of another format; a class has fewer readable samples than
            `min_class_samples`; a split would have none.
        GateRefused: Its owner forbids to learn from it, or no longer allows it.
    """
    from edgeloop.data.observation import observed
    from edgeloop.data.profile import profile_of

    where = str(params.url or params.path or params.source)
    refuse_forbidden(params.governance, today=date.today(), where=where)
    kind: str = plugins.load("sources", params.source).kind
    features: Features = plugins.load("features", kind)
    with whole_folder(dataset) as folder:
        with _view(params) as view:
            here = _listed(params, view.path, folder)
            observations = observed(here, features)
            raw = [_at_home(sample, view) for sample in here] if view.address else here
        _refuse_small_classes(raw, observations, params.min_class_samples, where)
        samples = _samples(raw, observations, _splits(raw, observations, params))
        _refuse_empty_splits(samples, where)
        columns = features.described(row for row in observations.features() if row is not None)
        card = _card(params, kind, raw, samples)
        write_index(samples, folder)
        write_features(columns, samples, observations.features(), folder / FEATURES_FILE)
        write_features(columns, *_reference(samples, observations), folder / "reference.parquet")
        card.write(folder / "dataset.json")
        described = profile_of(samples, folder / FEATURES_FILE)
    described.write(profile)
    return card


def _at_home(sample: RawSample, view: View) -> RawSample:
    return replace(sample, uri=view.uri_of(sample.uri))


@contextmanager
def _view(params: PrepareDataParams) -> Iterator[View]:
    """The place that the source reads; what lies elsewhere is fetched for the length of the block."""
    if params.url is not None:
        with view_of(params.url) as view:
            yield view
    else:
        yield View(path=None if params.path is None else params.path.expanduser().absolute(), address="")


def _listed(params: PrepareDataParams, path: Path | None, folder: Path) -> list[RawSample]:
    """All samples of the source, sorted by id; their contents are packed into `folder`."""
    source = plugins.load("sources", params.source)
    options = parsed(source.options, params.options, where="prepare_data.options")
    with Shards(folder) as shards:
        came = [_put_aside(sample, shards) for sample in counted(source.samples(path, options), "prepare_data")]
    raw = sorted(came, key=lambda sample: sample.id)
    if not raw:
        where = str(params.url or path or params.source)
        raise DataFault("holds no sample", where=where, fix="add samples or choose another path")
    for one, next_one in pairwise(raw):
        if one.id == next_one.id:
            raise DataFault(f"the id {one.id!r} occurs twice", where=params.source, fix="give every sample its own id")
    return raw


def _put_aside(sample: RawSample, shards: Shards) -> RawSample:
    if sample.content is None:
        return sample
    return replace(sample, content=None, packed=shards.packed(sample.id, sample.content))


def _classes(sample: RawSample) -> tuple[str, ...]:
    """What it is a sample of: its label, or the classes of its boxes; a number without a name is none."""
    if sample.boxes is None:
        return () if sample.label is None else (sample.label,)
    return tuple(sorted({box.label for box in sample.boxes if not is_unknown(box.label)}))


def _refuse_small_classes(raw: Sequence[RawSample], observations: "Observations", minimum: int, where: str) -> None:
    readable = Counter({name: 0 for sample in raw for name in _classes(sample)})
    usable = (sample for sample, error in zip(raw, observations.errors, strict=True) if error is None)
    readable.update(name for sample in usable for name in _classes(sample))
    small = sorted((n, name) for name, n in readable.items() if n < minimum)
    if small:
        count, label = small[0]
        more = f" (and {len(small) - 1} more classes like it)" if len(small) > 1 else ""
        unread = _unread(raw, observations.errors)
        raise DataFault(
            f"class {label!r} has {count} readable samples, fewer than {minimum}{more}{unread}",
            where=where,
            fix="add samples, remove the class, or lower prepare_data.min_class_samples",
        )


def _unread(samples: Sequence[RawSample | Sample], errors: Sequence[str | None]) -> str:
    """How many samples cannot be read and why the first of them: what is missing may stand there; empty for none."""
    reasons = [(s.id, error) for s, error in zip(samples, errors, strict=True) if error is not None]
    if not reasons:
        return ""
    sample_id, reason = reasons[0]
    return f"; {len(reasons)} cannot be read, the first, {sample_id}: {reason}"


def _splits(raw: Sequence[RawSample], observations: "Observations", params: PrepareDataParams) -> list[str]:
    from edgeloop.data.splitting import Member, assigned_splits, given_splits, splits_in_time

    members = [
        Member(
            content=sha256 or sample.id,
            label=sample.label,
            group=sample.group,
            readable=error is None,
            shown=() if sample.boxes is None else _classes(sample),
        )
        for sample, sha256, error in zip(raw, observations.digests, observations.errors, strict=True)
    ]
    if params.split_by == "given":
        return given_splits([(sample.id, sample.split) for sample in raw])
    if params.split_by == "time":
        return splits_in_time(members, [(sample.id, sample.time) for sample in raw], params.split.values())
    return assigned_splits(members, params.split.values(), seed=params.seed)


def _refuse_empty_splits(samples: Sequence[Sample], where: str) -> None:
    readable = [sample for sample in samples if sample.error is None]
    counts = Counter(sample.split for sample in readable)
    contents = len({sample.sha256 for sample in readable})
    alike = f": {len(readable)} samples have {contents} contents, and equal ones stay together"
    for split in SPLITS:
        if not counts[split]:
            raise DataFault(
                f"the split {split} would have no readable sample{alike if contents < len(readable) else ''}"
                f"{_unread(samples, [sample.error for sample in samples])}",
                where=where,
                fix="add samples or smaller groups",
            )


def _samples(raw: Sequence[RawSample], observations: "Observations", splits: Sequence[str]) -> list[Sample]:
    """The rows of the index."""
    return [
        Sample(
            id=sample.id,
            uri=sample.packed.uri if sample.packed else sample.uri or "",
            sha256=sha256,
            split=split,
            label=sample.label,
            group=sample.group,
            boxes=None if sample.boxes is None else _json([astuple(box) for box in sample.boxes]),
            metadata=_json(dict(sample.metadata)) if sample.metadata else None,
            time=sample.time,
            error=error,
        )
        for sample, sha256, error, split in zip(raw, observations.digests, observations.errors, splits, strict=True)
    ]


def _json(value: Any) -> str:
    return canonical_json(value).decode()


def _card(params: PrepareDataParams, kind: str, raw: Sequence[RawSample], samples: Sequence[Sample]) -> DatasetCard:
    by_split = {name: [s for s in samples if s.split == name] for name in SPLITS}
    return DatasetCard(
        source=params.source,
        kind=kind,
        name=f"{params.source}-{samples_digest(samples).removeprefix('sha256:')[:12]}",
        classes=tuple(sorted({name for sample in raw for name in _classes(sample)})),
        counts={name: len(members) for name, members in by_split.items()},
        digests={name: samples_digest(members) for name, members in by_split.items()},
        unreadable=sum(s.error is not None for s in samples),
        governance=params.governance,
    )


def _reference(
    samples: Sequence[Sample], observations: "Observations"
) -> tuple[list[Sample], list["Mapping[str, Value] | None"]]:
    """Readable samples of the reference split: all, or REFERENCE_ROWS of them spread over the order of their ids."""
    places = [place for place, sample in enumerate(samples) if sample.split == REFERENCE_SPLIT and sample.error is None]
    chosen = set(places[:: -(-len(places) // REFERENCE_ROWS)] if places else places)
    rows = [row for place, row in enumerate(observations.features()) if place in chosen]
    return [samples[place] for place in sorted(chosen)], rows
