import os
import subprocess
import sys

import pytest
import yaml

from edgeloop import params as parameters
from edgeloop.errors import InputFault
from edgeloop.params import Params
from pipelines import graph, stages


def text_with(**sections):
    return stages.rendered(Params.model_validate(sections))


@pytest.fixture(scope="module")
def made(pytestconfig):
    return yaml.safe_load(stages.rendered(parameters.load(pytestconfig.rootpath / "params.yaml")))["stages"]


@pytest.fixture(scope="module")
def spec():
    return graph.compiled(Params())


def outs_of(stage):
    return [next(iter(out)) if isinstance(out, dict) else out for out in stage["outs"]]


def test_the_committed_file_is_current(root):
    text = stages.rendered(parameters.load(root / "params.yaml"))
    assert (root / "dvc.yaml").read_text() == text, "run: python -m pipelines dvc"


def test_another_process_writes_the_same_bytes(tmp_path, root):
    (tmp_path / "params.yaml").write_text((root / "params.yaml").read_text())
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-m", "pipelines", "dvc"]
    ended = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, env=environment)
    assert ended.stdout == "wrote dvc.yaml\n"
    assert (tmp_path / "dvc.yaml").read_text() == stages.rendered(parameters.load(root / "params.yaml"))


def test_every_step_is_a_stage_and_devices_comes_first(made, spec):
    assert list(made) == ["devices", *graph.order(spec)]


def test_every_edge_of_the_pipeline_is_a_dependency_with_its_sidecar(made, spec):
    edges = list(graph.edges(spec))
    assert len(edges) > 20
    for edge in edges:
        path = f"artifacts/{edge.producer}/{edge.output}"
        assert {path, f"{path}.meta.json"} <= set(made[edge.consumer]["deps"]), edge
        assert {path, f"{path}.meta.json"} <= set(outs_of(made[edge.producer])), edge
        assert f" {edge.input}={path}" in made[edge.consumer]["cmd"], edge


def test_every_stage_depends_on_what_it_runs(made):
    for name, stage in made.items():
        wanted = {"edgeloop", "requirements.lock"} | ({"components"} if name != "devices" else set())
        assert wanted <= set(stage["deps"]), name


def test_register_depends_on_all_the_code_that_lineage_names(made, root):
    from edgeloop.lineage.code import source_files

    named = {path.relative_to(root).parts[0] for path in source_files(root)}
    assert named <= set(made["register"]["deps"])


def test_a_stage_names_the_process_that_runs_it_to_its_step(made, tmp_path):
    """It does so before its first import, during which DVC may be killed."""
    shown = tmp_path / "python"
    shown.write_text('#!/bin/sh\necho "$2 $EDGELOOP_ENGINE_PID"\n')
    shown.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    for name, stage in made.items():
        command = ["sh", "-c", stage["cmd"]]
        ended = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        if name != "devices":  # it is over within a second and writes by rename
            assert ended.stdout.splitlines()[-1] == f"components {os.getpid()}", name


def test_a_stage_sees_its_own_section_only(made):
    sections = {name: stage["params"] for name, stage in made.items() if name not in ("devices", "check_params")}
    assert sections == {name: [name] for name in sections}
    assert made["check_params"]["params"] == list(parameters.RELEASE_SECTIONS)


def test_only_benchmark_depends_on_what_this_machine_is(made):
    assert stages.FINGERPRINT in outs_of(made["devices"])
    assert [name for name, stage in made.items() if stages.FINGERPRINT in stage["deps"]] == ["benchmark"]


def test_only_the_effects_of_devices_and_register_are_never_taken_from_an_earlier_run(made):
    kept = {name for name, stage in made.items() if isinstance(stage["outs"][0], dict)}
    assert kept == {"devices", "register"}
    assert all(out[path]["persist"] for name in kept for out in made[name]["outs"] for path in out)


@pytest.mark.parametrize(
    ("stage", "section", "path"),
    [
        ("prepare_data", {"source": "image_folder", "path": "my_pictures"}, "my_pictures"),
        ("prepare_data", {"source": "image_folder", "url": "s3://bucket/data"}, "s3://bucket/data"),
        ("train", {"erased": "erased.txt"}, "erased.txt"),
        ("validate_data", {"suite": "suites/mine.json"}, "suites/mine.json"),
        ("train", {"init_from": "bundles/parent"}, "bundles/parent"),
    ],
)
def test_a_stage_depends_on_what_its_section_points_at(stage, section, path):
    assert path in yaml.safe_load(text_with(**{stage: section}))["stages"][stage]["deps"]


def test_a_model_in_a_registry_is_no_file(made):
    text = text_with(train={"init_from": "digits@champion-workstation"})
    assert yaml.safe_load(text)["stages"]["train"]["deps"] == made["train"]["deps"]


def test_parameters_that_point_at_no_file_change_nothing():
    assert text_with(train={"epochs": 3}, select={"prefer": "size"}) == text_with()


def test_a_file_of_other_parameters_is_refused(tmp_path):
    stages.write(Params(), tmp_path / "dvc.yaml")
    stages.refuse_stale(Params(), tmp_path / "dvc.yaml")
    other = Params.model_validate({"validate_data": {"suite": "suites/mine.json"}})
    with pytest.raises(InputFault, match="run: python -m pipelines dvc"):
        stages.refuse_stale(other, tmp_path / "dvc.yaml")


@pytest.mark.parametrize("found", [None, b"", b"\xff\xfe\x00"])
def test_no_file_and_rubbish_are_refused_in_the_same_way(tmp_path, found):
    if found is not None:
        (tmp_path / "dvc.yaml").write_bytes(found)
    with pytest.raises(InputFault, match="run: python -m pipelines dvc"):
        stages.refuse_stale(Params(), tmp_path / "dvc.yaml")


def test_dvc_is_told_to_report_nothing_and_knows_no_machine(root):
    text = (root / ".dvc/config").read_text()
    assert "analytics = false" in text
    assert "check_update = false" in text
    assert "/" not in text


def test_the_committed_lock_is_of_the_committed_stages(root, made):
    locked = yaml.safe_load((root / "dvc.lock").read_text())["stages"]
    assert {name: " ".join(stage["cmd"].split()) for name, stage in locked.items()} == {
        name: stage["cmd"] for name, stage in made.items()
    }, "run: dvc repro"


def test_the_committed_lock_is_of_the_committed_parameters(root, made):
    locked = yaml.safe_load((root / "dvc.lock").read_text())["stages"]
    params = yaml.safe_load((root / "params.yaml").read_text())
    for name, stage in made.items():
        found = locked[name].get("params", {}).get("params.yaml", {})
        assert found == {section: params[section] for section in stage.get("params", [])}, "run: dvc repro"
