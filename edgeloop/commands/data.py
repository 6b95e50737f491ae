"""`edgeloop data`."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from edgeloop.commands import Debug, Json
from edgeloop.errors import EXIT_GATE
from edgeloop.files import copy_file, whole_file
from edgeloop.terminal import exiting, print_json, print_table

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Datasets."""


@app.command()
def validate(
    folder: Annotated[Path, typer.Argument(help="Pictures, a sub-folder for each class.")],
    suite: Annotated[Path | None, typer.Option("--suite", help="Great Expectations suite; else the shipped.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Keep the page for people here.")] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Judge a folder of pictures. Exit code 1 when the verdict is no."""
    with exiting(debug=debug):
        from edgeloop.data.validation import validate_folder

        with tempfile.TemporaryDirectory() as scratch:
            verdict = validate_folder(folder, suite=suite, workdir=Path(scratch))
            if report is not None:
                with whole_file(report) as partial:
                    copy_file(Path(scratch) / "report.html", partial)
        if as_json:
            print_json(verdict.values())
        else:
            print_table(
                f"{folder}: {verdict.status} ({verdict.reason})",
                ["expectation", "column", "severity", "status", "failing"],
                [
                    [r.says or r.name, r.column or "", r.severity, r.status, str(r.failing)]
                    for r in verdict.expectations
                ],
            )
        if verdict.status != "pass":
            raise typer.Exit(EXIT_GATE)
