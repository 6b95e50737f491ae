"""`edgeloop lineage`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from edgeloop.commands import Debug, Json
from edgeloop.terminal import exiting, print_json, print_pairs, print_table, worded

app = typer.Typer(no_args_is_help=True)

Source = Annotated[Path, typer.Argument(help="A bundle, or its lineage.yaml.")]
BundleFolder = Annotated[
    Path, typer.Argument(metavar="BUNDLE", help="Folder that register wrote, or that was fetched.")
]
MANIFESTS = Path("manifests/lineage")
TRUSTED = ".edgeloop/trust, unless --key is given"


@app.callback()
def group() -> None:
    """Lineage."""


@app.command()
def show(source: Source, as_json: Json = False, debug: Debug = False) -> None:
    """Show where a model comes from and what is known of it."""
    with exiting(debug=debug):
        from edgeloop.lineage.manifest import read_manifest

        manifest = read_manifest(file_in(source))
        later = added_later(source, manifest.subject_digest) if source.is_dir() else []
        if as_json:
            print_json({**manifest.values(), "statements": later})
            return
        subject = manifest.subject
        print_table(
            f"{manifest.name}  {manifest.subject_digest}",
            ["subject", ""],
            [
                ["code", subject.code],
                ["parent", subject.parent.digest if subject.parent else "none"],
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
        if later:
            rows = [
                [one["file"], one.get("signed_by") or one["reason"], leaf, shown(value)]
                for one in later
                for leaf, value in leaves(one.get("body", {})) or [("", "")]
            ]
            print_table("evidence that was added later", ["file", "signed by", "what", "value"], rows)


@app.command()
def verify(
    bundle: BundleFolder,
    key: Annotated[
        list[Path] | None, typer.Option("--key", metavar="PUBLIC.pem", help="Trust this key; may be repeated.")
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option("--trust", metavar="FOLDER", help="Trust the keys in this folder.", show_default=TRUSTED),
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Verify every file, the signature, and all evidence that was added; exit code 1 when anything is wrong."""
    with exiting(debug=debug):
        from edgeloop.lineage import verification

        found = verification.verified(bundle, verification.keys_outside(bundle, named=key or [], trust=trust))
        if as_json:
            print_json(found.values())
        elif found.ok:
            added_later = {one.file: f"{one.kind}, signed by {one.signed_by}" for one in found.statements}
            facts = {"subject": str(found.subject_digest), "signed by": str(found.signed_by)}
            print_pairs({"verified": found.bundle, **facts, **added_later})
        else:
            print_table(
                f"{bundle} is not what it should be", ["file", "reason"], [[f.file, f.reason] for f in found.findings]
            )
        verification.refuse_unless_ok(found)


@app.command()
def attest(
    bundle: BundleFolder,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What the statement is about, such as benchmark.")],
    file: Annotated[Path, typer.Argument(metavar="FILE.json", help="The statement: one JSON object.")],
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Sign a statement about a model and add it to the bundle; the bundle's own signature stays as it is."""
    with exiting(debug=debug):
        from edgeloop.keys import signing_key
        from edgeloop.lineage import statements, verification

        body = statements.body_in(file)
        opened = verification.opened(bundle)
        written = statements.add_statement(opened, kind, body, key=signing_key(may_create=False))
        facts = {"statement": str(written), "subject": opened.manifest.subject_digest}
        print_json(facts) if as_json else print_pairs(facts)


@app.command()
def export(
    bundle: Annotated[str, typer.Argument(metavar="BUNDLE", help="A bundle's folder, or NAME@ALIAS or NAME@VERSION.")],
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where manifests are kept.")] = MANIFESTS,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Copy a model's manifest to FOLDER/<model>/<version>.yaml, or <short digest>.yaml for a bundle in a folder."""
    with exiting(debug=debug):
        from edgeloop.lineage.exporting import exported

        written = exported(bundle, to)
        print_json({"manifest": str(written)}) if as_json else print(written)


@app.command()
def trace(
    samples: Annotated[list[str], typer.Argument(metavar="SAMPLE…", help="Files of samples, or their sha256.")],
    models: Annotated[
        list[str],
        typer.Option("--model", metavar="MODEL", help="A bundle, NAME@ALIAS, or NAME for all versions; repeatable."),
    ],
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Tell which models saw a sample, and in which split."""
    with exiting(debug=debug):
        from edgeloop.lineage.samples import named_samples, traced
        from edgeloop.references import all_opened

        found = traced(named_samples(samples), (bundle for model in models for bundle in all_opened(model)))
        if as_json:
            print_json([one.values() for one in found])
            return
        print_table(
            f"{len(found)} sightings",
            ["sample", "model", "split", "subject"],
            [[one.sample, one.model, one.split, one.subject_digest[7:19]] for one in found],
        )


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


def added_later(bundle: Path, subject_digest: str) -> list[dict[str, Any]]:
    """The statements in evidence/; of one that nobody trusted has signed the file and the reason alone."""
    from edgeloop.lineage import verification

    keys = verification.trusted_here(bundle)
    statements, findings = verification.evidence_in(bundle, keys, subject_digest=subject_digest)
    return [one.values() for one in (*statements, *findings)]


def leaves(value: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Dotted keys and values of nested mappings, and of lists of what has a name, without what is null or empty."""
    if isinstance(value, list) and value and all(isinstance(item, dict) and "name" in item for item in value):
        return [(f"{prefix}.{item['name']}", {k: v for k, v in item.items() if k != "name"}) for item in value]
    if not isinstance(value, dict):
        return [(prefix, value)] if value not in (None, [], "") else []
    return [leaf for key, item in value.items() for leaf in leaves(item, f"{prefix}.{key}" if prefix else str(key))]


def shown(value: Any) -> str:
    """A value in one cell."""
    text = worded(value, digits=6)
    return text if len(text) <= 100 else f"{text[:97]}..."
