import json

import pytest
from typer.testing import CliRunner

from edgeloop.__main__ import app

PARAMS = """\
train:
  model: cnn
  model_options: {width: 8}
  image: {height: 16, width: 12, mode: RGB}
  batch_size: auto # whatever fits
"""
FAST = ("--no-calibrate", "--memory", "8GB")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs `edgeloop plan` in a folder of its own with the parameters above."""
    (tmp_path / "params.yaml").write_text(PARAMS)
    monkeypatch.chdir(tmp_path)
    return lambda *given: CliRunner().invoke(app, ["plan", *FAST, *given])


def as_json(ended):
    assert ended.exit_code == 0, ended.stderr
    return json.loads(ended.stdout)


def test_without_options_section_train_is_planned(run):
    workload = as_json(run("--json"))["workload"]
    assert (workload["model"], workload["options"], workload["input_shape"]) == ("cnn", {"width": 8}, [3, 16, 12])


def test_another_model_is_planned_for_the_samples_that_it_was_published_for(run):
    assert as_json(run("--model", "alexnet", "--json"))["workload"]["input_shape"] == [3, 224, 224]
    assert as_json(run("--model", "cnn_1d", "--json"))["workload"]["input_shape"] == [1, 2048]


def test_the_model_of_the_section_on_windows_is_planned_for_usual_ones(run, tmp_path):
    (tmp_path / "params.yaml").write_text("train: {model: cnn_1d}\n")
    assert as_json(run("--json"))["workload"]["input_shape"] == [1, 2048]


def test_options_come_before_the_section(run):
    workload = as_json(run("--model", "mlp", "-o", "hidden=32-16", "--input", "6", "--classes", "3", "--json"))[
        "workload"
    ]
    assert workload["options"] == {"hidden": "32-16"}
    assert (workload["input_shape"], workload["classes"]) == ([6], 3)


def test_the_table_has_a_row_a_layer(run):
    ended = run()
    assert ended.exit_code == 0, ended.stderr
    assert "Conv2d" in ended.stdout and "largest batch" in ended.stdout and "all" in ended.stdout


def test_auto_is_written_back_as_a_number(run, tmp_path):
    batch = as_json(run("--write", "params.yaml", "--json"))["batch"]
    assert (tmp_path / "params.yaml").read_text() == PARAMS.replace("auto", str(batch))


def test_a_batch_that_does_not_fit_is_not_written(run, tmp_path):
    ended = run("--write", "params.yaml", "--memory", "1MB")
    assert ended.exit_code == 3
    assert "does not fit" in ended.stderr and (tmp_path / "params.yaml").read_text() == PARAMS


def test_the_report_is_a_page(run, tmp_path):
    assert run("--report", "plan.html").exit_code == 0
    assert "<svg" in (tmp_path / "plan.html").read_text()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--input", "3x0x4"), "no shape"),
        (("--model", "no_such"), "no plug-in"),
        (("-o", "width"), "section.field=value"),
        (("-o", "widht=3"), "did you mean width"),
        (("--memory", "lots"), "no size of memory"),
    ],
)
def test_what_the_user_got_wrong_is_one_line(run, given, said):
    ended = run(*given)
    assert ended.exit_code == 2
    assert said in ended.stderr and ended.stderr.count("\n") == 1
