from pathlib import Path

import pytest

from edgeloop.bundle import Bundle
from edgeloop.canonical import digest_of
from edgeloop.errors import InputFault, ModelFault
from edgeloop.lineage import document
from edgeloop.lineage.evidence import SelectionEvidence
from edgeloop.lineage.example import example_bundle
from edgeloop.lineage.manifest import Manifest, read_manifest, write_manifest


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return example_bundle(tmp_path / "bundle")


@pytest.fixture
def values(bundle: Bundle) -> dict:
    return bundle.manifest.values()


def refusal(values: object, path: Path) -> str:
    path.write_text(document.text_of(values))
    with pytest.raises(ModelFault) as caught:
        read_manifest(path)
    return caught.value.line()


def test_a_manifest_is_read_back_as_it_was_written(bundle: Bundle, tmp_path: Path) -> None:
    write_manifest(tmp_path / "again.yaml", bundle.manifest)
    assert read_manifest(tmp_path / "again.yaml") == bundle.manifest


def test_a_manifest_is_written_to_the_same_bytes_every_time(bundle: Bundle, tmp_path: Path) -> None:
    write_manifest(tmp_path / "again.yaml", read_manifest(bundle.folder / "lineage.yaml"))
    assert (tmp_path / "again.yaml").read_bytes() == (bundle.folder / "lineage.yaml").read_bytes()


def test_the_digest_can_be_computed_from_the_file_alone(bundle: Bundle) -> None:
    import yaml

    written = yaml.safe_load((bundle.folder / "lineage.yaml").read_text())
    assert digest_of(written["subject"]) == written["subject_digest"]


def test_the_digest_hangs_on_neither_folder_nor_time(bundle: Bundle, tmp_path: Path) -> None:
    again = example_bundle(tmp_path / "elsewhere" / "deep")
    assert again.manifest.subject_digest == bundle.manifest.subject_digest


def test_the_digest_does_not_hang_on_the_order_of_keys(values: dict, tmp_path: Path) -> None:
    values["subject"] = dict(reversed(values["subject"].items()))
    (tmp_path / "turned.yaml").write_text(document.text_of(values))
    assert read_manifest(tmp_path / "turned.yaml").subject_digest == values["subject_digest"]


@pytest.mark.parametrize("seed", [1, 2**31])
def test_another_seed_is_another_subject(bundle: Bundle, tmp_path: Path, seed: int) -> None:
    assert example_bundle(tmp_path / "other", seed=seed).manifest.subject_digest != bundle.manifest.subject_digest


def test_evidence_is_not_part_of_the_digest(bundle: Bundle) -> None:
    alone = Manifest.of("example", subject=bundle.manifest.subject, evidence=[])
    assert alone.subject_digest == bundle.manifest.subject_digest


def test_a_changed_subject_is_refused(values: dict, tmp_path: Path) -> None:
    values["subject"]["seeds"]["train"] = 7
    assert "subject_digest is not the digest of subject" in refusal(values, tmp_path / "x.yaml")


def test_evidence_of_another_subject_is_refused(values: dict, tmp_path: Path) -> None:
    values["evidence"][0]["subject_digest"] = "sha256:" + "0" * 64
    assert "evidence selection is of another subject" in refusal(values, tmp_path / "x.yaml")


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../b", "a//b", "./a", "lineage.yaml", "", "."])
def test_a_file_outside_the_bundle_is_refused(values: dict, tmp_path: Path, name: str) -> None:
    values["files"][name] = {"sha256": "0" * 64, "size_bytes": 1}
    assert "is no path inside a bundle" in refusal(values, tmp_path / "x.yaml")


def test_an_unknown_key_is_named(values: dict, tmp_path: Path) -> None:
    values["subjects"] = 1
    assert "subjects: unknown key; did you mean subject?" in refusal(values, tmp_path / "x.yaml")


def test_a_later_format_is_refused(values: dict, tmp_path: Path) -> None:
    values["format"] = 2
    assert "format" in refusal(values, tmp_path / "x.yaml")


def test_a_missing_manifest_is_the_users_fault(tmp_path: Path) -> None:
    with pytest.raises(InputFault, match="does not exist"):
        read_manifest(tmp_path / "lineage.yaml")


def test_a_manifest_without_selection_has_no_winner(bundle: Bundle) -> None:
    with pytest.raises(ModelFault, match="names no selected candidate"):
        _ = Manifest.of("example", subject=bundle.manifest.subject, evidence=[]).winner


def test_pieces_are_found_by_their_kind(bundle: Bundle) -> None:
    (piece,) = bundle.manifest.pieces(SelectionEvidence)
    assert piece.body.winner == bundle.manifest.winner
