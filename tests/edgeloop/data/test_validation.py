"""The shipped suite and suites of the user, run by Great Expectations."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from benchmarks.faults.images import save_again, write_photos
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


def test_the_same_picture_twice_in_a_class_is_a_warning_and_no_leak(work, pictures):
    (pictures / "cat/copy.png").write_bytes((pictures / "cat/01.png").read_bytes())
    verdict = judged(work())
    assert (verdict.status, list(failed(verdict))) == ("pass", ["copies"])


def relabelled(work: Path, **columns: dict[str, str | None]) -> None:
    """Writes values into the index: of each column, by id."""
    index = work / "dataset/index.parquet"
    rows = parquet.read_table(index).to_pylist()
    for row in rows:
        row |= {name: values[row["id"]] for name, values in columns.items() if row["id"] in values}
    parquet.write_table(pa.Table.from_pylist(rows, schema=parquet.read_schema(index)), index)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos")


def named(verdict: Verdict) -> dict[str, tuple[str, tuple[str, ...]]]:
    """What failed of single samples, but for what is mere information: severity and ids by column."""
    rows = [r for r in verdict.expectations if r.status != "pass" and r.severity != "info"]
    return {r.column: (r.severity, r.first_ids) for r in rows}


def test_clean_photos_raise_nothing(photos, work_of):
    assert judged(work_of(photos)).worst is None


def test_a_picture_saved_again_in_its_own_split_is_no_leak(photos, work_of):
    save_again(photos, "cat/03.png", "cat/03b.png")
    work = work_of(photos)
    relabelled(work, split={"cat/03.png": "train", "cat/03b.png": "train"})
    assert named(judged(work)) == {}


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
