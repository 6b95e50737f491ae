"""model_card.md: a bundle in words, for whoever finds it."""

from collections.abc import Iterator, Sequence

from edgeloop.lineage.evidence import BenchmarkEvidence, EvaluationEvidence, RunEvidence, SelectionEvidence
from edgeloop.lineage.manifest import Manifest

FILE = "model_card.md"


def card_text(manifest: Manifest) -> str:
    """The manifest as a page of Markdown."""
    return "\n".join(_lines(manifest)) + "\n"


def _lines(manifest: Manifest) -> Iterator[str]:
    yield f"# {manifest.name}"
    yield ""
    yield f"Subject `{manifest.subject_digest}`. Everything below is in `lineage.yaml`, with more; where they part,"
    yield "`lineage.yaml` is right. `edgeloop predict THIS_FOLDER INPUT…` verifies every file and answers."
    yield from _selected(manifest)
    yield from _tested(manifest)
    yield from _measured(manifest)
    yield from _made(manifest)


def _selected(manifest: Manifest) -> Iterator[str]:
    for piece in manifest.pieces(SelectionEvidence):
        winner = piece.body.winner
        yield from ("", "## Selected", "")
        runtime = " ".join(filter(None, (winner.runtime, winner.runtime_version)))
        yield f"`{winner.variant}` on {runtime}, {_threads(winner.threads)}, device {winner.device}."
        yield f"Why: {piece.body.reason}."


def _tested(manifest: Manifest) -> Iterator[str]:
    for piece in manifest.pieces(EvaluationEvidence):
        yield from ("", f"## On {piece.body.samples} samples of test, looked at once", "")
        yield from _table(("metric", "value"), [(name, f"{v:.6g}") for name, v in piece.body.metrics.items()])


def _measured(manifest: Manifest) -> Iterator[str]:
    for piece in manifest.pieces(BenchmarkEvidence):
        yield from ("", "## Measured", "", "Timings belong to the device that they were taken on.", "")
        rows = [
            (f"`{name}`", row.status, _number(row.p50_ms), _number(row.p90_upper_ms), _number(row.accuracy))
            for name, row in piece.body.candidates.items()
        ]
        header = ("candidate", "status", "p50 ms", "p90 ms, upper bound", f"{piece.body.metric} on val")
        yield from _table(header, rows)


def _made(manifest: Manifest) -> Iterator[str]:
    subject = manifest.subject
    yield from ("", "## Made", "")
    seeds = ", ".join(f"{name} {seed}" for name, seed in subject.seeds.items())
    yield f"From {subject.data.source}, classes {', '.join(subject.data.classes)}."
    yield f"Seeds: {seeds}. Trained with {_threads(subject.training.threads)}."
    if subject.training.trials:
        yield f"Chosen on val among {len(subject.training.trials)} trials, which `lineage.yaml` lists."
    yield ""
    rows = [
        (f"`{name}`", f"{record.made_by.name} {record.made_by.version}", record.made_from or "", f"{record.size_bytes}")
        for name, record in subject.variants.items()
    ]
    yield from _table(("variant", "made by", "made from", "bytes"), rows)
    for piece in manifest.pieces(RunEvidence):
        yield ""
        yield f"Registered {piece.body.registered_at} by edgeloop {piece.body.edgeloop_version}."


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    for row in (header, ("---",) * len(header), *rows):
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"


def _threads(count: int) -> str:
    return f"{count} thread" if count == 1 else f"{count} threads"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
