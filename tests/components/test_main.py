import json
import os
import subprocess
import sys

import pytest
import yaml

from components import sidecar
from edgeloop.errors import InputFault

SELECT = ["select", "measurements=gone", "quantized=gone", "selection=out"]


@pytest.fixture
def project(tmp_path, root):
    (tmp_path / "params.yaml").write_text((root / "params.yaml").read_text())
    return tmp_path


def step(project, root, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "components", *arguments]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)


def test_check_params_fills_in_the_defaults(project, root):
    ended = step(project, root, "check_params", "checked=out/params", "-S", "train.epochs=3")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == {}
    checked = json.loads((project / "out" / "params").read_text())
    assert checked["train"]["epochs"] == 3
    assert checked["benchmark"]["profile"] == "quick"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], "no step is called 'trian'"),
        (["train", "dataset"], "is not NAME=PATH"),
        (["train", "datset=x"], "train has no 'datset'"),
        (["train", "dataset=gone"], "is missing"),
        (SELECT, "does not exist"),
        ([*SELECT, "params=params.yaml:train"], "is not section select"),
        ([*SELECT, "-S", "select.prefers=size"], "did you mean prefer?"),
        (["detect_drift", "detection=a", "report=b", "model={", "telemetry=c"], "model={: the value is not YAML"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(project, root, arguments, words):
    ended = step(project, root, *arguments)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr


def test_an_artifact_of_other_parameters_is_refused(tmp_path):
    sidecar.write(tmp_path / "model", step="train", section={"epochs": 3}, metadata={"a": 1})
    sidecar.refuse_stale(tmp_path / "model", {"train": {"epochs": 3}})
    with pytest.raises(InputFault, match=r"another train\.epochs \(3, now 4\)"):
        sidecar.refuse_stale(tmp_path / "model", {"train": {"epochs": 4}})


def test_metadata_travels_in_the_sidecar(tmp_path):
    assert sidecar.metadata_of(tmp_path / "model") == {}
    sidecar.write(tmp_path / "model", step="train", section={}, metadata={"accuracy": 0.5})
    assert sidecar.metadata_of(tmp_path / "model") == {"accuracy": 0.5}


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b"\xff"])
def test_a_damaged_sidecar_is_named(tmp_path, content):
    (tmp_path / "model.meta.json").write_bytes(content)
    for read in (sidecar.metadata_of, lambda artifact: sidecar.refuse_stale(artifact, {})):
        with pytest.raises(InputFault, match=r"model\.meta\.json: is damaged; run again the step that writes model"):
            read(tmp_path / "model")


def test_params_yaml_has_a_section_for_every_step(root):
    from edgeloop.params import SECTIONS

    assert tuple(yaml.safe_load((root / "params.yaml").read_text())) == SECTIONS
