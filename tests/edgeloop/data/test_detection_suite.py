"""The shipped suite for detection sets, run by Great Expectations: many faults at once, and what they lead to.

Each fault alone is in tests/benchmarks/test_faults.py.
"""

import shutil
from pathlib import Path

import pytest

from benchmarks.faults.detection import (
    OF_ONE_PICTURE,
    PICTURES,
    add_label,
    blank_picture,
    darken_picture,
    empty_labels,
    remove_labels,
    write_coco,
    write_picture,
    write_yolo,
)
from edgeloop.data.dataset import Dataset
from edgeloop.data.preparation import PrepareDataParams, prepare
from edgeloop.data.validation import ValidateDataParams, validate
from edgeloop.data.verdict import Verdict

pytestmark = pytest.mark.slow  # the library takes seconds to import

SUITE = Path(__file__).parents[3] / "suites/detection.json"


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 pictures of 64 x 48 pixels, each with an object in its middle."""
    return write_yolo(tmp_path_factory.mktemp("clean") / "set")


@pytest.fixture
def root(clean: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(clean, tmp_path / "set"))


def prepared(path: Path, work: Path, source: str = "yolo") -> Path:
    prepare(PrepareDataParams(source=source, path=path), dataset=work / "dataset", profile=work / "profile.json")
    return work


def judged(work: Path, **params) -> Verdict:
    return validate(
        ValidateDataParams(suite=SUITE, **params),
        dataset=work / "dataset",
        profile=work / "profile.json",
        validation=work / "validation",
        report=work / "report.html",
    )


def missed(verdict: Verdict, *severities: str) -> dict[str, tuple[str, ...]]:
    """The ids that each expectation of those severities names, by its column."""
    found = [r for r in verdict.expectations if r.status != "pass" and r.severity in severities]
    return {result.column or "": result.first_ids for result in found}


def named(verdict: Verdict) -> dict[str, set[tuple[str, str]]]:
    """The severity and column of every expectation that names a picture."""
    found: dict[str, set[tuple[str, str]]] = {}
    for result in verdict.expectations:
        for sample_id in result.first_ids:
            found.setdefault(sample_id, set()).add((result.severity, result.column or ""))
    return found


@pytest.fixture(scope="module")
def spoiled(clean: Path, tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    """The verdict on a set with each fault of one picture in that of its number, and files without their others."""
    work = tmp_path_factory.mktemp("spoiled")
    root = Path(shutil.copytree(clean, work / "set"))
    for number, (plant, _) in enumerate(OF_ONE_PICTURE.values()):
        plant(root, f"{number:02d}")
    write_picture(root / "images/31.bmp", 901)
    (root / "labels/lost.txt").write_text("0 0.5 0.5 0.25 0.25\n")
    return judged(prepared(root, work))


@pytest.mark.parametrize("fault", OF_ONE_PICTURE)
def test_many_faults_at_once_are_each_said_of_their_own_picture(spoiled, fault):
    said = {(severity, column) for column, severity in OF_ONE_PICTURE[fault][1]}
    found = named(spoiled)[f"images/{list(OF_ONE_PICTURE).index(fault):02d}.png"]
    assert {(severity, column) for severity, column in found if severity != "info"} | (said & found) == said


@pytest.mark.parametrize("sample", ["images/31.png", "images/31.bmp"])
def test_labels_that_two_pictures_share_are_a_fault_of_both(spoiled, sample):
    assert named(spoiled)[sample] == {("critical", "label_faults")}


def test_a_label_file_without_a_picture_is_caught(spoiled):
    assert named(spoiled)["labels/lost.txt"] == {("critical", "readable"), ("warning", "objects")}


def test_nothing_is_said_of_any_other_picture(spoiled):
    spoilt = {f"images/{number:02d}.png" for number in range(len(OF_ONE_PICTURE))}
    spoilt |= {"images/31.png", "images/31.bmp", "labels/lost.txt"}
    assert (set(named(spoiled)), spoiled.status) == (spoilt, "fail")


def test_lesser_faults_stop_nothing(root, tmp_path):
    for number, plant in enumerate((remove_labels, blank_picture, darken_picture)):
        plant(root, f"{number:02d}")
    verdict = judged(prepared(root, tmp_path / "work"))
    assert (verdict.status, verdict.worst, verdict.quarantined) == ("pass", "warning", 0)


@pytest.mark.parametrize("labels", [True, False], ids=["empty labels", "no labels"])
def test_a_set_without_any_object_is_critical(root, tmp_path, labels):
    shutil.rmtree(root / "labels")
    for number in range(PICTURES if labels else 0):
        (root / "labels").mkdir(exist_ok=True)
        empty_labels(root, f"{number:02d}")
    assert list(missed(judged(prepared(root, tmp_path / "work")), "critical")) == ["objects"]


def test_a_clean_set_raises_nothing(clean, tmp_path):
    verdict = judged(prepared(clean, tmp_path))
    assert (verdict.status, verdict.worst, sum(verdict.accepted.values())) == ("pass", None, PICTURES)


def test_a_clean_set_of_the_other_format_raises_nothing(tmp_path):
    verdict = judged(prepared(write_coco(tmp_path / "set"), tmp_path / "work", source="coco"))
    assert (verdict.status, verdict.worst) == ("pass", None)


def test_a_faulty_sample_is_left_out_under_quarantine(root, tmp_path):
    add_label("0 0.5")(root, "00")
    work = prepared(root, tmp_path / "work")
    assert judged(work, on_fault="quarantine").status == "pass"
    seen = {sample.id for sample in Dataset(work / "dataset", work / "validation").samples}
    assert len(seen) == PICTURES - 1
    assert "images/00.png" not in seen


def test_unlabelled_pictures_to_be_served_raise_nothing(root, tmp_path):
    shutil.rmtree(root / "labels")
    verdict = judged(prepared(root, tmp_path / "work"), environment="serving")
    assert (verdict.status, verdict.worst) == ("pass", None)
