"""The clean set: what a suite lets pass, in the layout that it came in, and beside it why the rest is not there.

    OUT/…                   the accepted samples, in the folders and under the names that they had
    OUT/quarantine.parquet  columns QUARANTINE_COLUMNS: what was left out, a row a reason

Of `yolo` the label files of the accepted pictures come along, and `data.yaml` is written anew: the same classes, and
for each split that the dataset has a list of its pictures (`train.txt` …), whatever folders or lists it had before. Of
`coco` see `edgeloop.data.clean_instances`, of `table` `edgeloop.data.clean_tables`: there, files that hold samples
beside those that are left out are written anew without these. Of `signals` the recordings stay whole, and a list says
which windows of them are left out: `edgeloop.data.left_out`.

A file is a hard link to the one it came from where the disk allows that, else a copy; never a symbolic link. Linked
files are one file under two names: who edits a picture in place edits both. OUT appears whole or not at all, and
nothing is written when the verdict is no.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from edgeloop import plugins
from edgeloop.contract import Contract
from edgeloop.data.clean_instances import write_clean_instances
from edgeloop.data.clean_recordings import write_clean_recordings
from edgeloop.data.clean_tables import write_clean_table
from edgeloop.data.dataset import Dataset, columns_of, local_path
from edgeloop.data.decision import described
from edgeloop.data.folders import OF_A_QUARANTINE
from edgeloop.data.placing import Accepted, placed, unchanged
from edgeloop.data.tables import SUFFIXES
from edgeloop.data.validation import Judgement
from edgeloop.data.verdict import Verdict
from edgeloop.errors import InputFault, translated
from edgeloop.files import copy_file, whole_folder
from edgeloop.progress import Advance, progress

if TYPE_CHECKING:
    from edgeloop.data.preparation import PrepareDataParams


class CleanSet(Contract):
    """What became of a dataset."""

    source: str
    verdict: Verdict
    reasons: dict[str, int] = Field(description="samples left out by each expectation; a sample may count for several")
    out: str | None = Field(description="where the clean set lies; null when nothing was written")
    linked: int = Field(default=0, description="files that are hard links")
    copied: int = Field(default=0, description="files that are copies, or hold fewer samples than before")


def refuse_place(out: Path, source: Path) -> None:
    """Refuses to write to `out` what is read from `source`.

    Raises:
        InputFault: It is a file, a link, or a folder with something in it, or it lies in the folder of the data; a file
            of rows is all of its data, so `out` may lie beside it.
    """
    if out.is_symlink():
        raise InputFault("is a link", where=str(out), fix="name a folder that does not exist yet")
    if out.exists() and not out.is_dir():
        raise InputFault("is a file", where=str(out), fix="name a folder that does not exist yet")
    given, place = source.resolve(), out.resolve()
    root = given.parent if given.is_file() else given
    root = root.parent if given.is_file() and root.name == "annotations" else root  # of a COCO dataset
    is_all = given.is_file() and given.suffix.lower() in SUFFIXES
    if not is_all and place.is_relative_to(root):
        raise InputFault(f"lies inside {root}", where=str(out), fix="name a folder outside the data")
    with translated(out):
        if out.is_dir() and any(out.iterdir()):
            raise InputFault("is not empty", where=str(out), fix="name a folder that does not exist yet")


def refuse_source(source: str) -> None:
    """Raises `InputFault` where no clean set of a source can be written."""
    if source not in _WRITERS:
        raise InputFault(
            f"a clean set of the source {source} cannot be written: that of {', '.join(sorted(_WRITERS))} can",
            where="edgeloop data quarantine",
            fix="see the counts with --dry-run, and leave the samples out with validate_data.on_fault: quarantine",
        )


def left_out(validation: Path, verdict: Verdict) -> dict[str, int]:
    """How many samples each expectation leaves out, the most first."""
    rows = columns_of(validation / OF_A_QUARANTINE, ["id", "expectation"])
    says = {described(result): result.says for result in verdict.expectations if result.status == "fail"}
    pairs = set(zip(rows["expectation"], rows["id"], strict=True))
    counts = Counter(says.get(expectation) or expectation for expectation, _ in pairs)
    return dict(sorted(counts.items(), key=lambda counted: (-counted[1], counted[0])))


def quarantine(
    preparation: "PrepareDataParams",
    *,
    out: Path,
    workdir: Path,
    suite: Path | None = None,
    environment: str = "training",
    max_quarantined: float | None = None,
    dry_run: bool = False,
) -> CleanSet:
    """Writes the clean set of what a source reads.

    Args:
        preparation: How it is read.
        out: Folder to write; it must not exist yet, or be empty.
        workdir: For what is thrown away.
        suite: None for the one that is shipped for the kind of its samples.
        environment: One of `edgeloop.data.suite.ENVIRONMENTS`.
        max_quarantined: Share of the samples that may be left out; None for the default.
        dry_run: Count only.

    Raises:
        InputFault: `out` cannot be written, or no clean set of this source can.
        EdgeloopError: As `judge`.
    """
    from edgeloop.data.validation import judge

    if not dry_run:
        refuse_source(preparation.source)
    if preparation.path is not None:
        refuse_place(out, preparation.path)
    judgement = judge(
        preparation,
        workdir=workdir,
        suite=suite,
        environment=environment,
        on_fault="quarantine",
        max_quarantined=max_quarantined,
    )
    reasons = left_out(workdir / "validation", judgement.verdict)
    if dry_run or judgement.verdict.status != "pass":
        return CleanSet(source=judgement.source, verdict=judgement.verdict, reasons=reasons, out=None)
    return _written(judgement, preparation, out, workdir=workdir, reasons=reasons)


def _written(
    judgement: Judgement, preparation: "PrepareDataParams", out: Path, *, workdir: Path, reasons: Mapping[str, int]
) -> CleanSet:
    assert preparation.path is not None
    path, writer = preparation.path.expanduser().absolute(), _WRITERS[judgement.source]
    samples = Dataset(workdir / "dataset", workdir / "validation").samples
    with whole_folder(out.absolute()) as folder, progress("quarantine", len(samples)) as advance:
        files = writer(Accepted(samples, path, preparation.options), folder, advance)
        copy_file(workdir / "validation" / OF_A_QUARANTINE, folder / OF_A_QUARANTINE)
    return CleanSet(
        source=judgement.source,
        verdict=judgement.verdict,
        reasons=dict(reasons),
        out=str(out),
        linked=sum(files),
        copied=len(files) - sum(files),
    )


def _image_folder(accepted: Accepted, folder: Path, advance: Advance) -> list[bool]:
    """The pictures under the names that they had; whether each is a link."""
    files = []
    for sample in accepted.samples:
        source = unchanged(sample)
        files.append(placed(source, folder / source.relative_to(accepted.path)))
        advance(1, "")
    return files


def _yolo(accepted: Accepted, folder: Path, advance: Advance) -> list[bool]:
    """Pictures, their label files, lists of both and `data.yaml`; whether each file that was there before is a link."""
    import yaml

    from edgeloop.data.yolo_description import description_of

    description = _yolo_description(accepted.path.resolve())
    root, files = description.parent, []
    for sample in accepted.samples:
        source = unchanged(sample)
        label = _yolo_label(source.relative_to(root))
        files.append(placed(source, folder / source.relative_to(root)))
        if (root / label).is_file():
            files.append(placed(root / label, folder / label))
        advance(1, "")
    lists = _yolo_lists(accepted.path, {sample.id for sample in accepted.samples})
    for split, pictures in lists.items():
        (folder / f"{split}.txt").write_text("".join(f"./{name}\n" for name in pictures), encoding="utf-8")
    values: dict[str, object] = {split: f"{split}.txt" for split in lists}
    values["names"] = dict(description_of(description).names)
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    (folder / "data.yaml").write_text(text, encoding="utf-8")
    return files


def _yolo_description(path: Path) -> Path:
    """`data.yaml`, or the one YAML file that stands in its place."""
    if path.is_file():
        return path
    usual = path / "data.yaml"
    return usual if usual.exists() else next(e for e in path.iterdir() if e.suffix.lower() in (".yaml", ".yml"))


def _yolo_label(picture: Path) -> Path:
    """Where the labels of a picture lie: the last folder `images` is called `labels`."""
    parts = list(picture.parts)
    places = [place for place, name in enumerate(parts[:-1]) if name == "images"]
    if places:
        parts[places[-1]] = "labels"
    return Path(*parts).with_suffix(".txt")


def _yolo_lists(path: Path, accepted: set[str]) -> dict[str, list[str]]:
    """The accepted pictures of each split that the dataset itself has; one in two splits is in both, as it was."""
    source = plugins.load("sources", "yolo")
    lists: dict[str, list[str]] = {}
    for sample in source.samples(path, source.options()):
        several = sample.metadata.get("splits")
        for split in several.split() if several else [sample.split] if sample.split else []:
            if sample.id in accepted:
                name = local_path(sample.uri or "")
                assert name is not None
                root = _yolo_description(path.resolve()).parent
                lists.setdefault(split, []).append(name.relative_to(root).as_posix())
    return {split: sorted(lists[split]) for split in sorted(lists)}


_WRITERS: Mapping[str, Callable[[Accepted, Path, Advance], list[bool]]] = {
    "coco": write_clean_instances,
    "image_folder": _image_folder,
    "signals": write_clean_recordings,
    "table": write_clean_table,
    "yolo": _yolo,
}
