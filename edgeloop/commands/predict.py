"""`edgeloop predict`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from edgeloop.commands import Debug, Json
from edgeloop.terminal import exiting, print_json, print_table


def predict(
    bundle: Annotated[Path, typer.Argument(help="Folder that register wrote, or that was fetched.")],
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT…", help="Files of the kind that the model takes.")],
    variant: Annotated[str | None, typer.Option("--variant", help="Another variant than the selected one.")] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, max=256)] = 1,
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
        rows = [[answer.input, described(answer.answer)] for answer in answers]
        print_table(f"{bundle}: {answers[0].variant} on {answers[0].runtime}", ["input", "answer"], rows)


def described(answer: dict[str, Any]) -> str:
    """The plain values of an answer in one line; the rest is in `--json`."""
    plain = {key: value for key, value in answer.items() if isinstance(value, str | int | float)}
    return ", ".join(f"{key} {value:.3f}" if isinstance(value, float) else str(value) for key, value in plain.items())
