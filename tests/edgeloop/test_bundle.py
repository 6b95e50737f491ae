import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeloop import bundle
from edgeloop.bundle import Bundle, Finding, verify
from edgeloop.canonical import sha256_of_file
from edgeloop.errors import DiskFull, InputFault, ModelFault
from edgeloop.lineage.example import CARD_TEXT, example_bundle
from edgeloop.lineage.manifest import FileRecord, Manifest, read_manifest, write_manifest

FILES = ("model_card.md", "models/fake-fp32.json", "models/fake-int8.json", "models/model.json", "models/variants.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return example_bundle(tmp_path / "bundle").folder


def named(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(finding.file, finding.kind) for finding in findings}


def flip(path: Path, *, byte: int) -> None:
    content = bytearray(path.read_bytes())
    content[byte] ^= 1
    path.write_bytes(content)


def relisted(folder: Path, *names: str) -> None:
    """What somebody does who changes a file and the list of files with it, but cannot change the subject."""
    manifest = read_manifest(folder / "lineage.yaml")
    files = {n: FileRecord(sha256=sha256_of_file(folder / n), size_bytes=(folder / n).stat().st_size) for n in names}
    write_manifest(folder / "lineage.yaml", manifest.model_copy(update={"files": {**manifest.files, **files}}))


def test_an_untouched_bundle_has_no_findings(folder: Path) -> None:
    assert verify(folder) == []


def test_every_file_is_listed_but_the_manifest(folder: Path) -> None:
    assert tuple(Bundle.open(folder).manifest.files) == FILES


@pytest.mark.parametrize("byte", [0, -1])
@pytest.mark.parametrize("name", FILES)
def test_one_flipped_byte_is_found_and_its_file_named(folder: Path, name: str, byte: int) -> None:
    flip(folder / name, byte=byte)
    assert named(verify(folder)) == {(name, "changed")}


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_found_and_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert named(verify(folder)) == {(name, "missing")}


@pytest.mark.parametrize("name", FILES)
def test_a_renamed_file_is_found_and_both_names_named(folder: Path, name: str) -> None:
    (folder / name).rename(folder / f"{name}.old")
    assert named(verify(folder)) == {(name, "missing"), (f"{name}.old", "extra")}


@pytest.mark.parametrize("name", ["extra.txt", "models/extra.onnx", ".hidden", "new/deep/file", "models/signature/x"])
def test_an_extra_file_is_found_and_named(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).touch()
    assert named(verify(folder)) == {(name, "extra")}


def test_an_extra_empty_folder_is_found(folder: Path) -> None:
    (folder / "models" / "empty").mkdir()
    assert named(verify(folder)) == {("models/empty", "extra")}


def test_two_swapped_files_are_both_named(folder: Path) -> None:
    a, b = folder / "models/fake-fp32.json", folder / "models/fake-int8.json"
    a.rename(folder / "aside")
    b.rename(a)
    (folder / "aside").rename(b)
    assert named(verify(folder)) == {("models/fake-fp32.json", "changed"), ("models/fake-int8.json", "changed")}


def test_an_emptied_file_is_found(folder: Path) -> None:
    (folder / "model_card.md").write_bytes(b"")
    assert named(verify(folder)) == {("model_card.md", "changed")}


def test_a_file_replaced_by_a_link_to_the_same_bytes_is_found(folder: Path, tmp_path: Path) -> None:
    (folder / "model_card.md").rename(tmp_path / "aside.md")
    (folder / "model_card.md").symlink_to(tmp_path / "aside.md")
    assert named(verify(folder)) == {("model_card.md", "changed")}


def test_a_folder_replaced_by_a_link_to_the_same_files_is_found(folder: Path, tmp_path: Path) -> None:
    (folder / "models").rename(tmp_path / "aside")
    (folder / "models").symlink_to(tmp_path / "aside")
    assert ("models/model.json", "changed") in named(verify(folder))


@pytest.mark.parametrize("name", bundle.UNLISTED_FOLDERS)
def test_a_signature_folder_that_is_a_link_is_found(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).symlink_to(tmp_path)
    assert named(verify(folder)) == {(name, "extra")}


@pytest.mark.parametrize("name", bundle.UNLISTED_FOLDERS)
def test_a_link_among_the_signatures_is_found(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).mkdir()
    (folder / name / "bundle.sig").symlink_to(tmp_path)
    assert named(verify(folder)) == {(f"{name}/bundle.sig", "extra")}


def test_a_copy_of_a_bundle_has_its_signatures_too(folder: Path, tmp_path: Path) -> None:
    (folder / "signature").mkdir()
    (folder / "signature" / "bundle.sig").write_text("signed")
    copied = bundle.copy_bundle(Bundle.open(folder), tmp_path / "copy")
    assert (copied.folder / "signature" / "bundle.sig").read_text() == "signed"


@pytest.mark.privileged
def test_a_full_disk_is_named_and_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(small)], check=True)
    try:
        with pytest.raises(DiskFull, match="no space left") as caught:
            bundle.copy_bundle(Bundle.open(folder), small / "copy")
        assert str(small) in caught.value.where
        with pytest.raises(DiskFull):
            bundle.write(small / "bundle", read_manifest(folder / "lineage.yaml"), {n: folder / n for n in FILES})
        assert not (small / "bundle").exists()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_file_replaced_by_a_pipe_is_found_without_reading_it(folder: Path) -> None:
    (folder / "model_card.md").unlink()
    os.mkfifo(folder / "model_card.md")
    assert named(verify(folder)) == {("model_card.md", "changed")}


