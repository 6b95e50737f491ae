"""Where the model comes from: the subject, its parts and their digests, and the evidence about it."""

from typing import Any

from edgeloop.lineage.comparison import diff
from edgeloop.lineage.manifest import Manifest
from edgeloop.report.blocks import (
    Block,
    Cell,
    Code,
    Column,
    Fact,
    Facts,
    Fold,
    Node,
    Notice,
    Row,
    Section,
    Table,
    Tree,
    absent,
)
from edgeloop.report.numerals import NONE, count, percent, size, value_text
from edgeloop.report.reading import Absent, Contents
from edgeloop.report.sections.variants import flattened

_TITLE = "Lineage"


def lineage(contents: Contents) -> Section:
    """The section."""
    manifest = contents.lineage
    if isinstance(manifest, Absent):
        return absent("lineage", _TITLE, manifest.reason)
    blocks: list[Block] = [Tree(_subject(manifest)), _evidence(manifest)]
    blocks += _changes(manifest, contents.previous)
    blocks.append(Fold("Parameters of the subject", (Code(_as_yaml(manifest.subject.params)),)))
    blocks.append(_files(manifest))
    return Section("lineage", _TITLE, tuple(blocks))


def _as_yaml(values: dict[str, Any]) -> str:
    import yaml

    text: str = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100)
    return text


def _subject(manifest: Manifest) -> Node:
    subject = manifest.subject
    parts = [
        Node("code", "edgeloop, components, pipelines and the lock file", digest=subject.code),
        Node("parameters", f"{len(subject.params)} sections; seeds {_pairs(subject.seeds)}"),
        _data(manifest),
        Node("training", f"{subject.training.threads} threads", children=_features(subject.training.cpu_features)),
        Node("model card", "task, classes, preprocessing", digest=f"sha256:{subject.card_sha256}"),
        _variants(manifest),
    ]
    if subject.parent is None:
        parts.append(Node("parent", "none: trained from scratch"))
    else:
        parent = subject.parent
        weights = Node("weights", digest=f"sha256:{parent.sha256}")
        told = "a weights file" if parent.subject_digest is None else "subject"
        parts.append(Node("parent", told, digest=parent.subject_digest or "", children=(weights,)))
    return Node(manifest.name, "subject", digest=manifest.subject_digest, children=tuple(parts))


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value_text(value)}" for key, value in values.items()) or "none"


def _features(features: dict[str, Any]) -> tuple[Node, ...]:
    return tuple(Node(f"CPU {key}", value) for key, value in flattened(features))


def _data(manifest: Manifest) -> Node:
    data, suite = manifest.subject.data, manifest.subject.validation
    splits = [Node(f"{split}, accepted", digest=digest) for split, digest in data.accepted.items()]
    if data.calibration:
        splits.append(Node("calibration set, part of train", digest=data.calibration))
    splits.append(Node("validation suite", suite.name, digest=f"sha256:{suite.sha256}"))
    return Node("data", f"source {data.source}, {len(data.classes)} classes", children=tuple(splits))


def _variants(manifest: Manifest) -> Node:
    """Each variant below the one that it was made from."""
    records = manifest.subject.variants

    def below(source: str | None) -> tuple[Node, ...]:
        return tuple(
            Node(
                name,
                f"{size(record.size_bytes)}, {record.made_by.name} {record.made_by.version}",
                digest=f"sha256:{record.sha256}",
                children=below(name) if name != source else (),
            )
            for name, record in records.items()
            if record.made_from == source
        )

    orphans = [r.made_from for r in records.values() if r.made_from is not None and r.made_from not in records]
    roots = below(None) + tuple(node for source in dict.fromkeys(orphans) for node in below(source))
    return Node("variants", f"{len(records)} built", children=roots)


def _evidence(manifest: Manifest) -> Table:
    columns = (Column("evidence", numeric=False), Column("what it says", numeric=False))
    rows = tuple(Row((Cell(piece.kind, mark="name"), Cell(_said(piece), mark="reason"))) for piece in manifest.evidence)
    note = "What a clock or a device decided. Every piece names the subject digest above."
    return Table("Evidence", columns, rows, note)


def _said(piece: Any) -> str:
    """A piece of evidence in one line."""
    body = piece.body
    match piece.kind:
        case "benchmark":
            passed = sum(candidate.status == "pass" for candidate in body.candidates.values())
            return f"{passed} of {len(body.candidates)} candidates measured on {', '.join(body.environments) or NONE}"
        case "selection":
            return str(body.reason)
        case "evaluation":
            value = body.metrics.get(body.metric)
            shown = NONE if value is None else percent(value)
            return f"{body.candidate}: {body.metric} {shown} on {count(body.samples)} samples of test"
        case "variants":
            checks = [check for judged in body.checks.values() for check in judged]
            passed = sum(check.status == "pass" for check in checks)
            return f"{passed} of {len(checks)} checks of {len(body.checks)} variants passed"
        case _:
            return "; ".join(f"{key} {value}" for key, value in flattened(body.values()) if value != NONE)


def _changes(manifest: Manifest, previous: Manifest | Absent) -> list[Block]:
    """What differs from the version before, where one was given."""
    if isinstance(previous, Absent):
        return [] if previous.reason == "not run" else [Notice(f"Version before: {previous.reason}.")]
    changes = diff(previous, manifest)
    if not changes:
        return [Notice("Nothing differs from the version before.", mark="pass")]
    columns = tuple(Column(head, numeric=False) for head in ("part", "key", "before", "now"))
    rows = tuple(
        Row(
            (
                Cell(change.group, mark="name"),
                Cell(change.key),
                Cell(NONE if change.kind == "added" else value_text(change.old), mark="reason"),
                Cell(NONE if change.kind == "removed" else value_text(change.new), mark="reason"),
            )
        )
        for change in changes
    )
    subject = [row for row, change in zip(rows, changes, strict=True) if not change.group.startswith("evidence")]
    rest = tuple(row for row in rows if row not in subject)
    blocks: list[Block] = [
        Facts((Fact("version before", previous.name, note=previous.subject_digest),)),
        Table("What changed in the subject", columns, tuple(subject)),
    ]
    return [*blocks, Fold(f"What changed in the evidence: {len(rest)} values", (Table("", columns, rest),))]


def _files(manifest: Manifest) -> Fold:
    columns = (Column("file", numeric=False), Column("size"), Column("sha256", numeric=False))
    rows = tuple(
        Row((Cell(name, mark="name"), Cell(size(record.size_bytes)), Cell(record.sha256, mark="digest")))
        for name, record in manifest.files.items()
    )
    return Fold(f"Files of the bundle: {len(rows)}", (Table("", columns, rows),))
