from pathlib import Path

from edgeloop.lineage.comparison import diff
from edgeloop.lineage.example import example_bundle
from edgeloop.lineage.manifest import Manifest
from edgeloop.lineage.subject import Subject


def manifest(tmp_path: Path, *, seed: int = 0) -> Manifest:
    return example_bundle(tmp_path / f"bundle-{seed}", seed=seed).manifest


def with_subject(base: Manifest, **changes: object) -> Manifest:
    subject = Subject.model_validate({**base.subject.values(), **changes})
    return Manifest.of(base.name, subject=subject, evidence=[])


def test_a_manifest_does_not_differ_from_itself(tmp_path: Path) -> None:
    assert diff(manifest(tmp_path), manifest(tmp_path)) == ()


def test_a_change_is_named_by_dotted_key_with_both_values(tmp_path: Path) -> None:
    changes = {change.key: change for change in diff(manifest(tmp_path), manifest(tmp_path, seed=3))}
    seed = changes["params.train.seed"]
    assert (seed.group, seed.kind, seed.old, seed.new) == ("params", "changed", 0, 3)


def test_only_what_differs_is_named(tmp_path: Path) -> None:
    keys = {change.key for change in diff(manifest(tmp_path), manifest(tmp_path, seed=3))}
    splits = {f"data.{kind}.{split}" for kind in ("prepared", "accepted") for split in ("train", "val", "test")}
    files = {f"variants.{name}.sha256" for name in ("fake-fp32", "fake-int8")}
    assert keys == {"params.train.seed", "seeds.train"} | splits | files


def test_a_variant_that_is_new_is_added_and_one_that_is_gone_removed(tmp_path: Path) -> None:
    base = manifest(tmp_path)
    variants = base.subject.values()["variants"]
    fewer = with_subject(base, variants={"fake-fp32": variants["fake-fp32"]})
    more = with_subject(base)
    assert {c.kind for c in diff(more, fewer) if c.key.startswith("variants.fake-int8")} == {"removed"}
    assert {c.kind for c in diff(fewer, more) if c.key.startswith("variants.fake-int8")} == {"added"}


def test_groups_come_in_the_order_of_the_manifest_and_stay_together(tmp_path: Path) -> None:
    groups = [change.group for change in diff(manifest(tmp_path), manifest(tmp_path, seed=3))]
    assert list(dict.fromkeys(groups)) == ["params", "seeds", "data", "variants"]
    assert len([g for i, g in enumerate(groups) if i == 0 or g != groups[i - 1]]) == 4


def test_evidence_is_compared_by_its_kind(tmp_path: Path) -> None:
    base = manifest(tmp_path)
    assert {change.group for change in diff(base, with_subject(base))} == {"evidence.selection"}
