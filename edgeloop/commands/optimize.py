"""`edgeloop optimize`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from edgeloop.commands import Debug, Json
from edgeloop.errors import EXIT_GATE
from edgeloop.terminal import exiting, print_json, print_pairs, print_table

if TYPE_CHECKING:
    from edgeloop.own_files.optimization import Material, Optimized


def optimize(
    model: Annotated[
        Path,
        typer.Argument(help="ONNX file, with or without its model.json beside it; or the folder that train wrote."),
    ],
    data: Annotated[Path | None, typer.Option("--data", help="Labelled samples; without, only fp32 and bf16.")] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="Plug-in of edgeloop.data.sources; else guessed.")
    ] = None,
    target: Annotated[
        list[str] | None, typer.Option("--target", metavar="[DEVICE:]RUNTIME[:THREADS]", help="May be repeated.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder to write.")] = None,
    mean: Annotated[str, typer.Option("--mean", help="Of pixels in 0..1, one value or one a channel.")] = "0",
    std: Annotated[str, typer.Option("--std", help="Of pixels in 0..1, one value or one a channel.")] = "1",
    max_accuracy_drop: Annotated[float, typer.Option("--max-accuracy-drop", min=0, max=1)] = 0.01,
    max_size_ratio: Annotated[
        float, typer.Option("--max-size-ratio", min=0.01, max=10, help="Over the float file of the format; 10 is any.")
    ] = 10,
    trials: Annotated[
        int | None, typer.Option("--trials", min=1, max=64, help="Most files a scheme makes; 8, of large inputs 3.")
    ] = None,
    samples: Annotated[
        int | None, typer.Option("--samples", min=30, help="Most that judge; 4,096, of large inputs 320.")
    ] = None,
    profile: Annotated[Literal["quick", "standard", "strict"], typer.Option("--profile")] = "quick",
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Make, measure and choose the fastest correct file of a model. Exit code 1 when none is within the limits."""
    with exiting(debug=debug):
        from edgeloop.own_files.optimization import Wish
        from edgeloop.own_files.optimization import optimize as optimized
        from edgeloop.own_files.targets import OF_ONNX, OF_WEIGHTS, available_targets, parsed_target
        from edgeloop.own_files.trained import is_trained

        model, possible = (model.absolute(), OF_WEIGHTS) if is_trained(model) else (model, OF_ONNX)
        wish = Wish(
            targets=tuple(map(parsed_target, target)) if target else available_targets(possible), profile=profile,
            max_accuracy_drop=max_accuracy_drop, max_size_ratio=max_size_ratio, trials=trials, judged_samples=samples,
        )  # fmt: skip
        material = material_of(model, data, source, mean=mean, std=std)
        place = output or model.with_name(f"{model.stem}-optimized")
        found = optimized(model, wish, material=material, output=place)
        print_json(found.values()) if as_json else show(found)
        if found.file is None:
            raise typer.Exit(EXIT_GATE)


def material_of(model: Path, data: Path | None, source: str | None, *, mean: str, std: str) -> "Material | None":
    """How the data is read, and the card beside the model; the numbers of --mean and --std stand in for one.

    Raises:
        InputFault: They are no numbers.
    """
    from edgeloop.data.recognition import preparation
    from edgeloop.models import CARD_FILE, ModelCard
    from edgeloop.own_files.optimization import Material

    if data is None and source is None:
        return None
    folder = model if model.is_dir() else model.parent
    card = ModelCard.of(folder) if (folder / CARD_FILE).is_file() else None
    prepared = preparation(data, source=source, min_class_samples=3)
    return Material(prepared, card, mean=numbers(mean, "--mean"), std=numbers(std, "--std"))


def numbers(text: str, where: str) -> tuple[float, ...]:
    """`0.485,0.456,0.406` as numbers.

    Raises:
        InputFault: It is something else.
    """
    from edgeloop.errors import InputFault

    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise InputFault(f"{text!r} is no number", where=where, fix="write 0.5 or 0.485,0.456,0.406") from error


def show(found: "Optimized") -> None:
    """For people: every candidate with its reason, then the choice."""
    reasons = {judged.candidate: judged for judged in found.selection.candidates}
    rows = []
    for row in found.report.rows:
        ms = f"{row.latency.p50.value_ms:.4g}" if row.latency else "-"
        ratio = f"{row.latency_ratio:.3g}" if row.latency_ratio else "-"
        accuracy = "-" if row.accuracy is None else f"{row.accuracy:.4f}"
        won = row.candidate == found.selection.winner
        why = "chosen" if won else "; ".join(reasons[row.candidate].reasons)
        rows.append([row.candidate, ms, ratio, f"{row.size_bytes / 1e6:.2f}", accuracy, row.status, why])
    measured = {row.variant for row in found.report.rows}
    refused = [judged for judged in found.selection.candidates if judged.variant not in measured]
    rows += [[judged.candidate, "-", "-", "-", "-", "refused", "; ".join(judged.reasons)] for judged in refused]
    columns = ["candidate", "p50 ms", "over fp32", "MB", found.metric or "metric", "status", "why"]
    print_table(f"{found.source}", columns, rows)
    told = {f"note {number}": note for number, note in enumerate(found.notes, start=1)}
    reason = found.reason if found.file else "no candidate is within the limits, see the table"
    print_pairs({"chosen": found.file or "nothing", "reason": reason, **told})
