"""The clean set: only what passed, in its own layout, and nothing anywhere else."""

import os
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from edgeloop import plugins
from edgeloop.data import quarantine as cleaning
from edgeloop.data.preparation import PrepareDataParams
from edgeloop.data.quarantine import CleanSet, placed, quarantine, refuse_place
from edgeloop.data.recognition import recognised
from edgeloop.errors import InputFault


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
    monkeypatch.setattr(cleaning, "sha256_of_file", lambda path: "0" * 64)
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


def test_a_file_or_a_link_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    with pytest.raises(InputFault, match="is a file"):
        refuse_place(tmp_path / "file", tmp_path / "in")
    with pytest.raises(InputFault, match="is a link"):
        refuse_place(tmp_path / "link", tmp_path / "in")


def test_a_source_that_cannot_be_written_is_refused_by_name(tmp_path):
    params = PrepareDataParams(source="signals", path=tmp_path)
    with pytest.raises(InputFault, match="a clean set of the source signals cannot be written"):
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
