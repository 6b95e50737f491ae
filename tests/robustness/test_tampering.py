"""Whatever is changed in a signed bundle is refused: a matrix over every file, folder, signature and statement."""

import json
import random
import shutil
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from edgeloop import keys, signing
from edgeloop.bundle import Bundle
from edgeloop.canonical import sha256_of_file
from edgeloop.errors import GateRefused, ModelFault
from edgeloop.lineage import verification
from edgeloop.lineage.example import example_bundle
from edgeloop.lineage.statements import add_statement

SIGNATURE = signing.SIGNATURE.as_posix()
FLIPS = 12
"""Places in each file at which one byte is changed; small files are changed at every byte."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`mine` with two statements, `older` of the same model, `foreign` made by somebody else, and the keys."""
    home = tmp_path_factory.mktemp("made")
    keys.create_key(home / "mine.pem", trust=home / "trust")
    keys.create_key(home / "theirs.pem", trust=home / "foreign-trust")
    for name, seed, key in (("mine", 1, "mine"), ("older", 0, "mine"), ("foreign", 1, "theirs")):
        bundle = example_bundle(home / name, seed=seed)
        signing.sign(bundle.folder, home / f"{key}.pem")
        for kind in ("benchmark", "field_test"):
            add_statement(bundle, kind, {"p50_ms": 1.5 + seed}, key=home / f"{key}.pem")
    return home


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "mine", tmp_path / "bundle"))


def verified(bundle: Path, made: Path) -> verification.Verification:
    return verification.verified(bundle, keys.trusted_keys(trust=made / "trust"))


def refusal(bundle: Path, made: Path) -> str:
    """The one line that a user reads, after the verdict was asked for in full."""
    found = verified(bundle, made)
    assert not found.ok
    assert found.findings
    with pytest.raises(GateRefused) as caught:
        verification.refuse_unless_ok(found)
    assert "\n" not in caught.value.line()
    assert caught.value.exit_code == 1
    return caught.value.line()


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def statements(folder: Path) -> list[str]:
    return [name for name in files(folder) if name.startswith("evidence/")]


# the names are those of any example bundle; the two of evidence/ follow from what they say
NAMES = ["lineage.yaml", "model_card.md", "models/fake-fp32.json", "models/fake-int8.json", "models/model.json",
         "models/variants.json", SIGNATURE, "evidence/0", "evidence/1"]  # fmt: skip
SIGNED = [name for name in NAMES if not name.startswith(("evidence/", "signature/"))]


def named(bundle: Path, name: str) -> str:
    return statements(bundle)[int(name[-1])] if name.startswith("evidence/") else name


def test_the_matrix_is_over_every_file(made: Path) -> None:
    assert sorted(named(made / "mine", name) for name in NAMES) == files(made / "mine")


def test_untouched_it_is_accepted_with_all_its_statements(bundle: Path, made: Path) -> None:
    found = verified(bundle, made)
    assert found.ok and found.findings == ()
    assert found.signed_by == str(made / "trust" / "mine.pem")
    assert [one.kind for one in found.statements] == ["benchmark", "field_test"]


@pytest.mark.parametrize("name", NAMES)
def test_one_flipped_byte_is_refused(name: str, bundle: Path, made: Path) -> None:
    name = named(bundle, name)
    path = bundle / name
    content = path.read_bytes()
    chosen = random.Random(name)
    places = {0, len(content) - 1, *(chosen.randrange(len(content)) for _ in range(FLIPS))}
    for place in places if len(content) > 200 else range(len(content)):
        flipped = content[place] ^ (1 << chosen.randrange(8))
        path.write_bytes(content[:place] + bytes([flipped]) + content[place + 1 :])
        line = refusal(bundle, made)
        assert name in line, place


@pytest.mark.parametrize("name", SIGNED)
def test_one_flipped_byte_is_refused_where_a_bundle_is_used(name: str, bundle: Path, made: Path, at_home: None) -> None:
    path = bundle / name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelFault, match=Path(name).name):
        verification.opened(bundle)


