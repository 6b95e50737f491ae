import zipfile

import pytest

from edgeloop.data import shards
from edgeloop.data.shards import Shards
from edgeloop.errors import InputFault

CONTENTS = {"a/é": b"first", "b?#": b"", "c" * 200: bytes(range(256)) * 100}


@pytest.fixture
def packed(tmp_path, monkeypatch):
    """CONTENTS in shards that are full with 25 kB."""
    monkeypatch.setattr(shards, "SHARD_BYTES", 25_000)
    with Shards(tmp_path) as writer:
        return {name: writer.packed(name, content) for name, content in [*CONTENTS.items(), ("d", b"last")]}


def test_what_is_packed_can_be_read_where_it_lies(packed):
    assert {name: one.read() for name, one in packed.items()} == {**CONTENTS, "d": b"last"}


def test_a_full_shard_is_followed_by_another(packed, tmp_path):
    assert [path.name for path in sorted((tmp_path / "shards").iterdir())] == ["0000.zip", "0001.zip"]


def test_a_shard_is_a_zip_archive_of_the_contents(packed, tmp_path):
    member, _, archive = packed["c" * 200].uri.removeprefix("zip://").partition("::")
    with zipfile.ZipFile(tmp_path / archive) as shard:
        assert shard.read(member) == CONTENTS["c" * 200]
        assert {entry.compress_type for entry in shard.infolist()} == {zipfile.ZIP_STORED}


def test_a_shard_that_is_gone_is_named(packed, tmp_path):
    (tmp_path / "shards/0001.zip").unlink()
    with pytest.raises(InputFault, match=r"0001\.zip"):
        packed["d"].read()
