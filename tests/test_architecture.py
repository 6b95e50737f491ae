"""What holds the house up: who may import whom, and that the plug-in rooms hold plug-ins only."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["edgeloop", "pipelines", "components"])
def test_help_imports_nothing_heavy(module, root):
    code = (
        "import runpy, sys; sys.argv = ['x', '--help']\n"
        f"try: runpy.run_module({module!r}, run_name='__main__')\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'kfp', 'mlflow', 'pandas', 'pyarrow', 'onnx', 'onnxruntime', 'great_expectations',"
        " 'sklearn', 'matplotlib', 'PIL', 'jinja2'} & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert ended.stderr == "[]\n"


def test_components_and_pipelines_keep_their_annotations_for_kfp(root):
    for path in [*(root / "components").glob("*.py"), *(root / "pipelines").glob("*.py")]:
        assert "from __future__ import annotations" not in path.read_text(), path


def test_no_test_folder_is_a_package(root):
    assert not list((root / "tests").rglob("__init__.py"))
