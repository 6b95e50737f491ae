"""A planted fault: data that is clean but for it, and what the shipped suite has to say of it."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from edgeloop import plugins
from edgeloop.data.frame import frame_of
from edgeloop.data.preparation import PrepareDataParams, prepare
from edgeloop.data.suite import Checked, checked, in_environment, read_suite, shipped_suite

Row = dict[str, Any]
Said = Mapping[tuple[str, str], frozenset[str]]
"""What an expectation names which was not met, by its column and severity: samples by id, or columns of a table."""


def nothing(_: Any) -> None:
    """Changes nothing."""


@dataclass(frozen=True)
class Clean:
    """Clean data: a source and how it is read; `write` makes the folder that it reads, where it needs one."""

    name: str
    source: str
    write: Callable[[Path], Path] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Of its samples, see `edgeloop.data.features`."""
        return str(plugins.load("sources", self.source).kind)


@dataclass(frozen=True)
class Fault:
    """What is planted in clean data.

    Args:
        name: As people call it.
        clean: The data that it is planted in.
        ids: The samples that are at fault then, or the columns of a table.
        said: Column and severity of every expectation that has to name exactly these, the one meant for it first.
            What is mere information beside them is not counted.
        plant: Changes the folder that the source reads.
        edit: Changes rows of the index, where no source of the kind can say so: a group or split given by hand.
        prepare: More of `prepare_data` than the source and its options.
    """

    name: str
    clean: Clean
    ids: frozenset[str]
    said: tuple[tuple[str, str], ...]
    plant: Callable[[Path], object] = nothing
    edit: Callable[[Mapping[str, Row]], object] = nothing
    prepare: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a fault was found by the expectation that is meant for it, and what else is critical."""

    right: int
    missed: int
    extra: int
    also_critical: tuple[str, ...]

    @property
    def is_caught(self) -> bool:
        """Whether every id was named, no other, and nothing else is critical."""
        return self.right > 0 and not (self.missed or self.extra or self.also_critical)


def outcome_of(fault: Fault, said: Said) -> Outcome:
    """The outcome of what was said of the data with the fault in it."""
    found = said.get(fault.said[0], frozenset())
    critical = {column for column, severity in said if severity == "critical"}
    expected = {column for column, _ in fault.said}
    return Outcome(
        right=len(found & fault.ids),
        missed=len(fault.ids - found),
        extra=len(found - fault.ids),
        also_critical=tuple(sorted(critical - expected)),
    )


def said_of_fault(fault: Fault, work: Path) -> Said:
    """What the shipped suite says once the fault is planted, in an empty folder `work`."""
    return _said(fault.clean, work, plant=fault.plant, edit=fault.edit, **fault.prepare)


def said_of_clean(clean: Clean, work: Path) -> Said:
    """What the shipped suite says of clean data, in an empty folder `work`."""
    return _said(clean, work)


def _said(
    clean: Clean,
    work: Path,
    *,
    plant: Callable[[Path], object] = nothing,
    edit: Callable[[Mapping[str, Row]], object] = nothing,
    **more: Any,
) -> Said:
    path = None if clean.write is None else clean.write(work / "raw")
    if path is not None:
        plant(path)
    params = PrepareDataParams(source=clean.source, path=path, options=dict(clean.options), **more)
    prepare(params, dataset=work / "dataset", profile=work / "profile.json")
    _edit_index(work / "dataset/index.parquet", edit)
    file = shipped_suite(clean.kind)
    checks = checked(in_environment(read_suite(file), "training", where=file), frame_of(work / "dataset"), where=file)
    missed = [check for check in checks if check.result.status != "pass"]
    return {(check.result.column or "", check.result.severity): _named(check) for check in missed}


def _named(check: Checked) -> frozenset[str]:
    """The failing samples; of an expectation about the table the values that it found."""
    observed = check.result.observed
    return frozenset(check.failing_ids or (observed if isinstance(observed, list) else ()))


def _edit_index(index: Path, edit: Callable[[Mapping[str, Row]], object]) -> None:
    rows = parquet.read_table(index).to_pylist()
    edit({row["id"]: row for row in rows})
    parquet.write_table(pa.Table.from_pylist(rows, schema=parquet.read_schema(index)), index)


def in_splits(**splits: str) -> Callable[[Mapping[str, Row]], None]:
    """An edit that puts samples into splits: their ids by split, apart by blanks."""

    def edit(rows: Mapping[str, Row]) -> None:
        for split, ids in splits.items():
            for sample_id in ids.split():
                rows[sample_id]["split"] = split

    return edit


def torn(train: str, test: str) -> Callable[[Mapping[str, Row]], None]:
    """An edit that makes two samples a group and tears it apart."""

    def edit(rows: Mapping[str, Row]) -> None:
        for sample_id, split in ((train, "train"), (test, "test")):
            rows[sample_id] |= {"group": "track 7", "split": split}

    return edit


def copied(source: str, target: str) -> Callable[[Path], object]:
    """A plant that copies a file."""
    return lambda root: shutil.copyfile(root / source, root / target)