@pytest.fixture
def at_home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project that trusts the key `mine`."""
    shutil.copytree(made / "trust", tmp_path / keys.TRUST)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", [*SIGNED, SIGNATURE])
def test_a_missing_file_is_refused(name: str, bundle: Path, made: Path) -> None:
    (bundle / name).unlink()
    assert name in refusal(bundle, made)


@pytest.mark.parametrize("folder", [".", "models", "signature", "evidence", "new", "models/new", "evidence/new"])
@pytest.mark.parametrize("name", ["extra.json", ".hidden", ".gitignore"])
def test_an_extra_file_is_refused(folder: str, name: str, bundle: Path, made: Path) -> None:
    (bundle / folder).mkdir(exist_ok=True)
    (bundle / folder / name).write_text("{}")
    line = refusal(bundle, made)
    assert name in line or f"{folder}:" in line


@pytest.mark.parametrize("folder", ["new", "models/new", "signature/new", "evidence/new"])
def test_an_extra_folder_is_refused(folder: str, bundle: Path, made: Path) -> None:
    (bundle / folder).mkdir()
    assert folder in refusal(bundle, made)


@pytest.mark.parametrize("name", NAMES)
def test_a_renamed_file_is_refused(name: str, bundle: Path, made: Path) -> None:
    path = bundle / named(bundle, name)
    path.rename(path.with_name(f"renamed-{path.name}"))
    assert path.name in refusal(bundle, made)


@pytest.mark.parametrize("name", NAMES)
def test_a_link_in_the_place_of_a_file_is_refused(name: str, bundle: Path, made: Path, tmp_path: Path) -> None:
    path = bundle / named(bundle, name)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert path.name in refusal(bundle, made)


@pytest.mark.parametrize("folder", ["models", "signature", "evidence"])
def test_a_link_in_the_place_of_a_folder_is_refused(folder: str, bundle: Path, made: Path, tmp_path: Path) -> None:
    (bundle / folder).rename(tmp_path / "elsewhere")
    (bundle / folder).symlink_to(tmp_path / "elsewhere")
    assert folder in refusal(bundle, made)


@pytest.mark.parametrize("a", range(len(NAMES)))
def test_two_files_swapped_are_refused(a: int, bundle: Path, made: Path) -> None:
    names = [named(bundle, name) for name in NAMES]
    for b in range(a + 1, len(names)):
        one, two = bundle / names[a], bundle / names[b]
        first, second = one.read_bytes(), two.read_bytes()
        one.write_bytes(second)
        two.write_bytes(first)
        line = refusal(bundle, made)
        assert names[a] in line or names[b] in line
        one.write_bytes(first)
        two.write_bytes(second)


def from_another(names: list[str], other: str) -> Callable[[Path, Path], None]:
    def tamper(bundle: Path, made: Path) -> None:
        for name in names:
            (bundle / name).unlink()
            (bundle / name).write_bytes((made / other / name).read_bytes())

    return tamper


def rewritten_with_its_file(bundle: Path, made: Path) -> None:
    """A model and its entry in the list of files, changed together."""
    card = bundle / "model_card.md"
    card.write_text("# better than it is\n")
    manifest = yaml.safe_load((bundle / "lineage.yaml").read_text())
    manifest["files"]["model_card.md"] = {"sha256": sha256_of_file(card), "size_bytes": card.stat().st_size}
    (bundle / "lineage.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False))


def rewritten_and_signed_again(bundle: Path, made: Path) -> None:
    rewritten_with_its_file(bundle, made)
    signing.sign(bundle, made / "theirs.pem")


def signed_again(bundle: Path, made: Path) -> None:
    signing.sign(bundle, made / "theirs.pem")


def another_name(bundle: Path, made: Path) -> None:
    """The name of the model stands outside of the subject: only the signature holds it."""
    text = (bundle / "lineage.yaml").read_text()
    (bundle / "lineage.yaml").write_text(text.replace("name: example", "name: exampel", 1))


def key_of_theirs_inside(bundle: Path, made: Path) -> None:
    shutil.copy(made / "foreign-trust" / "theirs.pem", bundle / "signature" / "trusted.pem")
    signing.sign(bundle, made / "theirs.pem")


def spelled_otherwise(bundle: Path, made: Path) -> None:
    """The bits of base64 that no byte is made of, where the signature leaves any."""
    path = bundle / SIGNATURE
    envelope = json.loads(path.read_text())
    entry = envelope["dsseEnvelope"]["signatures"][0]
    entry["sig"] = slack(entry["sig"])
    path.write_text(json.dumps(envelope, separators=(",", ":")))


def indented(bundle: Path, made: Path) -> None:
    path = bundle / SIGNATURE
    path.write_text(json.dumps(json.loads(path.read_text()), indent=1))


def without_hint(bundle: Path, made: Path) -> None:
    path = bundle / SIGNATURE
    envelope = json.loads(path.read_text())
    del envelope["verificationMaterial"]["publicKey"]["hint"]
    path.write_text(json.dumps(envelope, separators=(",", ":")))


def slack(encoded: str) -> str:
    """Other base64 text of the same bytes, or of one byte more where the text has no slack."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    text = encoded.rstrip("=")
    padding = len(encoded) - len(text)
    if not padding:
        return b64encode(b64decode(encoded) + b"\0").decode()
    return text[:-1] + digits[digits.index(text[-1]) ^ 1] + "=" * padding


