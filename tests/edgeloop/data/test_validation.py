"""The shipped suite and suites of the user, run by Great Expectations."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from PIL import Image, ImageFilter

from edgeloop.data.dataset import Dataset
from edgeloop.data.preparation import PrepareDataParams, prepare
from edgeloop.data.validation import ValidateDataParams, validate, validate_folder
from edgeloop.data.verdict import ExpectationResult, Verdict
from edgeloop.errors import DataFault, InputFault

pytestmark = pytest.mark.slow  # the library takes seconds to import


def judged(work: Path, **params) -> Verdict:
    return validate(
        ValidateDataParams(**params),
        dataset=work / "dataset",
        profile=work / "profile.json",
        validation=work / "validation",
        report=work / "report.html",
    )


@pytest.fixture
def work(pictures: Path, tmp_path: Path):
    """Prepares the folder of pictures, planted faults and all."""

    def prepared() -> Path:
        params = PrepareDataParams(source="image_folder", path=pictures)
        prepare(params, dataset=tmp_path / "work/dataset", profile=tmp_path / "work/profile.json")
        return tmp_path / "work"

    return prepared


@pytest.fixture
def work_of(tmp_path: Path):
    """Prepares a folder of pictures."""

    def prepared(folder: Path, **options) -> Path:
        params = PrepareDataParams(source="image_folder", path=folder, **options)
        prepare(params, dataset=tmp_path / "work/dataset", profile=tmp_path / "work/profile.json")
        return tmp_path / "work"

    return prepared


@pytest.fixture
def suite(tmp_path: Path):
    """Writes a suite of the given expectations."""

    def written(*expectations: dict) -> Path:
        path = tmp_path / "suite.json"
        path.write_text(json.dumps({"name": "mine", "expectations": list(expectations)}))
        return path

    return written


def failed(verdict: Verdict) -> dict[str, ExpectationResult]:
    return {r.column: r for r in verdict.expectations if r.status != "pass"}


def test_clean_digits_raise_nothing(tmp_path):
    prepare(PrepareDataParams(), dataset=tmp_path / "dataset", profile=tmp_path / "profile.json")
    verdict = judged(tmp_path)
    assert (verdict.status, verdict.worst, sum(verdict.accepted.values())) == ("pass", None, 1797)


def test_all_samples_of_a_clean_dataset_are_accepted(work):
    folder = work()
    judged(folder)
    seen = Dataset(folder / "dataset", folder / "validation").samples
    assert seen == Dataset(folder / "dataset").samples


def test_an_unreadable_picture_fails_under_stop(work, pictures):
    (pictures / "cat/bad.png").write_bytes(b"rubbish")
    folder = work()
    verdict = judged(folder)
    assert (verdict.status, failed(verdict)["readable"].first_ids) == ("fail", ("cat/bad.png",))
    assert sorted(p.name for p in (folder / "validation").iterdir()) == ["quarantine.parquet", "verdict.json"]


def test_an_unreadable_picture_is_left_out_under_quarantine(work, pictures):
    (pictures / "cat/bad.png").write_bytes(b"rubbish")
    folder = work()
    assert judged(folder, on_fault="quarantine").status == "pass"
    rows = parquet.read_table(folder / "validation/quarantine.parquet").to_pylist()
    assert [(row["id"], row["severity"]) for row in rows] == [("cat/bad.png", "critical")]
    assert rows[0]["reason"] == "cannot be read as an image (no known format)"


def test_one_picture_under_two_labels_is_critical(work, pictures):
    (pictures / "dog/copy.png").write_bytes((pictures / "cat/01.png").read_bytes())
    found = failed(judged(work()))["labels_of_bytes"]
    assert (found.severity, found.first_ids) == ("critical", ("cat/01.png", "dog/copy.png"))


def test_the_same_picture_twice_in_a_class_is_a_warning_and_no_leak(work, pictures):
    (pictures / "cat/copy.png").write_bytes((pictures / "cat/01.png").read_bytes())
    verdict = judged(work())
    assert (verdict.status, list(failed(verdict))) == ("pass", ["copies"])


def test_the_same_bytes_in_two_splits_are_critical(work, pictures):
    (pictures / "cat/copy.png").write_bytes((pictures / "cat/01.png").read_bytes())
    folder = work()
    index = folder / "dataset/index.parquet"
    rows = parquet.read_table(index).to_pylist()
    for row in rows:
        if row["id"] in ("cat/copy.png", "cat/01.png"):
            row["split"] = "train" if row["id"] == "cat/01.png" else "test"
    parquet.write_table(pa.Table.from_pylist(rows, schema=parquet.read_schema(index)), index)
    found = failed(judged(folder))["splits_of_bytes"]
    assert (found.severity, found.failing) == ("critical", 2)


def test_a_torn_group_is_critical(work):
    folder = work()
    index = folder / "dataset/index.parquet"
    rows = [{**row, "group": "track"} for row in parquet.read_table(index).to_pylist()]
    parquet.write_table(pa.Table.from_pylist(rows, schema=parquet.read_schema(index)), index)
    assert failed(judged(folder))["splits_of_group"].severity == "critical"


def relabelled(work: Path, **columns: dict[str, str | None]) -> None:
    """Writes values into the index: of each column, by id."""
    index = work / "dataset/index.parquet"
    rows = parquet.read_table(index).to_pylist()
    for row in rows:
        row |= {name: values[row["id"]] for name, values in columns.items() if row["id"] in values}
    parquet.write_table(pa.Table.from_pylist(rows, schema=parquet.read_schema(index)), index)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """90 coloured pictures of 48 pixels in three classes, none like another."""
    for number in range(90):
        random = np.random.default_rng(number)
        coarse = Image.fromarray(random.integers(60, 200, (6, 6, 3), dtype=np.uint8)).resize((48, 48))
        noise = random.integers(-6, 7, (48, 48, 3))
        path = tmp_path / "photos" / ("cat", "dog", "owl")[number % 3] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((np.asarray(coarse) + noise).clip(0, 255).astype(np.uint8)).save(path)
    return tmp_path / "photos"


def repainted(path: Path, change) -> None:
    """Changes the pixels of a picture."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture).astype(int)
    Image.fromarray(change(pixels).clip(0, 255).astype(np.uint8)).save(path)


