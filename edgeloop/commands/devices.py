"""`edgeloop devices`."""

from pathlib import Path
from typing import Annotated

import typer

from edgeloop.commands import Debug, Json
from edgeloop.errors import InputFault
from edgeloop.files import write_json
from edgeloop.terminal import exiting, print_json, print_table

app = typer.Typer(no_args_is_help=True)

DECLARATIONS = Path("manifests/devices")
Folder = Annotated[Path, typer.Option("--folder", help="Declarations, one YAML a device.")]


@app.callback()
def group() -> None:
    """Devices."""


def existing(folder: Path) -> Path:
    """The folder of declarations; only the default one need not exist.

    Raises:
        InputFault: It was named and is not there.
    """
    if folder != DECLARATIONS and not folder.is_dir():
        raise InputFault("is no folder", where=str(folder), fix=f"name one of declarations, such as {DECLARATIONS}")
    return folder


@app.command(name="list")
def list_(
    folder: Folder = DECLARATIONS,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List the declared devices; this machine is always one, as `local`."""
    with exiting(debug=debug):
        from edgeloop.devices import declared

        devices = declared(existing(folder))
        if as_json:
            print_json([device.values() for device in devices])
            return
        print_table(
            "devices",
            ["name", "class", "transport", "address"],
            [[device.name, device.device_class, device.transport, device.address or ""] for device in devices],
        )


@app.command()
def fingerprint(
    output: Annotated[Path | None, typer.Option("--output", help="Write it here as JSON.")] = None,
    folder: Folder = DECLARATIONS,
    debug: Debug = False,
) -> None:
    """Print what timings on each reachable device depend on; another value, and they are taken again."""
    with exiting(debug=debug):
        from edgeloop.devices import declared
        from edgeloop.devices import fingerprint as fingerprint_of

        found = {device.name: fingerprint_of(device) for device in declared(existing(folder))}
        if output is None:
            print_json(found)
        else:
            write_json(output, found)