def test_a_file_replaced_by_a_folder_is_found(folder: Path) -> None:
    (folder / "model_card.md").unlink()
    (folder / "model_card.md").mkdir()
    assert ("model_card.md", "changed") in named(verify(folder))


@pytest.mark.parametrize("name", bundle.UNLISTED_FOLDERS)
def test_what_is_signed_by_itself_is_not_listed(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    (folder / name / "bundle.sig").touch()
    assert verify(folder) == []


def test_a_missing_manifest_is_found(folder: Path) -> None:
    (folder / "lineage.yaml").unlink()
    assert named(verify(folder)) == {("lineage.yaml", "missing")}


def test_a_flipped_byte_of_the_subject_is_found(folder: Path) -> None:
    content = (folder / "lineage.yaml").read_bytes()
    for place in range(content.index(b"subject_digest:"), content.index(b"evidence:"), 7):
        flip(folder / "lineage.yaml", byte=place)
        assert named(verify(folder)) == {("lineage.yaml", "unreadable")}, content[place - 20 : place + 20]
        flip(folder / "lineage.yaml", byte=place)


def test_an_older_manifest_with_newer_models_is_found(folder: Path, tmp_path: Path) -> None:
    newer = example_bundle(tmp_path / "newer", seed=1).folder
    shutil.copyfile(folder / "lineage.yaml", newer / "lineage.yaml")
    assert {file for file, _ in named(verify(newer))} == {
        "models/fake-fp32.json", "models/fake-int8.json", "models/variants.json",
    }  # fmt: skip


def test_a_model_that_was_changed_and_listed_anew_contradicts_the_subject(folder: Path) -> None:
    flip(folder / "models/fake-int8.json", byte=-3)
    relisted(folder, "models/fake-int8.json")
    assert named(verify(folder)) == {("models/fake-int8.json", "contradiction")}


def test_models_that_were_swapped_and_listed_anew_contradict_the_subject(folder: Path) -> None:
    shutil.copyfile(folder / "models/fake-fp32.json", folder / "models/fake-int8.json")
    relisted(folder, "models/fake-int8.json")
    assert named(verify(folder)) == {("models/fake-int8.json", "contradiction")}


def test_a_preprocessing_that_was_changed_and_listed_anew_contradicts_the_subject(folder: Path) -> None:
    (folder / "models/model.json").write_text(CARD_TEXT.replace("0.25", "0.50"))
    relisted(folder, "models/model.json")
    assert named(verify(folder)) == {("models/model.json", "contradiction")}


def test_a_bundle_without_the_selected_variant_is_found(folder: Path) -> None:
    listed = folder / "models/variants.json"
    variants = bundle.VariantSet.of(folder / "models")
    bundle.VariantSet(variants=variants.variants[:1]).write(listed)
    relisted(folder, "models/variants.json")
    assert named(verify(folder)) == {("models/variants.json", "contradiction")}


def test_opening_a_bundle_that_is_not_whole_names_the_file_in_one_line(folder: Path) -> None:
    flip(folder / "model_card.md", byte=0)
    (folder / "models/model.json").unlink()
    with pytest.raises(ModelFault) as caught:
        Bundle.open(folder)
    line = caught.value.line()
    assert str(folder / "model_card.md") in line and "(and 1 more)" in line and "\n" not in line


@pytest.mark.parametrize("make", [lambda p: None, Path.mkdir, Path.touch], ids=["nothing", "empty folder", "file"])
def test_what_is_no_bundle_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "bundle")
    with pytest.raises(ModelFault, match=r"lineage\.yaml"):
        Bundle.open(tmp_path / "bundle")


def test_an_unknown_variant_is_refused_with_the_known_ones(folder: Path) -> None:
    with pytest.raises(ModelFault, match="use one of: fake-fp32, fake-int8"):
        Bundle.open(folder).variant("onnx-int4")


def test_a_copied_file_keeps_its_bytes(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "raw.bin"
    source.write_bytes(bytes(range(256)) * 100)
    written = rewritten(tmp_path, folder, {"raw.bin": source})
    assert (written.folder / "raw.bin").read_bytes() == source.read_bytes()


def test_a_missing_source_leaves_the_old_bundle_alone(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputFault, match="does not exist"):
        rewritten(tmp_path, folder, {"raw.bin": tmp_path / "gone"})
    assert verify(folder) == []


def test_parts_that_contradict_each_other_are_never_written(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFault, match="is not the card that the subject names"):
        rewritten(tmp_path, folder, {"models/model.json": CARD_TEXT + "\n"})
    assert not (tmp_path / "again").exists()


def rewritten(tmp_path: Path, folder: Path, extra: dict[str, bundle.Content]) -> Bundle:
    manifest: Manifest = read_manifest(folder / "lineage.yaml")
    contents = {name: folder / name for name in FILES} | extra
    return bundle.write(tmp_path / "again", manifest, contents)
