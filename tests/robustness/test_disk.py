"""A disk that fills up, or turns read-only, while a step writes: one line, exit code 3, and the old output is whole."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from components import STEPS
from edgeloop.errors import EXIT_ENVIRONMENT

pytestmark = [pytest.mark.slow, pytest.mark.privileged]

PAGE_BYTES = 4096
FILLER = ".filler"
NORMAL = {"prepare_data", "select"}
STEPS_HERE = [pytest.param(step, marks=[] if step in NORMAL else [pytest.mark.long]) for step in STEPS]
SUDDEN = {"check_params", "validate_data", "select"}
"""Steps that write in the last moment only: for them the place is read-only from the start."""


@contextmanager
def mounted(place: Path, *options: str) -> Iterator[None]:
    subprocess.run(["mount", *options, place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def nearly_full(place: Path, *, free_bytes: int) -> Iterator[None]:
    """What lies in `place`, on a disk of its own that has only `free_bytes` more."""
    kept = place.with_name(f"{place.name}.kept")
    shutil.copytree(place, kept)
    try:
        with mounted(place, "-t", "tmpfs", "-o", "size=64m", "tmpfs"):
            shutil.copytree(kept, place, dirs_exist_ok=True)
            disk = os.statvfs(place)
            with (place / FILLER).open("wb") as filler:
                filler.write(bytes(disk.f_bavail * disk.f_frsize - free_bytes))
            yield
    finally:
        shutil.rmtree(kept)


def one_line_and_code_3(ended: "subprocess.CompletedProcess[str]", step: str) -> None:
    assert ended.returncode == EXIT_ENVIRONMENT, ended.stderr
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    told = [line for line in ended.stderr.splitlines() if f"artifacts/{step}" in line]
    assert len(told) == 1, ended.stderr


@pytest.mark.parametrize("step", STEPS_HERE)
def test_a_disk_that_is_full_leaves_the_old_output(step: str, finished: Any) -> None:
    fills_up(step, finished.project, free_bytes=0)


@pytest.mark.parametrize("step", [one for one in STEPS_HERE if one.values[0] not in SUDDEN])
def test_a_disk_that_fills_up_half_way_leaves_the_old_output(step: str, finished: Any) -> None:
    place = finished.project.folder / "artifacts" / step
    taken = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    fills_up(step, finished.project, free_bytes=taken // 2 // PAGE_BYTES * PAGE_BYTES)


def fills_up(step: str, project: Any, *, free_bytes: int) -> None:
    before = project.files(step)
    with nearly_full(project.folder / "artifacts" / step, free_bytes=free_bytes):
        ended = project.step(step)
        after = project.files(step)
    one_line_and_code_3(ended, step)
    assert "no space left" in ended.stderr
    del after[FILLER]
    assert after == before


@pytest.mark.parametrize("step", STEPS_HERE)
def test_a_place_that_turns_read_only_keeps_the_old_output(step: str, finished: Any, started: Any) -> None:
    project = finished.project
    place = project.folder / "artifacts" / step
    before = project.files(step)
    with mounted(place, "--bind", str(place)):
        if step in SUDDEN:
            read_only(place)
            ended = project.step(step)
        else:
            ended = turned_read_only(place, project, step, started)
        after = {name: digest for name, digest in project.files(step).items() if ".partial" not in name}
    one_line_and_code_3(ended, step)
    assert after == before
    assert project.step(step).returncode == 0


def turned_read_only(place: Path, project: Any, step: str, started: Any) -> "subprocess.CompletedProcess[str]":
    """Runs a step; as soon as it has begun to write, its place is read-only."""
    process = started(project, "-m", "components", step, *project.wiring[step])
    while not [path for path in place.iterdir() if path.name.endswith(".partial")]:
        assert process.poll() is None, "it never wrote beside its output"
        time.sleep(0.001)
    while not read_only(place):
        assert process.poll() is None, "it always had a file open"
    said = (project.folder / "killed.log").read_text if process.wait() is not None else None
    return subprocess.CompletedProcess([step], process.returncode, "", said())


def read_only(place: Path) -> bool:
    """Makes the mount read-only; no, while a file is open for writing there."""
    done = subprocess.run(["mount", "-o", "remount,bind,ro", place], capture_output=True)
    return done.returncode == 0
