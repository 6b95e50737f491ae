"""`edgeloop`: one tool for each thing that the loop does, no pipeline needed."""

from typing import Annotated

import typer

from edgeloop import __version__
from edgeloop.commands import bench, convert, data, devices, drift, lineage, optimize, plan, predict, registry
from edgeloop.terminal import run_app

app = typer.Typer(
    help="From a dataset and a list of devices to a measured, chosen and registered model for every device class.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data", help="Datasets: judge a folder before training on it.")
app.add_typer(devices.app, name="devices", help="Devices that are declared, and what they can do.")
app.add_typer(drift.app, name="drift", help="Whether devices still see what the model was trained on.")
app.add_typer(registry.app, name="registry", help="Registered versions, and the aliases that point to them.")
app.add_typer(lineage.app, name="lineage", help="Where a model comes from, and what changed between two.")
app.command(name="bench")(bench.bench)
app.command(name="convert")(convert.convert)
app.command(name="optimize")(optimize.optimize)
app.command(name="plan")(plan.plan)
app.command(name="predict")(predict.predict)


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of every command."""
    del version


def main() -> None:
    """The entry point of the `edgeloop` script."""
    run_app(app)


if __name__ == "__main__":
    main()
