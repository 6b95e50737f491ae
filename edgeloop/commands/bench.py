"""`edgeloop bench`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from edgeloop.commands import Debug, Json
from edgeloop.commands.devices import DECLARATIONS, Folder, existing
from edgeloop.errors import EXIT_GATE
from edgeloop.terminal import exiting, print_json, print_pairs, worded


def bench(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    device: Annotated[str, typer.Option("--device", help="A declared device.")] = "local",
    runtime: Annotated[str, typer.Option("--runtime", help="Plug-in of edgeloop.runtimes.")] = "onnxruntime",
    threads: Annotated[int, typer.Option("--threads", min=1, max=256, help="Computing threads.")] = 1,
    profile: Annotated[Literal["quick", "standard", "strict"], typer.Option("--profile")] = "quick",
    folder: Folder = DECLARATIONS,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Measure one model file, batch 1. Exit code 1 when there is no valid measurement."""
    with exiting(debug=debug):
        from edgeloop.benchmarking.single import bench_file
        from edgeloop.devices import device_named

        row, environment = bench_file(
            model,
            device=device_named(device, existing(folder)),
            runtime=runtime,
            threads=threads,
            profile=profile,
        )
        if as_json:
            print_json({**flat(row.values()), "environment": environment})
        else:
            print_pairs({key: worded(value) for key, value in flat(row.values()).items() if value not in (None, "")})
        if row.status != "pass":
            raise typer.Exit(EXIT_GATE)


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the latency's figures beside the rest: `p50_ms`, `p90_upper_ms` and the like."""
    latency = row.get("latency") or {}
    figures: dict[str, Any] = {}
    for name, value in latency.items():
        if isinstance(value, dict):
            figures |= {f"{name}_ms": value["value_ms"], f"{name}_upper_ms": value["upper_ms"]}
        else:
            figures[name] = value
    return {**{key: value for key, value in row.items() if key != "latency"}, **figures}
