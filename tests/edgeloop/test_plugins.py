import subprocess
import sys

import pytest

from edgeloop import plugins
from edgeloop.errors import MissingExtra, PluginFault


@pytest.mark.parametrize("kind", sorted(plugins.KINDS))
def test_every_kind_has_plugins_that_load(kind):
    assert plugins.names(kind)
    for name in plugins.names(kind):
        assert plugins.load(kind, name) is not None


def test_a_wrong_name_is_refused_with_the_nearest_right_one():
    with pytest.raises(PluginFault, match="did you mean onnxruntime"):
        plugins.load("runtimes", "onnxruntim")


def test_a_missing_package_names_the_extra_that_brings_it():
    error = plugins.missing_extra(ModuleNotFoundError("x", name="openvino"), "openvino")
    assert isinstance(error, MissingExtra)
    assert "pip install 'edgeloop[openvino]'" in error.line()


def test_a_third_party_adds_a_plugin_by_an_entry_point(tmp_path):
    (tmp_path / "theirs.py").write_text("plugin = 'their runtime'\n")
    info = tmp_path / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[edgeloop.runtimes]\ntheir_runtime = theirs:plugin\n")
    code = "from edgeloop import plugins; print(plugins.load('runtimes', 'their_runtime'))"
    path = {"PYTHONPATH": f"{tmp_path}:{':'.join(sys.path)}"}
    ended = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, text=True)
    assert ended.stdout.strip() == "their runtime", ended.stderr
