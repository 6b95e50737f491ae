"""`edgeloop devices`."""

from pathlib import Path
from typing import Annotated

import typer

from edgeloop.commands import Debug, Json
from edgeloop.terminal import exiting, print_json, print_table

app = typer.Typer(no_args_is_help=True)

DECLARATIONS = Path("manifests/devices")
Folder = Annotated[Path, typer.Option("--folder", help="Declarations, one YAML a device.")]


@app.callback()
def group() -> None:
    """Devices."""


@app.command(name="list")
def list_(
    folder: Folder = DECLARATIONS,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List the declared devices; this machine is always one, as `local`."""
    with exiting(debug=debug):
        from edgeloop.devices import declared

        devices = declared(folder)
        if as_json:
            print_json([device.values() for device in devices])
            return
        print_table(
            "devices",
            ["name", "class", "transport", "address"],
            [[device.name, device.device_class, device.transport, device.address or ""] for device in devices],
        )
