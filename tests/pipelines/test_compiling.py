import os
import subprocess
import sys

import pytest
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from components import MONITOR_STEPS, STEPS
from edgeloop import params
from pipelines.compiling import compile_all


@pytest.fixture
def compiled(tmp_path, root):
    return compile_all(params.load(root / "params.yaml"), tmp_path)


def yaml_of(paths):
    return [path for path in paths if path.suffix == ".yaml"]


def test_the_committed_files_are_current(compiled, tmp_path, root):
    committed = root / "manifests" / "kfp"
    for path in compiled:
        same = (committed / path.relative_to(tmp_path)).read_text() == path.read_text()
        assert same, "run: python -m pipelines compile"


def test_every_file_parses_back_as_a_pipeline_spec(compiled):
    for path in yaml_of(compiled):
        spec = next(yaml.safe_load_all(path.read_text()))
        parsed = json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
        assert parsed.root.dag.tasks, path


def test_each_step_is_a_reusable_component(compiled):
    made = [path.stem for path in compiled if path.parent.name == "components"]
    assert made == [*STEPS, *MONITOR_STEPS]


def test_another_process_writes_the_same_bytes(compiled, tmp_path, root):
    again = tmp_path / "again"
    command = [sys.executable, "-m", "pipelines", "compile", "--output", str(again)]
    subprocess.run(command, cwd=root, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": "7"})
    for path in compiled:
        assert (again / path.relative_to(tmp_path)).read_bytes() == path.read_bytes()


def test_no_component_installs_anything_when_it_starts(compiled):
    for path in yaml_of(compiled):
        assert "pip install" not in path.read_text()
