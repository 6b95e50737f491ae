"""`edgeloop predict`."""

from pathlib import Path
from typing import Annotated

import typer

from edgeloop.commands import Debug, Json
from edgeloop.terminal import exiting, print_json, print_table


def predict(
    bundle: Annotated[Path, typer.Argument(help="Folder that register wrote, or that was fetched.")],
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT…", help="Pictures.")],
    variant: Annotated[str | None, typer.Option("--variant", help="Another variant than the selected one.")] = None,
    threads: Annotated[int, typer.Option("--threads", min=1)] = 1,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Verify a bundle, then answer each input by its selected model."""
    with exiting(debug=debug):
        from edgeloop import prediction

        answers = prediction.predict(bundle, inputs, variant=variant, threads=threads)
        if as_json:
            print_json([answer.values() for answer in answers])
            return
        rows = [[answer.input, answer.label, f"{answer.probability:.3f}"] for answer in answers]
        print_table(str(bundle), ["input", "answer", "probability"], rows)