def scrambled(bundle: Path, made: Path) -> None:
    (bundle / SIGNATURE).write_text("[[" * 50_000)


def emptied(bundle: Path, made: Path) -> None:
    (bundle / SIGNATURE).write_bytes(b"")


SIGNATURES = {
    "an older manifest with a newer model": (from_another(["lineage.yaml"], "older"), "lineage.yaml"),
    "an older manifest and signature with a newer model": (from_another(["lineage.yaml", SIGNATURE], "older"), "model"),
    "an older model with a newer manifest": (from_another(["models/fake-int8.json"], "older"), "fake-int8"),
    "the signature of another bundle": (from_another([SIGNATURE], "older"), "is not what was signed"),
    "the signature of the same bundle by another": (
        from_another([SIGNATURE], "foreign"),
        "not signed by a trusted key",
    ),
    "a file rewritten together with the manifest": (rewritten_with_its_file, "lineage.yaml"),
    "rewritten and signed by another": (rewritten_and_signed_again, "not signed by a trusted key"),
    "signed by another": (signed_again, "not signed by a trusted key"),
    "another name of the model": (another_name, "lineage.yaml"),
    "a key that came with the bundle": (key_of_theirs_inside, "not signed by a trusted key"),
    "a signature spelled otherwise": (spelled_otherwise, SIGNATURE),
    "a signature indented": (indented, SIGNATURE),
    "a signature that names no key": (without_hint, SIGNATURE),
    "a signature that is rubbish": (scrambled, SIGNATURE),
    "a signature that is empty": (emptied, SIGNATURE),
}


@pytest.mark.parametrize("case", SIGNATURES)
def test_what_the_signature_does_not_hold_is_refused(case: str, bundle: Path, made: Path, at_home: None) -> None:
    tamper, words = SIGNATURES[case]
    tamper(bundle, made)
    assert words in refusal(bundle, made)
    with pytest.raises(ModelFault, match=r"^[^\n]+$"):
        verification.opened(bundle)


@pytest.mark.parametrize("seed", range(8))
def test_no_signature_has_two_spellings(seed: int, tmp_path: Path, made: Path) -> None:
    """Signatures differ in length, so each leaves other bits of its base64 unused."""
    bundle = example_bundle(tmp_path / "bundle", seed=seed).folder
    signing.sign(bundle, made / "mine.pem")
    spelled_otherwise(bundle, made)
    assert SIGNATURE in refusal(bundle, made)


def envelope_of(bundle: Path) -> tuple[Path, dict[str, object]]:
    path = bundle / statements(bundle)[0]
    return path, json.loads(path.read_text())


def body_changed(bundle: Path, made: Path) -> None:
    path, envelope = envelope_of(bundle)
    payload = b64decode(str(envelope["payload"])).replace(b"2.5", b"0.5")
    path.write_text(json.dumps({**envelope, "payload": b64encode(payload).decode()}, indent=2) + "\n")


def of_another_by_a_trusted_key(bundle: Path, made: Path) -> None:
    older = Bundle.open(made / "older")
    shutil.copy(made / "older" / statements(older.folder)[0], bundle / "evidence")


def by_another(bundle: Path, made: Path) -> None:
    add_statement(Bundle.open(bundle), "benchmark", {"p50_ms": 0.1}, key=made / "theirs.pem")


