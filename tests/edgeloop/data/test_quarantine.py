"""The clean set: only what passed, in its own layout, and nothing anywhere else."""

import json
import math
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from benchmarks.faults.windows import LENGTH, OPTIONS, readings, write_csv, write_signals
from edgeloop import plugins
from edgeloop.data import placing
from edgeloop.data.decision import QUARANTINE_COLUMNS
from edgeloop.data.placing import placed
from edgeloop.data.preparation import PrepareDataParams
from edgeloop.data.quarantine import CleanSet, quarantine, refuse_place
from edgeloop.data.recognition import recognised
from edgeloop.data.table_schema import table_files
from edgeloop.data.validation import judge
from edgeloop.errors import DataFault, InputFault


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def clean(pictures: Path, out: Path, work: Path, **options) -> CleanSet:
    return quarantine(PrepareDataParams(source="image_folder", path=pictures), out=out, workdir=work, **options)


@pytest.mark.slow  # Great Expectations takes seconds to import
def test_the_clean_set_has_the_same_layout_without_what_is_at_fault(pictures, tmp_path):
    (pictures / "cat/bad.png").write_bytes(b"rubbish")
    before = names(pictures)
    made = clean(pictures, tmp_path / "clean", tmp_path / "work")
    assert names(tmp_path / "clean") == before - {"cat/bad.png"} | {"quarantine.parquet"}
    assert (made.linked, made.copied, made.out) == (47, 0, str(tmp_path / "clean"))
    assert made.reasons == {"every picture can be decoded": 1}
    assert names(pictures) == before
    (row,) = parquet.read_table(tmp_path / "clean/quarantine.parquet").to_pylist()
    assert (row["id"], row["severity"]) == ("cat/bad.png", "critical")
    assert recognised(tmp_path / "clean").source == "image_folder"


@pytest.mark.slow
def test_nothing_is_written_when_the_verdict_is_no(pictures, tmp_path):
    for number in range(10):
        (pictures / f"cat/bad{number}.png").write_bytes(b"rubbish %d" % number)
    made = clean(pictures, tmp_path / "clean", tmp_path / "work")
    assert (made.verdict.status, made.out) == ("fail", None)
    assert not (tmp_path / "clean").exists()


@pytest.mark.slow
def test_a_dry_run_counts_and_writes_nothing(pictures, tmp_path):
    (pictures / "cat/bad.png").write_bytes(b"rubbish")
    made = clean(pictures, tmp_path / "clean", tmp_path / "work", dry_run=True)
    assert (made.verdict.quarantined, made.out) == (1, None)
    assert not (tmp_path / "clean").exists()


@pytest.mark.slow
def test_a_link_within_the_dataset_becomes_a_file(pictures, tmp_path):
    (pictures / "cat/again.png").symlink_to(pictures / "cat/01.png")
    clean(pictures, tmp_path / "clean", tmp_path / "work")
    assert not any(path.is_symlink() for path in (tmp_path / "clean").rglob("*"))
    assert (tmp_path / "clean/cat/again.png").read_bytes() == (pictures / "cat/01.png").read_bytes()


@pytest.mark.slow
def test_a_picture_that_changes_meanwhile_is_refused(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(placing, "sha256_of_file", lambda path: "0" * 64)
    with pytest.raises(InputFault, match="has changed meanwhile"):
        clean(pictures, tmp_path / "clean", tmp_path / "work")
    assert not (tmp_path / "clean").exists()


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    with pytest.raises(InputFault, match="is not empty"):
        refuse_place(tmp_path / "out", tmp_path / "in")


def test_a_folder_inside_the_data_is_refused(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "also").symlink_to(tmp_path / "in")
    for inside in (tmp_path / "in/out", tmp_path / "in", tmp_path / "also/out", tmp_path / "in/../in/out"):
        with pytest.raises(InputFault, match="lies inside"):
            refuse_place(inside, tmp_path / "in")


def test_a_folder_beside_a_table_is_not_inside_it(tmp_path):
    (tmp_path / "a.csv").write_text("x\n")
    refuse_place(tmp_path / "clean", tmp_path / "a.csv")


def test_a_folder_beside_the_annotations_is_inside_the_data(tmp_path):
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/a.json").write_text("{}")
    with pytest.raises(InputFault, match="lies inside"):
        refuse_place(tmp_path / "clean", tmp_path / "annotations/a.json")


def test_a_file_or_a_link_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    with pytest.raises(InputFault, match="is a file"):
        refuse_place(tmp_path / "file", tmp_path / "in")
    with pytest.raises(InputFault, match="is a link"):
        refuse_place(tmp_path / "link", tmp_path / "in")


def test_a_source_that_cannot_be_written_is_refused_by_name(tmp_path):
    params = PrepareDataParams(source="digits", path=tmp_path)
    with pytest.raises(InputFault, match="a clean set of the source digits cannot be written"):
        quarantine(params, out=tmp_path / "out", workdir=tmp_path / "work")


def test_where_no_link_can_be_made_there_is_a_copy(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"picture")

    def refused(source, target):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refused)
    assert placed(tmp_path / "a", tmp_path / "b") is False
    assert (tmp_path / "b").read_bytes() == b"picture"
    assert (tmp_path / "b").stat().st_ino != (tmp_path / "a").stat().st_ino


