import io
import os
import signal
import stat
import subprocess
import sys

import pytest

from edgeloop import keys, signing
from edgeloop.errors import EnvironmentFault, InputFault, ModelFault
from edgeloop.killing import KILL_VARIABLE


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    keys.create_key(folder / "mine.pem", trust=folder / "trust")
    keys.create_key(folder / "theirs.pem", trust=folder / "foreign")
    return folder


@pytest.fixture
def bundle(tmp_path, pair):
    bundle = tmp_path / "bundle"
    (bundle / "models").mkdir(parents=True)
    (bundle / "models" / "a.onnx").write_bytes(b"weights")
    (bundle / "lineage.yaml").write_text("subject: {}\n")
    signing.sign(bundle, pair / "mine.pem")
    return bundle


def flip(bundle):
    (bundle / "models" / "a.onnx").write_bytes(b"weightt")


def add(bundle):
    (bundle / "models" / "b.onnx").touch()


def remove(bundle):
    (bundle / "models" / "a.onnx").unlink()


def rename(bundle):
    (bundle / "models" / "a.onnx").rename(bundle / "models" / "c.onnx")


def hide_in_git(bundle):
    (bundle / ".gitignore").touch()


def strip(bundle):
    (bundle / signing.SIGNATURE).unlink()


def scramble(bundle):
    (bundle / signing.SIGNATURE).write_text("{}")


def link(bundle):
    (bundle / "models" / "l.onnx").symlink_to("/etc/passwd")


def test_what_was_signed_is_accepted_under_any_name_of_the_folder(bundle, pair):
    moved = bundle.rename(bundle.with_name("elsewhere"))
    assert signing.verify(moved, [pair / "trust" / "mine.pem"]).name == "mine.pem"


@pytest.mark.parametrize("tamper", [flip, add, remove, rename, hide_in_git, strip, scramble, link])
def test_whatever_is_changed_is_refused(bundle, pair, tamper):
    tamper(bundle)
    with pytest.raises(ModelFault) as caught:
        signing.verify(bundle, [pair / "trust" / "mine.pem"])
    assert "\n" not in caught.value.line()


@pytest.mark.parametrize(
    ("tamper", "file"), [(flip, "models/a.onnx"), (add, "models/b.onnx"), (remove, "models/a.onnx")]
)
def test_the_file_that_differs_is_named(bundle, pair, tamper, file):
    tamper(bundle)
    with pytest.raises(ModelFault, match=file):
        signing.verify(bundle, [pair / "trust" / "mine.pem"])


def test_a_bundle_signed_again_by_a_foreign_key_is_refused(bundle, pair):
    flip(bundle)
    signing.sign(bundle, pair / "theirs.pem")
    with pytest.raises(ModelFault, match="not signed by a trusted key"):
        signing.verify(bundle, [pair / "trust" / "mine.pem"])


def test_a_private_key_is_for_its_owner_alone_and_never_overwritten(pair):
    assert stat.S_IMODE((pair / "mine.pem").stat().st_mode) == 0o600
    with pytest.raises(InputFault, match="exists already"):
        keys.create_key(pair / "mine.pem")


def test_no_key_is_made_unless_it_may_be(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(EnvironmentFault, match="create_key"):
        keys.signing_key(may_create=False)
    assert not (tmp_path / ".edgeloop").exists()
    keys.signing_key(may_create=True)
    assert keys.trusted_keys() == [keys.TRUST / "signing.pem"]


@pytest.mark.parametrize("moment", ["1", "1+", "2", "2+"])
def test_a_project_whose_first_key_was_cut_off_in_the_making_trusts_its_key_in_the_end(tmp_path, root, moment):
    make = "from edgeloop import keys; keys.signing_key(may_create=True); print(*keys.trusted_keys())"
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", make]
    killed = subprocess.run(command, cwd=tmp_path, env={**environment, KILL_VARIABLE: moment}, stdin=subprocess.DEVNULL)
    assert killed.returncode == -signal.SIGKILL
    assert not [path for path in (tmp_path / ".edgeloop").glob("*.pem") if not path.read_bytes()]
    subprocess.run(command, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, check=True)
    mine = keys.private_key(tmp_path / keys.KEY_FILE).public_key()
    assert [keys.public_key(path) for path in (tmp_path / keys.TRUST).glob("*.pem")] == [mine]


def test_in_a_container_no_key_is_ever_made_and_the_secret_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(EnvironmentFault, match=keys.KEY_VARIABLE):
        keys.signing_key(may_create=True)
    assert not (tmp_path / ".edgeloop").exists()


def test_without_a_key_to_trust_nothing_is_verified(tmp_path):
    with pytest.raises(InputFault, match="no public key"):
        keys.trusted_keys(trust=tmp_path)


def test_a_statement_is_opened_by_the_key_that_signed_it_only(pair):
    envelope = signing.signed_statement("sha256:" + "0" * 64, "benchmark", {"p50_ms": 1.5}, key=pair / "mine.pem")
    opened = signing.opened_statement(envelope, [pair / "trust" / "mine.pem"], where="e.json")
    assert (opened.kind, opened.body) == ("benchmark", {"p50_ms": 1.5})
    assert opened.subject_digest == "sha256:" + "0" * 64
    assert opened.key == pair / "trust" / "mine.pem"
    with pytest.raises(ModelFault, match="not signed by a trusted key"):
        signing.opened_statement(envelope, [pair / "foreign" / "theirs.pem"], where="e.json")


def test_a_statement_with_another_payload_is_refused(pair):
    good = signing.signed_statement("sha256:" + "0" * 64, "benchmark", {"p50_ms": 1.5}, key=pair / "mine.pem")
    other = signing.signed_statement("sha256:" + "0" * 64, "benchmark", {"p50_ms": 0.5}, key=pair / "theirs.pem")
    with pytest.raises(ModelFault, match="not signed"):
        signing.opened_statement({**good, "payload": other["payload"]}, [pair / "trust" / "mine.pem"], where="e")
    for rubbish in ({}, {"payload": "x"}, {**good, "payloadType": "text"}, {**good, "signatures": 3}):
        with pytest.raises(ModelFault, match="not a signed statement"):
            signing.opened_statement(rubbish, [pair / "trust" / "mine.pem"], where="e")
