import os
import signal
import subprocess
import sys

import pytest

from edgeloop import files
from edgeloop.errors import DiskFull, NotWritable
from edgeloop.killing import KILL_VARIABLE


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path):
    target = tmp_path / "a.json"
    files.write_json(target, {"old": 1})
    with pytest.raises(UnicodeEncodeError), files.whole_file(target) as partial:
        partial.write_text("half" + "\udc00", encoding="utf-8")
    assert files.read_json(target) == {"old": 1}
    assert names(tmp_path) == ["a.json"]


def test_a_folder_replaces_the_old_one_as_a_whole(tmp_path):
    target = tmp_path / "folder"
    for name in ("old", "new"):
        with files.whole_folder(target) as partial:
            (partial / name).touch()
    assert names(target) == ["new"]
    assert names(tmp_path) == ["folder"]


@pytest.mark.parametrize(("moment", "expected"), [("1", "old"), ("1+", "new")])
def test_a_kill_at_the_rename_leaves_before_or_after(tmp_path, moment, expected):
    target = tmp_path / "a"
    target.write_text("old")
    code = f"from pathlib import Path; from edgeloop import files; files.write_text(Path({str(target)!r}), 'new')"
    ended = subprocess.run([sys.executable, "-c", code], env={**os.environ, KILL_VARIABLE: moment})
    assert ended.returncode == -signal.SIGKILL
    assert target.read_text() == expected


@pytest.mark.parametrize(
    ("moment", "killed"), [("train:1", True), ("train:2", False), ("select:1", False), (":1", False)]
)
def test_a_kill_may_be_meant_for_the_process_of_one_step(tmp_path, moment, killed):
    code = (
        "from pathlib import Path; from edgeloop import errors, files\n"
        f"with errors.reported('train'): files.write_text(Path({str(tmp_path / 'a')!r}), 'new')"
    )
    ended = subprocess.run([sys.executable, "-c", code], env={**os.environ, KILL_VARIABLE: moment})
    assert ended.returncode == (-signal.SIGKILL if killed else 0)


@pytest.mark.privileged
def test_a_full_disk_is_named_and_the_old_file_stays(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
    try:
        files.write_text(disk / "a", "old")
        with pytest.raises(DiskFull, match="no space left"):
            files.write_text(disk / "a", "x" * 1_000_000)
        assert (disk / "a").read_text() == "old"
        assert names(disk) == ["a"]
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.privileged
def test_a_read_only_place_is_named(tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    subprocess.run(["mount", "--bind", place, place], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
    try:
        with pytest.raises(NotWritable, match="place"):
            files.write_text(place / "sub" / "a", "new")
        with pytest.raises(NotWritable, match="place"), files.whole_folder(place / "folder"):
            pytest.fail("the folder cannot be made")
    finally:
        subprocess.run(["umount", place], check=True)
