"""Scenes in processes of their own: the same as in one."""

from pathlib import Path

import pytest

from edgeloop.data.scenes.options import SceneOptions, drawn
from edgeloop.data.sources.traffic_signs_crops import _samples
from edgeloop.errors import EnvironmentFault

DEADLY = """
import os, signal

def deadly(scene, options):
    if scene.number == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    return [scene.number]
"""


def test_few_scenes_are_drawn_by_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeloop.data.processes.ProcessPoolExecutor", None)
    found = drawn(SceneOptions(count=5, size_pixels=160), lambda scene, _: [scene.number])
    assert list(found) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_no_scene_is_drawn_that_is_not_wanted(count: int) -> None:
    found = drawn(SceneOptions(count=count, size_pixels=160), lambda scene, _: [scene.number])
    assert list(found) == list(range(count))


@pytest.mark.slow  # every process imports its libraries
def test_the_number_of_processes_changes_nothing() -> None:
    options = SceneOptions(count=40, size_pixels=160)
    alone, together = (list(drawn(options, _samples, processes=processes)) for processes in (1, 2))
    assert [sample.id for sample in alone] == [sample.id for sample in together]
    assert [sample.content for sample in alone] == [sample.content for sample in together]


@pytest.mark.slow
def test_a_process_that_dies_is_a_fault_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "deadly_scenes.py").write_text(DEADLY)
    monkeypatch.syspath_prepend(tmp_path)
    from deadly_scenes import deadly

    with pytest.raises(EnvironmentFault, match="a process that drew scenes died"):
        list(drawn(SceneOptions(count=40, size_pixels=160), deadly, processes=2))
