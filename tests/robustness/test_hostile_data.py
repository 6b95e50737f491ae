"""Folders that somebody made to do harm, or that went wrong: read whole, without harm, and said in words.

What single readers refuse is tested beside them: pictures in test_picture_features.py and test_observation.py, tables
in test_signals.py, links and names in test_image_folder.py, test_yolo.py and test_coco.py of tests/edgeloop/data.
"""

import gzip
import json
import os
import shutil
import socket
import stat
import struct
import subprocess
import sys
import unicodedata
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeloop.canonical import sha256_of_bytes
from edgeloop.data import folders
from edgeloop.data.dataset import read_index
from edgeloop.data.folders import files_below, refusal, text_of
from edgeloop.data.preparation import PrepareDataParams, prepare
from edgeloop.data.sources import NoOptions
from edgeloop.data.sources.image_folder import plugin
from edgeloop.errors import DataFault

SECRET = b"\x89PNG of somebody else"


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, rows: bytes) -> bytes:
    """A grey PNG that declares its size, with whatever rows."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Twelve pictures of each of two classes."""
    for label, seed in (("cat", 0), ("dog", 100)):
        (tmp_path / "pictures" / label).mkdir(parents=True)
        for number in range(12):
            pixels = np.random.default_rng(seed + number).integers(0, 256, (12, 12), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / label / f"{number:02d}.png")
    return tmp_path / "pictures"


@pytest.fixture
def errors(pictures: Path, tmp_path: Path):
    """Prepares the folder; the errors of its samples by id, without those that are usable."""

    def prepared() -> dict[str, str]:
        params = PrepareDataParams(source="image_folder", path=pictures)
        prepare(params, dataset=tmp_path / "dataset", profile=tmp_path / "profile.json")
        rows = read_index(tmp_path / "dataset")
        assert sum(row.error is None for row in rows) == 24
        assert sha256_of_bytes(SECRET) not in {row.sha256 for row in rows}
        return {row.id: row.error for row in rows if row.error is not None}

    return prepared


# files


