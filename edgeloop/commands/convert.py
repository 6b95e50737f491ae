"""`edgeloop convert`."""

from pathlib import Path
from typing import Annotated

import typer

from edgeloop.commands import Debug, Json
from edgeloop.errors import EXIT_GATE
from edgeloop.terminal import exiting, print_json, print_pairs


def convert(
    model: Annotated[Path, typer.Argument(help="ONNX file.")],
    to: Annotated[str, typer.Option("--to", help="Format: plug-in of edgeloop.conversion, such as openvino.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")] = None,
    memory_gb: Annotated[float, typer.Option("--memory-gb", min=1, max=1024, help="Addresses of the process.")] = 6,
    timeout_s: Annotated[float, typer.Option("--timeout-s", min=1, help="Then it is given up.")] = 600,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Convert an ONNX file of your own, and compare the answers. Exit code 1 when they differ.

    What this machine cannot make, such as a TensorRT engine without a GPU, is told as not evaluated.
    """
    with exiting(debug=debug):
        from edgeloop.gates import described
        from edgeloop.own_files.conversion import ConvertedFile, UnmadeFile, convert_file
        from edgeloop.progress import progress

        with progress("convert", 1) as advance:
            made = convert_file(
                model, to=to, target=output, memory_bytes=round(memory_gb * (1 << 30)), timeout_s=timeout_s
            )
            advance(1, f"written: {made.file}" if isinstance(made, ConvertedFile) else "not evaluated")
        told = {check.name: described(check) for check in made.checks}
        if as_json:
            print_json(made.values())
        elif isinstance(made, UnmadeFile):
            print_pairs({made.format: f"not evaluated: {made.reason}", **told})
        else:
            tool = f"{made.made_by.name} {made.made_by.version}"
            print_pairs({"file": made.file, "size": f"{made.size_bytes:,} bytes", "made by": tool, **told})
        if any(check.status == "fail" for check in made.checks):
            raise typer.Exit(EXIT_GATE)
