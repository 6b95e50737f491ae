"""The shipped suite for detection sets, run by Great Expectations.

A run takes a second or two, so all faults that are of one picture are planted in one set, each in a picture of its own:
a fault is caught when its picture is named, and alone when nothing else names it.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from edgeloop.data.dataset import Dataset
from edgeloop.data.preparation import PrepareDataParams, prepare
from edgeloop.data.validation import ValidateDataParams, validate
from edgeloop.data.verdict import Verdict

pytestmark = pytest.mark.slow  # the library takes seconds to import

PICTURES = 40
SUITE = Path(__file__).parents[3] / "suites/detection.json"


def write_picture(path: Path, seed: int, *, darker: int = 1) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (48, 64), dtype=np.uint8) // darker
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 pictures of 64 x 48 pixels, each with an object in its middle."""
    root = tmp_path_factory.mktemp("clean")
    (root / "labels").mkdir()
    for number in range(PICTURES):
        write_picture(root / f"images/{number:02d}.png", number)
        (root / f"labels/{number:02d}.txt").write_text(f"{number % 2} 0.5 0.5 0.25 0.25\n")
    (root / "data.yaml").write_text("names: [sign, light]\n")
    return root


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


def add_label(line: str) -> Callable[[Path, str], None]:
    def plant(root: Path, name: str) -> None:
        with (root / f"labels/{name}.txt").open("a") as file:
            file.write(f"{line}\n")

    return plant


def spoil_picture(root: Path, name: str) -> None:
    (root / f"images/{name}.png").write_bytes(b"rubbish")


def spoil_labels(root: Path, name: str) -> None:
    (root / f"labels/{name}.txt").write_bytes(b"\xff\xfe0\x00")


def remove_labels(root: Path, name: str) -> None:
    (root / f"labels/{name}.txt").unlink()


def empty_labels(root: Path, name: str) -> None:
    (root / f"labels/{name}.txt").write_text("")


def blank_picture(root: Path, name: str) -> None:
    Image.new("L", (64, 48), 128).save(root / f"images/{name}.png")


def darken_picture(root: Path, name: str) -> None:
    write_picture(root / f"images/{name}.png", 900, darker=25)


FAULTS = {
    "a picture that cannot be read": (spoil_picture, "critical", "readable"),
    "labels that are no text": (spoil_labels, "critical", "readable"),
    "a box over the right edge": (add_label("0 0.95 0.5 0.2 0.2"), "critical", "outside"),
    "a box in pixels": (add_label("0 32 24 16 12"), "critical", "outside"),
    "a box without width": (add_label("0 0.2 0.2 0 0.2"), "critical", "no_area"),
    "a box of negative height": (add_label("0 0.2 0.2 0.2 -0.2"), "critical", "no_area"),
    "a class without a name": (add_label("2 0.2 0.2 0.2 0.2"), "critical", "unknown_classes"),
    "a number that is none": (add_label("0 0.2 nan 0.2 0.2"), "critical", "label_faults"),
    "half a line": (add_label("0 0.2"), "critical", "label_faults"),
    "no labels": (remove_labels, "warning", "objects"),
    "an object marked twice": (add_label("0 0.501 0.5 0.25 0.25"), "warning", "duplicates"),
    "a blank picture": (blank_picture, "warning", "std"),
    "a box of a pixel": (add_label("0 0.2 0.2 0.02 0.2"), "warning", "smallest_side_px"),
    "no object": (empty_labels, "info", "objects"),
    "a dark picture": (darken_picture, "info", "mean"),
}
ALSO = {
    "a picture that cannot be read": {("warning", "objects")},
    "labels that are no text": {("warning", "objects")},
    "a box without width": {("warning", "smallest_side_px")},
    "a box of negative height": {("warning", "smallest_side_px")},
}
"""What follows from a fault: of a picture that is not read nobody says what it shows; no area is narrower than 2 px."""


def named(verdict: Verdict) -> dict[str, set[tuple[str, str]]]:
    """The severity and column of every expectation that names a picture."""
    found: dict[str, set[tuple[str, str]]] = {}
    for result in verdict.expectations:
        for sample_id in result.first_ids:
            found.setdefault(sample_id, set()).add((result.severity, result.column or ""))
    return found