@pytest.fixture
def boxed(tmp_path, picture):
    """Thirty pictures with a box each, in the splits train and val; one of them is rubbish."""
    root = tmp_path / "boxed"
    for number in range(30):
        split = "val" if number % 3 == 0 else "train"
        picture(root / f"images/{split}/{number:02d}.png", number, side=64)
        label = root / f"labels/{split}/{number:02d}.txt"
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text("0 0.5 0.5 0.5 0.5\n")
    (root / "images/train/01.png").write_bytes(b"rubbish")
    (root / "data.yaml").write_text(f"path: {root}\ntrain: images/train\nval: images/val\nnames: ['no']\n")
    return root


@pytest.mark.slow
def test_a_clean_yolo_set_reads_as_the_old_one_without_what_is_at_fault(boxed, tmp_path):
    params = PrepareDataParams(source="yolo", path=boxed)
    made = quarantine(params, out=tmp_path / "clean", workdir=tmp_path / "work")
    assert (made.verdict.status, made.linked) == ("pass", 58)
    source = plugins.load("sources", "yolo")

    def known(root: Path) -> dict:
        return {s.id: (s.boxes, s.split) for s in source.samples(root, source.options()) if s.error is None}

    before, after = known(boxed), known(tmp_path / "clean")
    assert (len(after), after) == (29, before)
    assert str(boxed) not in (tmp_path / "clean/data.yaml").read_text()
    assert recognised(tmp_path / "clean").source == "yolo"


@pytest.fixture
def instances(tmp_path, picture):
    """Forty pictures with a box each in two instances files; one picture of train is rubbish, and a box has no area."""
    root = tmp_path / "instances"
    for split, first in (("train", 0), ("val", 20)):
        numbers = range(first, first + 20)
        for number in numbers:
            picture(root / f"{split}/{number:02d}.png", number, side=64)
        boxes = [
            {"id": number, "image_id": number, "category_id": 1, "bbox": [1, 1, 20, 20], "segmentation": [[1, 1, 2]]}
            for number in numbers
        ]
        images = [{"id": n, "file_name": f"{n:02d}.png", "width": 64, "height": 64} for n in numbers]
        values = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "no"}], "mine": 1.50}
        (root / "annotations").mkdir(exist_ok=True)
        (root / f"annotations/instances_{split}.json").write_text(json.dumps(values))
    (root / "train/03.png").write_bytes(b"rubbish")
    return root


@pytest.mark.slow
def test_a_clean_coco_set_reads_as_the_old_one_without_what_is_at_fault(instances, tmp_path):
    params = PrepareDataParams(source="coco", path=instances)
    made = quarantine(params, out=tmp_path / "clean", workdir=tmp_path / "work")
    assert (made.verdict.status, made.linked, made.copied) == ("pass", 40, 1)
    source = plugins.load("sources", "coco")

    def known(root: Path) -> dict:
        return {s.id: (s.boxes, s.split) for s in source.samples(root, source.options()) if s.error is None}

    before, after = known(instances), known(tmp_path / "clean")
    assert (len(after), after) == (39, {name: what for name, what in before.items() if name != "train/03.png"})
    assert '"segmentation": [[1, 1, 2]]' in (tmp_path / "clean/annotations/instances_train.json").read_text()
    assert recognised(tmp_path / "clean").source == "coco"
    again = judge(PrepareDataParams(source="coco", path=tmp_path / "clean"), workdir=tmp_path / "again")
    assert again.verdict.status == "pass"


