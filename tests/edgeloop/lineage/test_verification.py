"""`edgeloop lineage verify | attest | show | export`, and who is asked for a signature where a model is used."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edgeloop import keys, references, signing
from edgeloop.__main__ import app
from edgeloop.errors import InputFault, ModelFault
from edgeloop.lineage import verification
from edgeloop.lineage.example import example_bundle
from edgeloop.lineage.exporting import exported
from edgeloop.prediction import predict
from edgeloop.registries.folder import plugin as registry


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project with a key, a bundle that it signed, and one that somebody else signed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(keys.KEY_VARIABLE, raising=False)
    keys.create_key(keys.KEY_FILE, trust=keys.TRUST)
    keys.create_key(Path("theirs.pem"), trust=Path("foreign"))
    signing.sign(example_bundle(Path("bundle")).folder, keys.KEY_FILE)
    signing.sign(example_bundle(Path("stranger"), seed=1).folder, Path("theirs.pem"))


def edgeloop(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["lineage", *arguments])


def said(result: Result) -> str:
    """The one line on stderr."""
    (line,) = result.stderr.splitlines()
    return line


def test_a_whole_bundle_ends_with_code_0_and_the_key_that_signed_it() -> None:
    result = edgeloop("verify", "bundle", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["ok"]
    assert found["signed_by"] == ".edgeloop/trust/signing.pem"
    assert found["findings"] == []


def test_a_bundle_that_was_tampered_with_ends_with_code_1_and_names_the_file() -> None:
    Path("bundle/models/fake-int8.json").write_text("{}")
    result = edgeloop("verify", "bundle", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["findings"][0]["file"] == "models/fake-int8.json"
    assert "bundle/models/fake-int8.json" in said(result)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gone"], "gone: is no folder"),
        (["theirs.pem"], "is no folder"),
        (["bundle", "--key", "gone.pem"], "gone.pem: does not exist"),
        (["bundle", "--key", "theirs.pem"], "is not a public key"),
        (["bundle", "--trust", "gone"], "gone: no public key to trust"),
        (["bundle", "--key", "foreign/theirs.pem", "--trust", "gone"], "gone: no public key to trust"),
    ],
)
def test_bad_usage_ends_with_code_2(arguments: list[str], words: str) -> None:
    result = edgeloop("verify", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert words in said(result)


def test_without_any_key_to_trust_nothing_is_verified(tmp_path: Path) -> None:
    shutil.rmtree(keys.TRUST)
    result = edgeloop("verify", "bundle")
    assert result.exit_code == 2
    assert "--key" in said(result)


def test_named_keys_alone_count_unless_a_folder_is_named_too() -> None:
    assert edgeloop("verify", "bundle", "--key", "foreign/theirs.pem").exit_code == 1
    assert edgeloop("verify", "stranger", "--key", "foreign/theirs.pem").exit_code == 0
    both = ["--key", "foreign/theirs.pem", "--trust", str(keys.TRUST)]
    assert [edgeloop("verify", name, *both).exit_code for name in ("bundle", "stranger")] == [0, 0]


def test_a_key_in_the_bundle_is_never_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree("foreign", "stranger/signature/trust")
    Path("innocent.pem").symlink_to("stranger/signature/trust/theirs.pem")
    for named in ("stranger/signature/trust/theirs.pem", "innocent.pem"):
        result = edgeloop("verify", "stranger", "--key", named)
        assert (result.exit_code, "lies in the bundle" in said(result)) == (2, True)
    shutil.copytree("foreign", "stranger/.edgeloop/trust")
    monkeypatch.chdir("stranger")
    assert "lies in the bundle" in said(edgeloop("verify", "."))


def test_a_statement_that_was_attested_is_shown_with_its_signer() -> None:
    Path("measured.json").write_text('{"board": {"p50_ms": 1.25}}')
    assert edgeloop("attest", "bundle", "benchmark", "measured.json").exit_code == 0
    (statement,) = json.loads(edgeloop("show", "bundle", "--json").stdout)["statements"]
    assert (statement["kind"], statement["body"]) == ("benchmark", {"board": {"p50_ms": 1.25}})
    assert statement["signed_by"] == ".edgeloop/trust/signing.pem"
    assert "board.p50_ms" in edgeloop("show", "bundle").stdout
    assert edgeloop("verify", "bundle").exit_code == 0


def test_of_a_statement_by_nobody_trusted_the_content_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("claim.json").write_text('{"accuracy": 0.999}')
    assert edgeloop("attest", "bundle", "claim", "claim.json").exit_code == 0
    shutil.rmtree(keys.TRUST)
    shutil.copytree("foreign", keys.TRUST)
    shown = edgeloop("show", "bundle")
    assert shown.exit_code == 0
    assert "0.999" not in shown.stdout
    assert "was not signed by a trusted key" in shown.stdout


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("benchmark", "[1]", "no JSON object"),
        ("benchmark", "{", "is not JSON"),
        ("benchmark", '{"a": NaN}', "is not JSON"),
        ("../up", "{}", "is no kind of evidence"),
        ("Benchmark", "{}", "is no kind of evidence"),
    ],
)
def test_rubbish_is_not_attested(kind: str, text: str, words: str) -> None:
    Path("statement.json").write_text(text)
    result = edgeloop("attest", "bundle", kind, "statement.json")
    assert result.exit_code == 2
    assert words in said(result)
    assert not Path("bundle/evidence").exists()


def test_nothing_is_attested_of_a_bundle_that_is_not_trusted() -> None:
    Path("statement.json").write_text("{}")
    result = edgeloop("attest", "stranger", "benchmark", "statement.json")
    assert result.exit_code == 2
    assert "was not signed by a trusted key" in said(result)


def test_a_manifest_is_exported_byte_for_byte_under_the_short_digest_of_its_subject() -> None:
    result = edgeloop("export", "bundle", "--json")
    written = Path(json.loads(result.stdout)["manifest"])
    digest = json.loads(edgeloop("show", "bundle", "--json").stdout)["subject_digest"]
    assert written == Path("manifests/lineage/example") / f"{digest.removeprefix('sha256:')[:12]}.yaml"
    assert written.read_bytes() == Path("bundle/lineage.yaml").read_bytes()


def test_the_manifest_of_a_registered_version_is_exported_under_its_number() -> None:
    registry.push(verification.opened(Path("bundle")), "example", tags={})
    registry.promote("example", "champion", "1")
    assert exported("folder:example@champion", Path("out")) == Path("out/example/1.yaml")


def test_a_name_that_leads_elsewhere_is_not_exported() -> None:
    signing.sign(example_bundle(Path("evil"), name="../../evil").folder, keys.KEY_FILE)
    with pytest.raises(ModelFault, match="no folder's"):
        exported("evil", Path("manifests/lineage"))


@pytest.mark.parametrize("named", ["stranger", "folder:stranger@1"])
def test_a_model_to_begin_with_or_to_watch_must_be_signed_by_a_trusted_key(named: str) -> None:
    registry.push(verification.Bundle.open(Path("stranger")), "stranger", tags={})
    words = rf"^{named}: signature/bundle.sig: was not signed by a trusted key"
    with pytest.raises(ModelFault, match=words), references.opened(named):
        pytest.fail("it was opened")
    shutil.copy("foreign/theirs.pem", keys.TRUST)
    with references.opened(named) as bundle:
        assert bundle.manifest.name == "example"


def test_a_trust_folder_with_rubbish_is_named_where_a_model_is_used() -> None:
    (keys.TRUST / "note.pem").write_text("the key is at Bob's")
    with pytest.raises(InputFault, match=r"note\.pem: is not a public key"):
        verification.opened(Path("bundle"))


def test_a_stranger_s_model_is_not_asked_for_an_answer() -> None:
    Path("picture.png").write_bytes(b"")
    with pytest.raises(ModelFault, match="was not signed by a trusted key"):
        predict(Path("stranger"), [Path("picture.png")])


def test_where_no_key_is_trusted_only_the_files_are_verified() -> None:
    shutil.rmtree(keys.TRUST)
    with references.opened("stranger") as bundle:
        assert bundle.manifest.name == "example"
    Path("stranger/model_card.md").write_text("")
    with pytest.raises(ModelFault, match="model_card"), references.opened("stranger"):
        pytest.fail("it was opened")
