import json
import shutil

import pytest
from typer.testing import CliRunner

from edgeloop import bundle
from edgeloop.__main__ import app
from edgeloop.bundle import Bundle
from edgeloop.canonical import sha256_of_bytes
from edgeloop.data.dataset import Sample
from edgeloop.errors import InputFault
from edgeloop.lineage.example import example_bundle
from edgeloop.lineage.samples import SAMPLES_FILE, named_samples, packed_samples, seen_by, traced

SEEN, UNSEEN = sha256_of_bytes(b"seen"), sha256_of_bytes(b"unseen")


def sample(sha256, split):
    return Sample(id="secret name", uri="file:///secret/place", sha256=sha256, split=split, label="secret label")


SAMPLES = [sample(SEEN, "val"), sample(sha256_of_bytes(b"other"), "train")]


@pytest.fixture
def opened(tmp_path) -> Bundle:
    """A bundle that says which samples it saw."""
    example = example_bundle(tmp_path / "example")
    contents = {name: example.folder / name for name in example.manifest.files}
    return bundle.write(tmp_path / "bundle", example.manifest, {**contents, SAMPLES_FILE: packed_samples(SAMPLES)})


def test_the_order_of_the_samples_does_not_matter():
    assert packed_samples(SAMPLES) == packed_samples(SAMPLES[::-1])


def test_no_name_and_no_place_travels():
    assert b"secret" not in packed_samples(SAMPLES)


def test_a_bundle_says_in_which_split_it_saw_a_sample(opened):
    assert seen_by(opened)[SEEN] == "val"


def test_a_bundle_that_does_not_say_is_an_input_fault(tmp_path):
    with pytest.raises(InputFault):
        seen_by(example_bundle(tmp_path / "example"))


def test_only_what_was_seen_is_traced(opened):
    (sighting,) = traced({SEEN: "mine.png", UNSEEN: "yours.png"}, [("digits@1", opened)])
    assert (sighting.sample, sighting.model, sighting.split) == ("mine.png", "digits@1", "val")
    assert sighting.subject_digest == opened.manifest.subject_digest


def test_a_sample_is_named_by_its_file_or_its_digest(tmp_path):
    (tmp_path / "a.png").write_bytes(b"seen")
    assert named_samples([str(tmp_path / "a.png"), UNSEEN.upper()]) == {
        SEEN: str(tmp_path / "a.png"), UNSEEN: UNSEEN.upper(),
    }  # fmt: skip


def test_what_is_neither_is_refused():
    with pytest.raises(InputFault, match="no file and no sha256"):
        named_samples(["nowhere.png"])


def test_the_command_answers_in_json(opened, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").write_bytes(b"seen")
    shown = CliRunner().invoke(app, ["lineage", "trace", "a.png", "--model", "bundle", "--json"])
    assert shown.exit_code == 0, shown.output
    assert [(one["sample"], one["model"], one["split"]) for one in json.loads(shown.stdout)] == [
        ("a.png", "bundle", "val")
    ]


def test_a_model_that_is_not_whole_is_refused(opened, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(opened.folder / "models/model.json", opened.folder / SAMPLES_FILE)
    shown = CliRunner().invoke(app, ["lineage", "trace", SEEN, "--model", "bundle"])
    assert shown.exit_code == 2