def blurred(path: Path) -> None:
    with Image.open(path) as picture:
        picture.filter(ImageFilter.GaussianBlur(6)).save(path)


def in_another_mode(mode: str):
    def change(path: Path) -> None:
        with Image.open(path) as picture:
            changed = picture.convert(mode)
        changed.save(path)

    return change


def cut_out(width: int, height: int):
    def change(path: Path) -> None:
        with Image.open(path) as picture:
            changed = picture.resize((width, height))
        changed.save(path)

    return change


def sixteen_bits(path: Path) -> None:
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("L")).astype(np.uint16)
    Image.fromarray(pixels * 257).save(path)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


OF_ONE_PICTURE = {
    "unreadable": (lambda path: path.write_bytes(b"rubbish"), {"readable": "critical"}),
    "empty": (lambda path: path.write_bytes(b""), {"readable": "critical"}),
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:-2000]), {"readable": "critical"}),
    "a pipe": (pipe, {"readable": "critical"}),
    "a strip": (cut_out(300, 20), {"aspect_ratio": "warning"}),
    "a speck": (cut_out(3, 3), {"width": "critical", "height": "critical"}),
    "blank": (lambda path: repainted(path, lambda p: p * 0 + 128), {"std": "warning", "blur": "warning"}),
    "too dark": (lambda path: repainted(path, lambda p: p // 13), {"dark_share": "warning", "blur": "warning"}),
    "too bright": (
        lambda path: repainted(path, lambda p: 242 + p // 16),
        {"bright_share": "warning", "blur": "warning"},
    ),
    "blurred": (blurred, {"blur": "warning"}),
    "grey": (in_another_mode("L"), {"usual_channels": "warning"}),
    "transparent": (in_another_mode("RGBA"), {"usual_channels": "warning"}),
    "sixteen bits": (
        sixteen_bits,
        dict.fromkeys(("mode", "usual_channels", "bright_share", "std", "blur"), "warning"),  # cut off: all white
    ),
}


def named(verdict: Verdict) -> dict[str, tuple[str, tuple[str, ...]]]:
    """What failed of single samples, but for what is mere information: severity and ids by column."""
    rows = [r for r in verdict.expectations if r.status != "pass" and r.severity != "info"]
    return {r.column: (r.severity, r.first_ids) for r in rows}


def test_clean_photos_raise_nothing(photos, work_of):
    assert judged(work_of(photos)).worst is None


@pytest.mark.parametrize("fault", OF_ONE_PICTURE)
def test_a_fault_of_one_picture_is_found_there_and_nothing_else(photos, work_of, fault):
    plant, expected = OF_ONE_PICTURE[fault]
    plant(photos / "dog/04.png")
    assert named(judged(work_of(photos))) == {name: (of, ("dog/04.png",)) for name, of in expected.items()}


def test_a_picture_saved_again_in_another_split_is_found_with_its_twin(photos, work_of):
    (photos / "cat/03b.png").write_bytes((photos / "cat/03.png").read_bytes())
    repainted(photos / "cat/03b.png", lambda p: p + (np.indices(p.shape).sum(axis=0) == 0))
    work = work_of(photos)
    relabelled(work, split={"cat/03.png": "train", "cat/03b.png": "test"})
    found = {"splits_of_near_copies": ("warning", ("cat/03.png", "cat/03b.png"))}
    assert named(judged(work)) == found


def test_a_picture_saved_again_in_its_own_split_is_no_leak(photos, work_of):
    (photos / "cat/03b.png").write_bytes((photos / "cat/03.png").read_bytes())
    repainted(photos / "cat/03b.png", lambda p: p + (np.indices(p.shape).sum(axis=0) == 0))
    work = work_of(photos)
    relabelled(work, split={"cat/03.png": "train", "cat/03b.png": "train"})
    assert named(judged(work)) == {}


def test_a_picture_without_a_class_is_found(photos, work_of):
    work = work_of(photos)
    relabelled(work, label={"dog/04.png": None})
    assert named(judged(work)) == {"label": ("critical", ("dog/04.png",))}


def test_a_class_far_smaller_than_the_largest_is_a_warning(photos, work_of):
    for number in range(9, 88, 3):
        (photos / f"cat/{number:02d}.png").rename(photos / f"dog/{number:02d}.png")
    ids = ("cat/00.png", "cat/03.png", "cat/06.png")
    assert named(judged(work_of(photos, min_class_samples=3))) == {"class_balance": ("warning", ids)}


def test_a_column_that_is_not_there_could_not_be_checked(work, suite):
    path = suite({"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "nope"}, "severity": "critical"})
    verdict = judged(work(), suite=path)
    assert (verdict.status, verdict.expectations[0].status) == ("fail", "could not check")
    assert "nope" in verdict.expectations[0].reason


def test_a_wrong_type_could_not_be_checked(work, suite):
    kwargs = {"column": "label", "min_value": 0, "max_value": 2}
    path = suite({"type": "expect_column_values_to_be_between", "kwargs": kwargs, "severity": "info"})
    verdict = judged(work(), suite=path)
    assert (verdict.status, verdict.expectations[0].status) == ("pass", "could not check")


def test_quantiles_are_checked_and_kept_as_json(work, suite):
    ranges = {"quantiles": [0.5], "value_ranges": [[0, 100]]}
    kwargs = {"column": "width", "quantile_ranges": ranges}
    path = suite({"type": "expect_column_quantile_values_to_be_between", "kwargs": kwargs, "severity": "critical"})
    folder = work()
    assert judged(folder, suite=path).expectations[0].observed == {"quantiles": [0.5], "values": [12.0]}
    assert Verdict.of(folder / "validation").status == "pass"


def test_results_are_in_the_order_of_the_suite(work, suite):
    columns = ["width", "id", "mean", "height"]
    path = suite(*({"type": "expect_column_values_to_not_be_null", "kwargs": {"column": c}} for c in columns))
    assert [r.column for r in judged(work(), suite=path).expectations] == columns


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not JSON"),
        ("[]", "has no expectations"),
        ('{"name": "s", "expectations": []}', "has no expectations"),
        ('{"expectations": [{}]}', "has no name"),
        ('{"name": "s", "expectations": [3]}', r"expectation 1 \(int\) is not valid"),
        ('{"name": "s", "expectations": [{"type": "expect_nothing", "kwargs": {}}]}', "expect_nothing not found"),
        (
            '{"name": "s", "expectations": [{"type": "expect_column_values_to_not_be_null",'
            ' "kwargs": {"colum": "x"}}]}',
            r"expectation 1 \(expect_column_values_to_not_be_null\) is not valid: column: field required",
        ),
        (
            '{"name": "s", "expectations": [{"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"},'
            ' "severity": "criticl"}]}',
            "Invalid severity 'criticl'",
        ),
    ],
)
def test_a_wrong_suite_is_refused_in_one_line(work, tmp_path, content, reason):
    (tmp_path / "wrong.json").write_text(content)
    with pytest.raises(DataFault, match=reason) as fault:
        judged(work(), suite=tmp_path / "wrong.json")
    assert "\n" not in fault.value.line()


def test_a_missing_suite_is_refused(work, tmp_path):
    with pytest.raises(InputFault, match=r"nowhere\.json: does not exist"):
        judged(work(), suite=tmp_path / "nowhere.json")


def test_the_shipped_suite_is_found_from_any_folder(work, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert judged(work()).suite.name == "images"


def test_a_damaged_dataset_is_a_data_fault(work):
    folder = work()
    (folder / "dataset/index.parquet").write_bytes(b"rubbish")
    with pytest.raises(DataFault, match="is not a readable Parquet file"):
        judged(folder)


def test_features_of_other_samples_are_a_data_fault(work):
    folder = work()
    features = folder / "dataset/features.parquet"
    parquet.write_table(parquet.read_table(features).slice(5), features)
    with pytest.raises(DataFault, match="index and features are of different samples"):
        judged(folder)


def test_the_page_loads_nothing_and_escapes_names(work, pictures):
    name = "<img src=x onerror=alert(1)>.png"
    (pictures / "cat" / name).write_bytes(b"rubbish")
    folder = work()
    judged(folder)
    text = (folder / "report.html").read_text()
    assert "<img src=x" not in text
    assert not re.findall(r"""(?:src|href)="(?!data:)|@import|url\(""", text)


def test_the_page_is_the_same_at_every_run(work):
    folder = work()
    judged(folder)
    first = (folder / "report.html").read_bytes()
    judged(folder)
    assert (folder / "report.html").read_bytes() == first


def test_a_folder_is_judged_without_parameters(pictures, tmp_path):
    assert validate_folder(pictures, suite=None, workdir=tmp_path / "work").status == "pass"
    assert (tmp_path / "work/report.html").exists()


def test_nothing_is_printed_and_nothing_is_left_behind(work, root, tmp_path):
    folder = work()
    home = tmp_path / "home"
    home.mkdir()
    code = (
        "from pathlib import Path; from edgeloop.data.validation import *; w = Path('.');"
        "validate(ValidateDataParams(), dataset=w / 'dataset', profile=w / 'profile.json',"
        " validation=w / 'validation', report=w / 'report.html')"
    )
    environment = {"HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(root), "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(home.rglob("*")) == []
    names = {"dataset", "profile.json", "validation", "report.html"}
    assert {path.name for path in folder.iterdir()} == names
