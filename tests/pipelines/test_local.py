"""The release pipeline for real, on the smallest scenario."""

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from components import STEPS
from edgeloop.params import Params
from pipelines import graph

pytestmark = pytest.mark.slow


@pytest.fixture
def first(released):
    """A project in which the smoke scenario has run once."""
    return released


def digests(project):
    """sha256 of every model file of the bundle."""
    listed = json.loads((project / "artifacts/register/bundle/models/variants.json").read_text())
    return {variant["name"]: variant["sha256"] for variant in listed["variants"]}


def test_a_run_ends_with_one_bundle_and_one_report(first):
    project = first.folder
    result = json.loads(first.output)
    assert (project / result["report"]).is_file()
    assert (project / result["bundle"] / "lineage.yaml").is_file()
    assert result["steps"] == list(STEPS)
    registry = project / "mlartifacts"
    found = [path for path in project.rglob("lineage.yaml") if not path.is_relative_to(registry)]
    assert found == [project / "artifacts" / "register" / "bundle" / "lineage.yaml"]


def test_every_step_has_its_folder_and_nothing_else_is_left(first):
    project = first.folder
    left = {path.name for path in (project / "artifacts").iterdir()}
    assert left == {*STEPS, "report.html", "run.log", ".lock"}


def test_no_step_writes_outside_its_outputs(first, root):
    project = first.folder
    known = {path.name for path in root.iterdir()} | {
        "artifacts",
        "mlflow.db",
        "mlflow.db.lock",
        "mlartifacts",
        ".edgeloop",
        ".venv",
    }
    assert {path.name for path in project.iterdir()} <= known


def test_stderr_tells_each_step_and_nothing_more(first):
    assert [line.split()[1] for line in first.messages.splitlines()] == list(STEPS)


def test_step_by_step_elsewhere_and_without_a_network_gives_the_same_bytes_and_digest(
    first, tmp_path, rehearsed, forked
):
    project = first.folder
    other = rehearsed(tmp_path / "another" / "place")
    assert forked(other, "-m", "pipelines", "scenario", "smoke").returncode == 0
    spec = graph.compiled(Params())
    for step in graph.order(spec):
        inputs = {edge.input: (edge.producer, edge.output) for edge in graph.edges(spec) if edge.consumer == step}
        paths = {name: f"artifacts/{producer}/{output}" for name, (producer, output) in inputs.items()}
        paths |= {name: f"artifacts/{step}/{name}" for name in graph.outputs(spec, step)}
        arguments = [f"{name}={path}" for name, path in paths.items()]
        run = forked(other, "-m", "components", step, *arguments, network=os.geteuid() != 0)
        assert run.returncode == 0, run.stderr
    sidecar = json.loads((other / "artifacts/register/bundle.meta.json").read_text())
    assert sidecar["metadata"]["subject_digest"] == json.loads(first.output)["subject_digest"]
    assert digests(other) == digests(project)


def test_a_run_from_the_middle_runs_what_follows_only(first, forked):
    project = first.folder
    weights = project / "artifacts/train/model/weights.safetensors"
    before = weights.stat().st_mtime_ns
    again = forked(project, "-m", "pipelines", "run", "--scenario", "smoke", "--from", "select", "--json")
    assert again.returncode == 0, again.stderr
    result = json.loads(again.stdout)
    assert result["steps"] == ["check_params", "select", "evaluate", "register"]
    assert weights.stat().st_mtime_ns == before
    assert result["subject_digest"] == json.loads(first.output)["subject_digest"]


def test_other_parameters_for_a_step_that_is_skipped_are_refused(first, forked):
    project = first.folder
    ended = forked(project, "-m", "pipelines", "run", "--scenario", "smoke", "--from", "select", "-S", "train.epochs=5")
    assert ended.returncode == 2
    assert "train.epochs (4, now 5)" in ended.stderr
    assert "run again from train" in ended.stderr


def test_a_gate_that_says_no_ends_with_code_1_and_a_report(first, forked):
    project = first.folder
    tight = ["-S", "evaluate.min_metric=1.0"]
    ended = forked(project, "-m", "pipelines", "run", "--scenario", "smoke", "--only", "evaluate", *tight, "--json")
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout == ""
    assert "min_metric fail" in ended.stderr
    assert "min_metric" in (project / "artifacts/report.html").read_text()


def test_a_second_run_at_the_same_time_is_refused(first, forked):
    project = first.folder
    with (project / "artifacts/.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = forked(project, "-m", "pipelines", "run", "--only", "select")
    assert ended.returncode == 3
    assert "another run is under way" in ended.stderr


BAD = {
    "missing dataset": (["prepare_data.source=image_folder", "prepare_data.path=gone"], 2, "gone"),
    "empty dataset": (["prepare_data.source=image_folder", "prepare_data.path=empty"], 2, "empty"),
    "too few samples": (["prepare_data.min_class_samples=500"], 2, "min_class_samples"),
    "missing suite": (["validate_data.suite=gone.json"], 2, "gone.json"),
    "wrong option": (["train.model_options={widht: 3}"], 2, "did you mean width?"),
}
SEEN_LATE = {"empty dataset", "too few samples"}
"""They cost a run into its second step, as another case does."""


@pytest.mark.parametrize(
    "case", [case if case not in SEEN_LATE else pytest.param(case, marks=pytest.mark.long) for case in BAD]
)
def test_bad_input_is_one_line_of_what_where_and_what_to_do(case, first, tmp_path, forked):
    overrides, code, word = BAD[case]
    project = tmp_path / "project"
    shutil.copytree(first.folder, project, symlinks=True, ignore=shutil.ignore_patterns("mlflow.db*", "mlartifacts"))
    (project / "empty").mkdir()
    arguments = [part for override in overrides for part in ("-S", override)]
    ended = forked(project, "-m", "pipelines", "run", "--scenario", "smoke", *arguments)
    assert ended.returncode == code, ended.stderr
    assert ended.stdout == ""
    errors = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert word in errors[0]
    assert "Traceback" not in ended.stderr


@pytest.mark.privileged
@pytest.mark.parametrize("obstacle", ["read-only", "full"])
def test_a_place_that_cannot_be_written_is_named(obstacle, project, forked):
    place = project / "artifacts"
    place.mkdir()
    if obstacle == "full":
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], check=True)
    else:
        subprocess.run(["mount", "--bind", place, place], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
    try:
        ended = forked(project, "-m", "pipelines", "run", "--scenario", "smoke")
    finally:
        subprocess.run(["umount", place], check=True)
    assert ended.returncode == 3, ended.stderr
    assert "artifacts" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    assert Path(project).is_dir()
