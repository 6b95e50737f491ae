"""Data that lies in S3 (a real server of the protocol), in a DVC repository, and in a folder by its address."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeloop.canonical import sha256_of_file
from edgeloop.data.dataset import Dataset
from edgeloop.data.preparation import PrepareDataParams, prepare
from edgeloop.data.pushing import push
from edgeloop.data.storage import cache_folder, content_at, view_of
from edgeloop.errors import DataFault, EdgeloopError, ParamsFault, ServerFault
from edgeloop.params import validated


@pytest.fixture
def unplugged(monkeypatch):
    """From its call on nothing answers at the server's address."""
    import s3fs

    def unplug():
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        s3fs.S3FileSystem.clear_instance_cache()  # connections are kept for the whole process

    yield unplug
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGELOOP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def few(tmp_path):
    for number, name in enumerate(("cat/01.png", "cat/02.png", "dog/01.png")):
        (tmp_path / "few" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "few" / name).write_bytes(b"picture %d" % number)
    return tmp_path / "few"


def prepared(tmp_path, **place):
    params = PrepareDataParams(source="image_folder", **place)
    return prepare(params, dataset=tmp_path / "dataset", profile=tmp_path / "profile.json")


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_was_pushed_is_what_is_seen(s3, few):
    push(few, s3)
    with view_of(s3) as view:
        assert contents(view.path) == contents(few)


def test_a_dataset_in_s3_has_the_digests_of_the_same_folder(s3, pictures, tmp_path):
    push(pictures, s3)
    assert prepared(tmp_path / "1", path=pictures) == prepared(tmp_path / "2", url=s3)


def test_samples_are_named_by_their_place_in_s3_and_read_from_there(s3, pictures, tmp_path, monkeypatch):
    push(pictures, s3)
    prepared(tmp_path, url=s3)
    dataset = Dataset(tmp_path / "dataset")
    assert all(sample.uri.startswith(f"{s3}/") for sample in dataset.samples)
    monkeypatch.setenv("EDGELOOP_CACHE", str(tmp_path / "another machine"))
    assert len(list(dataset.contents(dataset.samples))) == 47


def test_what_is_in_the_cache_is_not_asked_for_again(s3, pictures, tmp_path, unplugged):
    push(pictures, s3)
    prepared(tmp_path, url=s3)
    dataset = Dataset(tmp_path / "dataset")
    unplugged()
    assert len(list(dataset.contents(dataset.samples))) == 47


def test_a_cached_content_that_was_changed_is_not_believed(cache, pictures):
    file = pictures / "cat/01.png"
    sha256, uri = sha256_of_file(file), file.as_uri()
    assert content_at(uri, sha256=sha256) == file.read_bytes()
    (kept,) = (path for path in (cache / "objects").rglob("*") if path.is_file())
    kept.write_bytes(b"changed")
    assert content_at(uri, sha256=sha256) == file.read_bytes()


def test_the_view_is_gone_with_its_block(cache, pictures):
    with view_of(pictures.as_uri()) as view:
        place = view.path
        assert (place / "cat/01.png").is_file()
    assert not place.exists()
    assert not list((cache / "views").iterdir())


def test_a_single_file_is_seen_as_a_file(cache, pictures):
    with view_of((pictures / "cat/01.png").as_uri()) as view:
        assert view.path.name == "01.png"
        assert view.uri_of(view.path.as_uri()) == (pictures / "cat/01.png").as_uri()


def test_nothing_there_is_a_data_fault(s3):
    with pytest.raises(DataFault), view_of(f"{s3}/nowhere"):
        pass


def test_a_server_that_is_not_there_is_a_server_fault_of_one_line(s3, unplugged):
    unplugged()
    with pytest.raises(ServerFault) as fault, view_of(f"{s3}/x"):
        pass
    assert "\n" not in fault.value.line()


def test_an_unknown_protocol_is_a_fault(cache):
    with pytest.raises(EdgeloopError, match="nonsense"), view_of("nonsense://x"):
        pass


def test_path_and_url_together_are_refused():
    with pytest.raises(ParamsFault, match="path and url"):
        validated({"prepare_data": {"path": "a", "url": "s3://b"}}, where="params.yaml")


def test_a_second_push_sends_nothing(s3, few):
    assert push(few, s3).sent == 3
    assert push(few, s3).sent == 0


def test_only_what_has_changed_is_sent(s3, few):
    push(few, s3)
    (few / "cat/01.png").write_bytes((few / "cat/02.png").read_bytes())
    assert push(few, s3).sent == 1


def test_what_was_lost_there_is_sent_again(s3, few, s3_server):
    import boto3

    push(few, s3)
    bucket, _, folder = s3.removeprefix("s3://").partition("/")
    boto3.client("s3", endpoint_url=s3_server).delete_object(Bucket=bucket, Key=f"{folder}/cat/01.png")
    assert push(few, s3).sent == 1


def test_a_dry_run_counts_and_sends_nothing(s3, few):
    assert push(few, s3, dry_run=True).sent == 3
    with pytest.raises(DataFault), view_of(s3):
        pass


def test_links_that_lead_outside_and_hidden_files_stay_here(cache, pictures, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (pictures / "cat/link.png").symlink_to(tmp_path / "secret")
    (pictures / ".hidden").write_text("hidden")
    push(pictures, (tmp_path / "there").as_uri())
    assert not {"cat/link.png", ".hidden"} & contents(tmp_path / "there").keys()


def test_an_empty_folder_is_nothing_to_push(cache, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataFault, match="holds no file"):
        push(tmp_path / "empty", (tmp_path / "there").as_uri())


def test_the_cache_lies_where_the_user_says(monkeypatch, tmp_path):
    monkeypatch.delenv("EDGELOOP_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "edgeloop"


@pytest.mark.slow
def test_data_that_dvc_keeps_is_read_from_its_cache(pictures, tmp_path, monkeypatch, cache):
    repository = tmp_path / "repository"
    repository.mkdir()
    pictures.rename(repository / "pictures")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for command in (["git", "init", "-q"], ["dvc", "init", "-q"], ["dvc", "add", "-q", "pictures"]):
        subprocess.run(command, cwd=repository, check=True, capture_output=True, env=environment)
    expected = contents(repository / "pictures")
    subprocess.run(["rm", "-r", "pictures"], cwd=repository, check=True)
    monkeypatch.chdir(repository)
    with view_of("dvc://pictures") as view:
        assert contents(view.path) == expected