FILES = {
    "empty": (b"", "no known format"),
    "a page": (b"<html><script>alert(1)</script></html>", "no known format"),
    "a program": (b"\x7fELF" + bytes(100), "no known format"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", "no known format"),
    "an archive": (gzip.compress(bytes(1 << 20)), "no known format"),
    "a side too long": (png(40_000, 1, bytes(40_001)), "declares 40000 x 1 pixels, a side above 32,768"),
    "too many pixels": (png(30_000, 30_000, b""), "declares more than 64,000,000 pixels"),
    "pixels of 2**31": (png(2**31 - 1, 2**31 - 1, b""), "declares"),
    "no pixel": (png(0, 0, b""), "cannot be read as an image"),
    "rows that are missing": (png(4000, 4000, b""), "cannot be read as an image"),
}


def test_files_that_are_no_pictures_are_each_named_with_their_reason(pictures, errors):
    for name, (content, _) in FILES.items():
        (pictures / "cat" / f"{name}.png").write_bytes(content)
    found = errors()
    assert len(found) == len(FILES)
    assert [name for name, (_, reason) in FILES.items() if reason not in found[f"cat/{name}.png"]] == []


PEAK = """
import sys
from pathlib import Path
from edgeloop.data.features.image import plugin
from edgeloop.data.observation import observation
from edgeloop.data.sources import RawSample

def peak_kib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

plain, bomb = (Path(name) for name in sys.argv[1:])
observation(RawSample(id="a", label="a", uri=plain.as_uri()), plugin)
before = peak_kib()
found = observation(RawSample(id="a", label="a", uri=bomb.as_uri()), plugin)
print((peak_kib() - before) // 1024, found.error)
"""


@pytest.mark.slow  # a process of its own, whose peak memory is its own
@pytest.mark.parametrize(
    ("side", "zeros", "most_mib"),
    [
        pytest.param(60_000, 60_001 * 300, 16, id="3.6 billion pixels"),
        pytest.param(16, 1 << 28, 64, id="256 MiB behind 16 x 16 pixels"),
    ],
)
def test_a_bomb_takes_no_memory(side, zeros, most_mib, pictures, tmp_path, root):
    (tmp_path / "bomb.png").write_bytes(png(side, side, bytes(zeros)))
    command = [sys.executable, "-c", PEAK, str(pictures / "cat/00.png"), str(tmp_path / "bomb.png")]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert int(ended.stdout.split()[0]) < most_mib


# what is no file


def test_a_socket_is_an_error_row_and_is_not_opened(pictures, errors, monkeypatch):
    monkeypatch.chdir(pictures / "cat")  # the path of a socket is at most 107 bytes
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.png")
        assert errors() == {"cat/socket.png": "is not a regular file"}


@pytest.mark.privileged
def test_a_device_is_an_error_row_and_is_not_opened(pictures, errors):
    os.mknod(pictures / "cat/zero.png", 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    assert errors() == {"cat/zero.png": "is not a regular file"}


def test_everything_that_leads_outside_stays_there(pictures, errors, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.png").write_bytes(SECRET)
    (pictures / "cat/file.png").symlink_to(tmp_path / "outside/secret.png")
    (pictures / "cat/relative.png").symlink_to("../../outside/secret.png")
    (pictures / "cat/folder").symlink_to(tmp_path / "outside")
    (pictures / "cat/chain.png").symlink_to("file.png")
    (pictures / "cat/process.png").symlink_to("/proc/self/environ")
    outside = "is a link that leads outside the dataset"
    names = ("file", "relative", "chain", "process")
    assert errors() == {**{f"cat/{name}.png": outside for name in names}, "cat/folder": "is a link to a folder"}


def test_a_file_in_a_folder_that_a_link_leads_to_is_refused(pictures, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.png").write_bytes(SECRET)
    (pictures / "cat/folder").symlink_to(tmp_path / "outside")
    assert refusal(pictures / "cat/folder/secret.png", pictures) == "is a link that leads outside the dataset"


@pytest.fixture
def deep(pictures: Path, monkeypatch):
    """Folders in folders, deeper than Python recurses; afterwards they are gone, which takes a program of its own."""
    monkeypatch.chdir(pictures / "cat")
    for _ in range(2500):
        Path("d").mkdir()
        os.chdir("d")
    Path("deep.png").write_bytes(b"x")
    yield
    subprocess.run(["rm", "-rf", pictures / "cat/d"], check=True)


@pytest.mark.usefixtures("deep")
def test_folders_deeper_than_a_path_can_be_long_are_an_error_row(errors):
    assert list(errors().values()) == ["the folder cannot be listed (File name too long)"]


# names


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("e\u0301.png", "e\u0301.png"),
        ("\u00e9.png", "\u00e9.png"),
        ("👩\u200d💻🇲🇦.png", "👩\u200d💻🇲🇦.png"),
        ("عربي 漢字.png", "عربي 漢字.png"),
        ("a\nb\r\tc.png", "a\\nb\\r\\tc.png"),
        ("\x1b[2J\x1b]0;owned\x07.png", "\\x1b[2J\\x1b]0;owned\\x07.png"),
        ("gnp.\u202etac.png", "gnp.\\u202etac.png"),
        ("a\u2028b.png", "a\\u2028b.png"),
        ("caf\udce9.png", "caf\\xe9.png"),
        (" .png", " .png"),
        ("%2e%2e%2fa.png", "%2e%2e%2fa.png"),
        ("'; DROP TABLE x; --.png", "'; DROP TABLE x; --.png"),
        ("-rf.png", "-rf.png"),
        ("a" * 251 + ".png", "a" * 251 + ".png"),
    ],
)
def test_a_file_of_any_name_is_one_sample_whose_id_is_one_line_of_text(pictures, errors, name, shown):
    (pictures / "cat" / name).write_bytes(b"rubbish")
    assert list(errors()) == [f"cat/{shown}"]


def test_two_names_that_look_alike_are_two_samples(pictures, errors):
    for name in ("e\u0301.png", "\u00e9.png"):
        (pictures / "cat" / name).write_bytes(b"rubbish")
    assert len({unicodedata.normalize("NFC", sample_id) for sample_id in errors()}) == 1
    assert len(errors()) == 2


def test_two_classes_that_look_alike_are_refused(pictures, errors):
    for name in ("e\u0301", "\u00e9"):
        shutil.copytree(pictures / "cat", pictures / name)
    with pytest.raises(DataFault, match=r"two class folders look alike: 'e\\u0301' and '\\xe9'"):
        errors()


def test_an_error_is_one_line_that_steers_no_terminal(tmp_path):
    (tmp_path / "a\x1b[2J\n\u202e").mkdir()
    with pytest.raises(DataFault) as fault:
        list(plugin.samples(tmp_path, NoOptions()))
    assert fault.value.line().isprintable()


def test_a_name_is_written_out_where_it_is_no_text():
    assert text_of("\ud800\x9b\u2066") == "\\ud800\\x9b\\u2066"


# folders that change while they are read


def test_what_vanishes_after_it_was_listed_is_an_error_row(pictures):
    samples = plugin.samples(pictures, NoOptions())
    next(samples)
    shutil.rmtree(pictures / "dog")
    (pictures / "cat/05.png").unlink()
    found = {sample.id: sample.error for sample in samples if sample.error is not None}
    assert found == {"cat/05.png": "cannot be read", "dog": "the folder cannot be listed (No such file or directory)"}


def test_a_folder_that_becomes_a_link_outside_is_not_read(pictures, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.png").write_bytes(SECRET)
    samples = plugin.samples(pictures, NoOptions())
    next(samples)
    shutil.rmtree(pictures / "dog")
    (pictures / "dog").symlink_to(tmp_path / "outside")
    found = {sample.id: sample.error for sample in samples if sample.label == "dog"}
    assert found == {"dog/secret.png": "is a link that leads outside the dataset"}


def test_a_file_that_becomes_another_after_it_was_looked_at_is_no_longer_used(pictures, tmp_path, errors):
    errors()
    from edgeloop.data.dataset import Dataset

    dataset = Dataset(tmp_path / "dataset")
    sample = dataset.rows[0]
    (pictures / sample.id).write_bytes(SECRET)
    with pytest.raises(DataFault, match="has changed since prepare_data"):
        dataset.content(sample)


# many files


def linked(folder: Path, count: int) -> Path:
    """So many names of a few pictures, in two classes; a file has at most 60,000 names."""
    for label in ("a", "b"):
        (folder / label).mkdir(parents=True)
    for number in range(count):
        if number % 60_000 < 2:
            source = folder / "ab"[number % 2] / f"{number:07d}.png"
            Image.new("L", (8, 8)).save(source)
        else:
            os.link(source, folder / "ab"[number % 2] / f"{number:07d}.png")
    return folder


LISTING = """
import sys
from pathlib import Path
from edgeloop.data.sources import NoOptions
from edgeloop.data.sources.image_folder import plugin

def peak_kib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

before = peak_kib()
count = sum(1 for _ in plugin.samples(Path(sys.argv[1]), NoOptions()))
print(count, (peak_kib() - before) // 1024)
"""


def listing(folder: Path, root: Path) -> tuple[int, int]:
    """How many samples a process lists, and how many MiB it needs for that."""
    command = [sys.executable, "-c", LISTING, str(folder)]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    count, mib = ended.stdout.split()
    return int(count), int(mib)


@pytest.mark.slow
def test_many_files_are_listed_one_by_one(tmp_path, root):
    count, mib = listing(linked(tmp_path / "many", 20_000), root)
    assert count == 20_000
    assert mib < 20


@pytest.mark.long
def test_a_million_files_are_listed_in_bounded_memory(tmp_path, root):
    count, mib = listing(linked(tmp_path / "many", 1_000_000), root)
    assert count == 1_000_000
    assert mib < 300


def test_more_files_than_can_be_held_are_refused_by_number(pictures, monkeypatch):
    monkeypatch.setattr(folders, "MAX_FILES", 11)
    with pytest.raises(DataFault, match="holds more than 11 files; divide the dataset"):
        list(files_below(pictures / "cat"))


@pytest.mark.parametrize("source", ["yolo", "coco", "image_folder"])
def test_listing_is_shown_while_it_goes_on(source, pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("EDGELOOP_PROGRESS", "lines")
    shutil.copytree(pictures / "cat", pictures / "images")
    names = [f"{number:02d}.png" for number in range(12)]
    listed = {
        "images": [{"id": n, "file_name": name} for n, name in enumerate(names)],
        "annotations": [{"image_id": n, "category_id": 0, "bbox": [1, 1, 5, 5]} for n in range(12)],
        "categories": [{"id": 0, "name": "a"}],
    }
    (pictures / "instances.json").write_text(json.dumps(listed))
    (pictures / "data.yaml").write_text("names: [a]\n")
    (pictures / "labels").mkdir()
    for name in names:
        (pictures / "labels" / name).with_suffix(".txt").write_text("0 0.5 0.5 0.5 0.5\n")
    if source == "image_folder":
        shutil.rmtree(pictures / "labels")
    params = PrepareDataParams(source=source, path=pictures)
    prepare(params, dataset=tmp_path / "dataset", profile=tmp_path / "profile.json")
    assert '"text": "10 found"' in capsys.readouterr().err