@pytest.fixture(scope="module")
def spoiled(clean: Path, tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    """The verdict on a set with each fault in the picture of its number, and faults that take two files."""
    work = tmp_path_factory.mktemp("spoiled")
    root = Path(shutil.copytree(clean, work / "set"))
    for number, (plant, _, _) in enumerate(FAULTS.values()):
        plant(root, f"{number:02d}")
    copied = (root / "images/30.png", root / "labels/30.txt")
    for file in copied:
        shutil.copy(file, file.with_stem("copy"))
    write_picture(root / "images/31.bmp", 901)
    shutil.copy(root / "images/32.png", root / "images/twin.png")
    (root / "labels/twin.txt").write_text("1 0.5 0.5 0.25 0.25\n")
    (root / "labels/lost.txt").write_text("0 0.5 0.5 0.25 0.25\n")
    return judged(prepared(root, work))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_and_nothing_else_is_said_of_its_picture(spoiled, fault):
    _, severity, column = FAULTS[fault]
    picture = f"images/{list(FAULTS).index(fault):02d}.png"
    assert named(spoiled)[picture] == {(severity, column)} | ALSO.get(fault, set())


@pytest.mark.parametrize(
    ("sample", "severity", "column"),
    [
        ("images/30.png", "warning", "copies"),
        ("images/copy.png", "warning", "copies"),
        ("images/31.png", "critical", "label_faults"),
        ("images/31.bmp", "critical", "label_faults"),
    ],
)
def test_a_fault_of_two_files_is_said_of_both(spoiled, sample, severity, column):
    assert named(spoiled)[sample] == {(severity, column)}


def test_one_picture_with_two_sets_of_boxes_is_caught(spoiled):
    expected = {("critical", "labels_of_bytes"), ("warning", "copies")}
    assert [named(spoiled)[f"images/{name}.png"] for name in ("32", "twin")] == [expected, expected]


def test_a_label_file_without_a_picture_is_caught(spoiled):
    assert named(spoiled)["labels/lost.txt"] == {("critical", "readable"), ("warning", "objects")}


def test_nothing_is_said_of_any_other_picture(spoiled):
    spoilt = {f"images/{number:02d}.png" for number in range(len(FAULTS))}
    spoilt |= {"images/30.png", "images/copy.png", "images/31.png", "images/31.bmp", "labels/lost.txt"}
    spoilt |= {"images/32.png", "images/twin.png"}
    assert (set(named(spoiled)), spoiled.status) == (spoilt, "fail")


def test_lesser_faults_stop_nothing(root, tmp_path):
    for plant in (remove_labels, blank_picture, darken_picture):
        plant(root, f"{[fault[0] for fault in FAULTS.values()].index(plant):02d}")
    verdict = judged(prepared(root, tmp_path / "work"))
    assert (verdict.status, verdict.worst, verdict.quarantined) == ("pass", "warning", 0)


def test_torn_groups_and_pictures_of_two_splits_are_critical(clean, tmp_path):
    work = prepared(clean, tmp_path)
    index = work / "dataset/index.parquet"
    rows = parquet.read_table(index).to_pylist()
    rows[0] |= {"split": "train", "group": "track"}
    rows[1] |= {"split": "test", "group": "track"}
    rows[2] |= {"split": "train"}
    rows[3] |= {"split": "val", "sha256": rows[2]["sha256"], "boxes": rows[2]["boxes"]}
    parquet.write_table(pa.Table.from_pylist(rows, schema=parquet.read_schema(index)), index)
    assert missed(judged(work), "critical") == {
        "splits_of_group": ("images/00.png", "images/01.png"),
        "splits_of_bytes": ("images/02.png", "images/03.png"),
    }


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


def test_a_clean_set_of_the_other_format_raises_nothing(clean, tmp_path):
    images = [{"id": n, "file_name": f"{n:02d}.png", "width": 64, "height": 48} for n in range(PICTURES)]
    annotations = [{"image_id": n, "category_id": n % 2, "bbox": [8, 8, 16, 16]} for n in range(PICTURES)]
    categories = [{"id": 0, "name": "sign"}, {"id": 1, "name": "light"}]
    shutil.copytree(clean / "images", tmp_path / "set/images")
    listing = {"images": images, "annotations": annotations, "categories": categories}
    (tmp_path / "set/instances.json").write_text(json.dumps(listing))
    verdict = judged(prepared(tmp_path / "set", tmp_path / "work", source="coco"))
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
