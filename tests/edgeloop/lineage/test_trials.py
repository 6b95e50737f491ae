"""What a lineage says of trials: what decides them is of the subject, what a clock decides is evidence."""

from edgeloop.lineage.comparison import diff
from edgeloop.lineage.evidence import TrainingBody, TrainingEvidence, TrainingPart
from edgeloop.lineage.example import example_bundle
from edgeloop.lineage.manifest import Manifest, read_manifest, write_manifest
from edgeloop.lineage.subject import TrialRecord

TRIALS = (
    TrialRecord(overrides={"learning_rate": 0.1}, epochs=0, steps=3, fault="the training diverged"),
    TrialRecord(overrides={}, metric=0.9, val_loss=0.1, parameters=9, epochs=4, best_epoch=2, steps=12, chosen=True),
)


def tried(folder, *, wall_s: float = 7.0) -> Manifest:
    """The example, as if its model had been chosen among trials."""
    manifest = example_bundle(folder).manifest
    training = manifest.subject.training.model_copy(update={"trials": TRIALS})
    subject = manifest.subject.model_copy(update={"training": training})
    body = TrainingBody(
        wall_s=9,
        cpu_s=9,
        peak_memory_bytes=None,
        energy_j=None,
        energy_reason="no counter",
        parts={"trial 1": TrainingPart(wall_s=wall_s, cpu_s=1)},
    )
    bare = Manifest.of(manifest.name, subject=subject, evidence=())
    return Manifest.of(
        manifest.name,
        subject=subject,
        evidence=(TrainingEvidence(subject_digest=bare.subject_digest, body=body),),
    )


def test_trials_are_written_and_read_back(tmp_path):
    manifest = tried(tmp_path / "bundle")
    write_manifest(tmp_path / "lineage.yaml", manifest)
    assert read_manifest(tmp_path / "lineage.yaml") == manifest


def test_another_outcome_of_a_trial_is_another_subject(tmp_path):
    assert tried(tmp_path).subject_digest != example_bundle(tmp_path / "bundle").manifest.subject_digest


def test_seconds_change_no_subject(tmp_path):
    quick, slow = tried(tmp_path / "one", wall_s=1), tried(tmp_path / "two", wall_s=8)
    assert [change.key for change in diff(quick, slow)] == ["evidence.training.parts.trial 1.wall_s"]
