"""`edgeloop registry`."""

from pathlib import Path
from typing import Annotated

import typer

from edgeloop.commands import Debug, Json
from edgeloop.terminal import exiting, print_json, print_pairs, print_table

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the model, its prefix included.")]
Alias = Annotated[str, typer.Argument(help="Such as champion-workstation.")]
Registry = Annotated[str, typer.Option("--registry", help="Plug-in of edgeloop.registries.")]


@app.callback()
def group() -> None:
    """The model registry."""


@app.command(name="list")
def list_(name: Name, registry: Registry = "mlflow", as_json: Json = False, debug: Debug = False) -> None:
    """List the versions of a model, oldest first."""
    with exiting(debug=debug):
        from edgeloop import plugins

        versions = plugins.load("registries", registry).versions(name)
        if as_json:
            print_json([version.values() for version in versions])
            return
        print_table(
            name,
            ["version", "aliases", "variant", "subject", "promotion"],
            [
                [
                    v.version,
                    ", ".join(v.aliases),
                    v.tags.get("variant", ""),
                    v.subject_digest[7:19],
                    v.tags.get("promotion", ""),
                ]
                for v in versions
            ],
        )


@app.command()
def promote(
    name: Name,
    alias: Alias,
    version: Annotated[str, typer.Argument(help="Version that the alias is to point to.")],
    expected: Annotated[
        str | None, typer.Option("--expected", help="Version that it points to now, '' for none; refused otherwise.")
    ] = None,
    registry: Registry = "mlflow",
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Point an alias to a version."""
    with exiting(debug=debug):
        from edgeloop import plugins

        plugins.load("registries", registry).promote(name, alias, version, expected=expected)
        moved = {"model": name, "alias": alias, "version": version}
        print_json(moved) if as_json else print_pairs(moved)


@app.command()
def rollback(
    name: Name, alias: Alias, registry: Registry = "mlflow", as_json: Json = False, debug: Debug = False
) -> None:
    """Point an alias to the newest older version that was promoted to it."""
    with exiting(debug=debug):
        from edgeloop import plugins
        from edgeloop.registries import earlier_holder

        opened = plugins.load("registries", registry)
        now, earlier = earlier_holder(opened.versions(name), name, alias)
        opened.promote(name, alias, earlier, expected=now)
        moved = {"model": name, "alias": alias, "version": earlier, "was": now}
        print_json(moved) if as_json else print_pairs(moved)


@app.command()
def fetch(
    model: Annotated[str, typer.Argument(metavar="NAME@ALIAS", help="Or NAME@VERSION.")],
    folder: Annotated[Path, typer.Argument(help="Where the bundle goes; replaced if it exists.")],
    registry: Registry = "mlflow",
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Fetch a bundle, whole and verified."""
    with exiting(debug=debug):
        from edgeloop import plugins
        from edgeloop.references import named_in_registry

        named = named_in_registry(model, registry)
        bundle = plugins.load("registries", named.registry).fetch(named.name, named.ref, folder)
        fetched = {"bundle": str(bundle.folder), "subject_digest": bundle.manifest.subject_digest}
        print_json(fetched) if as_json else print_pairs(fetched)