@pytest.fixture
def rows(tmp_path):
    """A folder with a CSV file of 60 rows, a Parquet file of 60, one of 20 without fault and one that is none."""
    root = tmp_path / "rows"
    (root / "deep").mkdir(parents=True)
    lines = [f"a{number};{number * 0.25}; {'xy'[number % 2]}\r\n" for number in range(60)]
    lines[7] = "a7;much; y\r\n"
    lines[9] = "a9;1\r\n"
    (root / "a.csv").write_bytes(("id;width;label\r\n" + "".join(lines)).encode("utf-8-sig"))
    for name, first, count in (("deep/b", 100, 60), ("c", 200, 20)):
        numbers = [number * 0.5 for number in range(first, first + count)]
        numbers[5] = math.inf if name == "deep/b" else 1.5
        columns = {"id": [f"{name}{n}" for n in range(count)], "width": numbers, "label": list("xy" * (count // 2))}
        parquet.write_table(pa.table(columns), root / f"{name}.parquet")
    (root / "broken.parquet").write_bytes(b"rubbish")
    return root


def digests_of(work: Path) -> dict[str, str]:
    index = parquet.read_table(work / "dataset/index.parquet", columns=["id", "sha256", "error"]).to_pylist()
    return {row["id"]: row["sha256"] for row in index if row["error"] is None}


@pytest.mark.slow
def test_a_clean_table_is_the_same_files_without_the_rows_at_fault(rows, tmp_path):
    params = PrepareDataParams(source="table", path=rows)
    made = quarantine(params, out=tmp_path / "clean", workdir=tmp_path / "work")
    assert (made.verdict.status, made.verdict.quarantined, made.linked, made.copied) == ("pass", 4, 1, 2)
    assert names(tmp_path / "clean") == {"a.csv", "deep/b.parquet", "c.parquet", "quarantine.parquet"}
    before = (rows / "a.csv").read_bytes()
    expected = before.replace(b"a7;much; y\r\n", b"").replace(b"a9;1\r\n", b"")
    assert (tmp_path / "clean/a.csv").read_bytes() == expected
    again = judge(PrepareDataParams(source="table", path=tmp_path / "clean"), workdir=tmp_path / "again")
    assert (again.verdict.status, again.verdict.samples) == ("pass", 137)
    left_out = {"a7", "deep/b5"}
    kept = {name: digest for name, digest in digests_of(tmp_path / "work").items() if name not in left_out}
    assert digests_of(tmp_path / "again") == kept


def test_a_record_of_a_quarantine_is_no_table(tmp_path):
    (tmp_path / "a.csv").write_text("x,label\n1,a\n")
    columns = {name: ["x"] for name in QUARANTINE_COLUMNS}
    parquet.write_table(pa.table(columns), tmp_path / "quarantine.parquet")
    assert [file.id for file in table_files(tmp_path)] == ["a.csv"]
    parquet.write_table(pa.table({"x": [1]}), tmp_path / "quarantine.parquet")
    assert [file.id for file in table_files(tmp_path)] == ["a.csv", "quarantine.parquet"]


@pytest.fixture
def signals(tmp_path):
    """Twenty good recordings of overlapping windows; one in which readings are missing, and one that is rubbish."""
    root = write_signals(tmp_path / "signals")
    gone = readings(2 * LENGTH, 30)
    for row in gone[:4]:
        row[1] = ""
    write_csv(root / "good/gone.csv", gone)
    (root / "worn/torn.parquet").write_bytes(b"rubbish")
    return root


OVERLAPPING = {**OPTIONS, "stride": LENGTH // 2}


@pytest.mark.slow
def test_a_clean_set_of_signals_is_whole_recordings_and_the_windows_to_pass_over(signals, tmp_path):
    params = PrepareDataParams(source="signals", path=signals, options=OVERLAPPING)
    made = quarantine(params, out=tmp_path / "clean", workdir=tmp_path / "work")
    assert (made.verdict.status, made.verdict.quarantined, made.linked, made.copied) == ("pass", 2, 21, 0)
    assert not (tmp_path / "clean/worn/torn.parquet").exists()
    again = judge(params.model_copy(update={"path": tmp_path / "clean"}), workdir=tmp_path / "again")
    assert (again.verdict.status, again.verdict.samples) == ("pass", 62)
    kept = {name: d for name, d in digests_of(tmp_path / "work").items() if name != "good/gone.csv@0000000000"}
    assert digests_of(tmp_path / "again") == kept


@pytest.mark.slow
def test_a_clean_set_of_signals_is_not_cut_otherwise(signals, tmp_path):
    params = PrepareDataParams(source="signals", path=signals, options=OVERLAPPING)
    quarantine(params, out=tmp_path / "clean", workdir=tmp_path / "work")
    other = PrepareDataParams(source="signals", path=tmp_path / "clean", options=OPTIONS)
    with pytest.raises(DataFault, match=f"cut otherwise.*stride={LENGTH // 2}"):
        judge(other, workdir=tmp_path / "again")