def more_signatures(bundle: Path, made: Path) -> None:
    path, envelope = envelope_of(bundle)
    envelope["signatures"] = [*envelope["signatures"], {"sig": "AAAA"}]
    path.write_text(json.dumps(envelope, indent=2) + "\n")


def more_fields(bundle: Path, made: Path) -> None:
    path, envelope = envelope_of(bundle)
    path.write_text(json.dumps({**envelope, "note": "trust me"}, indent=2) + "\n")


def signature_spelled_otherwise(bundle: Path, made: Path) -> None:
    path, envelope = envelope_of(bundle)
    (entry,) = envelope["signatures"]
    path.write_text(json.dumps({**envelope, "signatures": [{"sig": slack(entry["sig"])}]}, indent=2) + "\n")


def not_signed(bundle: Path, made: Path) -> None:
    path, envelope = envelope_of(bundle)
    path.write_text(json.dumps({**envelope, "signatures": []}, indent=2) + "\n")


def no_envelope(bundle: Path, made: Path) -> None:
    (bundle / "evidence" / "benchmark.json").write_text("[" * 100_000)


def bundle_signature_as_evidence(bundle: Path, made: Path) -> None:
    """A trusted key has signed it, but as something else."""
    signature = json.loads((bundle / SIGNATURE).read_text())["dsseEnvelope"]
    (bundle / "evidence" / "benchmark-0.json").write_text(json.dumps(signature))


def twice(bundle: Path, made: Path) -> None:
    path, _ = envelope_of(bundle)
    shutil.copy(path, path.with_name(f"again-{path.name}"))


def half_written(bundle: Path, made: Path) -> None:
    path, _ = envelope_of(bundle)
    path.with_name(f".{path.name}.partial").write_text(path.read_text()[:50])


EVIDENCE = {
    "altered": (body_changed, "not signed by a trusted key"),
    "of another subject": (of_another_by_a_trusted_key, "about another subject"),
    "by another key": (by_another, "not signed by a trusted key"),
    "with one signature more": (more_signatures, "is not the file that was written"),
    "with one field more": (more_fields, "is not the file that was written"),
    "spelled otherwise": (signature_spelled_otherwise, "signed"),
    "not signed": (not_signed, "not signed by a trusted key"),
    "no envelope": (no_envelope, "is not a signed statement"),
    "the bundle's own signature": (bundle_signature_as_evidence, "another kind"),
    "the same twice": (twice, "is not the file that was written"),
    "half written": (half_written, "is not a signed statement"),
}


@pytest.mark.parametrize("case", EVIDENCE)
def test_evidence_that_nobody_trusted_has_signed_as_it_is_is_refused(case: str, bundle: Path, made: Path) -> None:
    tamper, words = EVIDENCE[case]
    before = set(statements(bundle))
    tamper(bundle, made)
    line = refusal(bundle, made)
    assert words in line
    assert "evidence/" in line
    found = verified(bundle, made)
    assert found.signed_by == str(made / "trust" / "mine.pem")
    assert {one.file for one in found.statements} <= before


def test_evidence_grows_without_touching_the_signature(bundle: Path, made: Path) -> None:
    before = {name: (bundle / name).read_bytes() for name in files(bundle)}
    for millis in (1, 2):
        add_statement(Bundle.open(bundle), "benchmark", {"p50_ms": millis}, key=made / "mine.pem")
    found = verified(bundle, made)
    assert found.ok
    assert len(found.statements) == 4
    assert {name: (bundle / name).read_bytes() for name in before} == before


def test_the_same_said_twice_is_one_statement(bundle: Path, made: Path) -> None:
    for _ in range(2):
        add_statement(Bundle.open(bundle), "benchmark", {"p50_ms": 9}, key=made / "mine.pem")
    assert len(verified(bundle, made).statements) == 3


def test_where_no_key_is_trusted_a_bundle_is_opened_for_its_integrity_alone(
    bundle: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    signed_again(bundle, made)
    assert verification.opened(bundle).manifest.name == "example"
    (bundle / "models" / "fake-int8.json").write_text("{}")
    with pytest.raises(ModelFault, match="fake-int8"):
        verification.opened(bundle)
