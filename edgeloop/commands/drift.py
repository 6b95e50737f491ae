"""`edgeloop drift`."""

from pathlib import Path
from typing import Annotated

import typer

from edgeloop.commands import Debug, Json
from edgeloop.errors import EXIT_GATE
from edgeloop.terminal import exiting, print_json, print_table

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Drift."""


@app.command()
def check(
    reference: Annotated[Path, typer.Option("--reference", help="A bundle, or the JSON file of a profile.")],
    current: Annotated[Path, typer.Option("--current", help="Window of telemetry, Parquet or CSV.")],
    false_alarms: Annotated[float, typer.Option("--false-alarms", help="Share of windows without drift.")] = 0.01,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare a window of telemetry with the training data. Exit code 1 unless the verdict is no drift."""
    with exiting(debug=debug):
        from edgeloop.contract import parsed
        from edgeloop.drift import DetectDriftParams
        from edgeloop.drift import check as compare

        params = parsed(DetectDriftParams, {"false_alarms": false_alarms}, where="--false-alarms")
        verdict = compare(params, reference=reference, current=current)
        if as_json:
            print_json(verdict.values())
        else:
            print_table(
                f"{verdict.status}: {verdict.reason}",
                ["feature", "status", verdict.detector, "threshold", "rows"],
                [
                    [one.name, one.status, number(one.value), number(one.threshold), str(one.rows)]
                    for one in verdict.features
                ],
            )
        if verdict.status != "no drift":
            raise typer.Exit(EXIT_GATE)


def number(value: float | None) -> str:
    """A statistic, or nothing."""
    return "" if value is None else f"{value:.4f}"
