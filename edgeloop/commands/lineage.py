"""`edgeloop lineage`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from edgeloop.commands import Debug, Json
from edgeloop.terminal import exiting, print_json, print_table

app = typer.Typer(no_args_is_help=True)

Source = Annotated[Path, typer.Argument(help="A bundle, or its lineage.yaml.")]


@app.callback()
def group() -> None:
    """Lineage."""


@app.command()
def show(source: Source, as_json: Json = False, debug: Debug = False) -> None:
    """Show where a model comes from and what is known of it."""
    with exiting(debug=debug):
        from edgeloop.lineage.manifest import read_manifest

        manifest = read_manifest(file_in(source))
        if as_json:
            print_json(manifest.values())
            return
        subject = manifest.subject
        print_table(
            f"{manifest.name}  {manifest.subject_digest}",
            ["subject", ""],
            [
                ["code", subject.code],
                ["parent", subject.parent.subject_digest if subject.parent else "none"],
                *[[f"data {split}", digest] for split, digest in subject.data.accepted.items()],
                ["suite", f"{subject.validation.name}  {subject.validation.sha256[:16]}"],
                ["threads", str(subject.training.threads)],
                *[[f"val {name}", f"{value:.4f}"] for name, value in subject.training.metrics.items()],
            ],
        )
        print_table(
            "variants",
            ["name", "made by", "size, bytes", "sha256"],
            [
                [name, f"{v.made_by.name} {v.made_by.version}", str(v.size_bytes), v.sha256[:16]]
                for name, v in subject.variants.items()
            ],
        )
        rows = [
            [piece.kind, leaf, shown(value)]
            for piece in manifest.evidence
            for leaf, value in leaves(piece.body.values())
        ]
        print_table("evidence", ["kind", "what", "value"], rows)


@app.command()
def diff(old: Source, new: Source, as_json: Json = False, debug: Debug = False) -> None:
    """Show what changed between two models."""
    with exiting(debug=debug):
        from edgeloop.lineage import comparison
        from edgeloop.lineage.manifest import read_manifest

        changes = comparison.diff(read_manifest(file_in(old)), read_manifest(file_in(new)))
        if as_json:
            print_json([change.values() for change in changes])
            return
        if not changes:
            print("no difference")
            return
        rows = [[change.key, change.kind, shown(change.old), shown(change.new)] for change in changes]
        print_table(f"{old} → {new}", ["key", "", "old", "new"], rows)


def file_in(source: Path) -> Path:
    """The manifest of a bundle, or the file itself."""
    return source / "lineage.yaml" if source.is_dir() else source


def leaves(value: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Dotted keys and values of nested mappings, without what is null or empty."""
    if not isinstance(value, dict):
        return [(prefix, value)] if value not in (None, [], "") else []
    return [leaf for key, item in value.items() for leaf in leaves(item, f"{prefix}.{key}" if prefix else str(key))]


def shown(value: Any) -> str:
    """A value in one cell."""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
