import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgeloop.bundle import verify
from edgeloop.errors import InputFault, NotWritable
from edgeloop.killing import KILL_VARIABLE
from edgeloop.lineage.example import example_bundle
from edgeloop.registries.folder import VARIABLE, plugin

PUSH = """
from pathlib import Path
from edgeloop.bundle import Bundle
from edgeloop.registries.folder import plugin
version = plugin.push(Bundle.open(Path("bundle")), "digits", tags={})
plugin.promote("digits", "champion", version.version)
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)


def push_in_a_process(root: Path, kill_at: str) -> int:
    environment = {**os.environ, "PYTHONPATH": str(root), KILL_VARIABLE: kill_at}
    return subprocess.run([sys.executable, "-c", PUSH], env=environment, check=False).returncode


@pytest.mark.parametrize("kill_at", ["1", "1+", "2", "2+", "3", "3+"])
def test_a_push_that_was_killed_leaves_no_version_or_a_whole_one_and_a_second_finishes(
    root: Path, tmp_path: Path, kill_at: str
) -> None:
    champion = example_bundle(tmp_path / "champion", seed=1)
    plugin.push(champion, "digits", tags={})
    plugin.promote("digits", "champion", "1")
    example_bundle(tmp_path / "bundle")
    assert push_in_a_process(root, kill_at) == -signal.SIGKILL
    for version in plugin.versions("digits"):
        assert verify(Path(".edgeloop/registry/digits") / version.version / "bundle") == []
    assert plugin.fetch("digits", "champion", tmp_path / "fetched")  # wherever it points, it points to something
    assert push_in_a_process(root, "") == 0
    assert [version.aliases for version in plugin.versions("digits")] == [(), ("champion",)]


def test_three_renames_are_all_that_a_push_and_its_alias_do(root: Path, tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    assert push_in_a_process(root, "4") == 0


def test_the_place_is_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "shared"))
    version = plugin.push(example_bundle(tmp_path / "bundle"), "digits", tags={})
    assert version.uri == (tmp_path / "shared" / "digits" / "1").as_uri()


@pytest.mark.parametrize("name", ["../up", "/etc", "a/b", "", ".", "..", ".hidden"])
def test_a_name_that_leads_out_of_the_registry_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputFault, match="is no name of a model"):
        plugin.push(example_bundle(tmp_path / "bundle"), name, tags={})


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/proc/registry")
    with pytest.raises((NotWritable, InputFault), match="/proc/registry"):
        plugin.push(example_bundle(tmp_path / "bundle"), "digits", tags={})
